/** Reads what is given, or lends what was read before, to the engine. */

import { unlessAborted } from "./abort.js";
import { CoreJudgements } from "./core-judgements.js";
import { CoreTexts } from "./core-texts.js";
import { checkItems } from "./lists.js";
import { judgementsOptions, readOptions } from "./options.js";
import { bytesOf, nameOf, read } from "./source.js";
import type { Thread } from "./thread.js";
import type { JudgementsCall, JudgementsInput, ReadCall, Reader, Texts, TextsInput, Watch } from "./types.js";
import * as engine from "./wasm/querytune.js";

export class CoreReader implements Reader {
  readonly thread: Thread;

  constructor(thread: Thread) {
    this.thread = thread;
  }

  async readQueries(queries: TextsInput, options: ReadCall = {}): Promise<CoreTexts> {
    return new CoreTexts(this.thread, await this.#read(queries, "queries", options));
  }

  async readDocuments(documents: TextsInput, options: ReadCall = {}): Promise<CoreTexts> {
    return new CoreTexts(this.thread, await this.#read(documents, "documents", options));
  }

  async readJudgements(qrels: Blob | Uint8Array, options: JudgementsCall = {}): Promise<CoreJudgements> {
    const source = bytesOf(qrels);
    const { file = nameOf(source) ?? "qrels", onProgress, signal, ...choices } = options;
    const bytes = await unlessAborted(signal, read(source, file));
    const chosen = judgementsOptions(choices);
    const judged = await this.thread.beside({ onProgress, signal }, (host) =>
      engine.Qrels.read(bytes, file, chosen, host),
    );
    return new CoreJudgements(this.thread, judged);
  }

  /** Lends texts to `use`, read for it unless the caller holds them already. */
  async withTexts<R, T extends TextsInput | Texts | undefined>(
    texts: T,
    role: engine.Role,
    watch: Watch,
    use: (texts: T extends undefined ? engine.Texts | undefined : engine.Texts) => Promise<R>,
  ): Promise<R> {
    type Lent = T extends undefined ? engine.Texts | undefined : engine.Texts;
    if (texts === undefined) return use(undefined as Lent);
    if (texts instanceof CoreTexts) return use(texts.engine as Lent);
    const own = await this.#read(texts as TextsInput, role, watch);
    try {
      return await use(own as Lent);
    } finally {
      this.thread.free(own);
    }
  }

  /** Lends judgements, and the queries that are judged, to `use`, read for it unless the caller holds them already. */
  async withJudgements<R>(
    { qrels, queries }: JudgementsInput,
    watch: Watch,
    use: (qrels: engine.Qrels, queries: engine.Texts | undefined) => Promise<R>,
  ): Promise<R> {
    const judged = qrels instanceof CoreJudgements ? qrels : await this.readJudgements(bytesOf(qrels), watch);
    try {
      return await this.withTexts(queries, "queries", watch, (texts) => use(judged.engine, texts));
    } finally {
      if (judged !== qrels) judged.dispose();
    }
  }

  async #read(input: TextsInput, role: engine.Role, options: ReadCall): Promise<engine.Texts> {
    const { file, signal, onProgress, ...choices } = options;
    const chosen = readOptions(choices);
    const watch = { signal, onProgress };
    if (Array.isArray(input)) {
      const items = checkItems(input, role);
      return this.thread.beside(watch, (host) => engine.Texts.fromItems(items, role, host));
    }
    const source = bytesOf(input);
    const name = file ?? nameOf(source) ?? role;
    const bytes = await unlessAborted(signal, read(source, name));
    return this.thread.beside(watch, (host) => engine.Texts.read(bytes, name, role, chosen, host));
  }
}
