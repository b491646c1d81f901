/** Has the worker read what is given. */

import type { Link } from "./link.js";
import { RemoteJudgementsHandle } from "./remote-judgements.js";
import { crossing, RemoteTextsHandle } from "./remote-texts.js";
import type { Judgements, JudgementsCall, ReadCall, Reader, Texts, TextsInput } from "./types.js";

export class RemoteReader implements Reader {
  readonly link: Link;

  constructor(link: Link) {
    this.link = link;
  }

  readQueries(queries: TextsInput, options?: ReadCall): Promise<Texts> {
    return this.#read("queries", queries, options);
  }

  readDocuments(documents: TextsInput, options?: ReadCall): Promise<Texts> {
    return this.#read("documents", documents, options);
  }

  async readJudgements(qrels: Blob | Uint8Array, options: JudgementsCall = {}): Promise<Judgements> {
    const made = await this.link.read(options, (call, options) =>
      this.link.service.readJudgements(call, qrels, options),
    );
    return new RemoteJudgementsHandle(this.link, made);
  }

  async #read(role: "queries" | "documents", input: TextsInput, options: ReadCall = {}): Promise<Texts> {
    const given = crossing(input, role);
    const made = await this.link.read(options, (call, options) =>
      this.link.service.readTexts(call, role, given, options),
    );
    return new RemoteTextsHandle(this.link, made);
  }
}
