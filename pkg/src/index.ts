/**
 * Adapts a search model to one's own domain, in a worker, so that the page stays responsive.
 *
 * ```ts
 * import { load } from "querytune";
 * const tuner = await load({ device: "auto", onProgress });
 * const relations = await tuner.synthesize(queries, documents, { onProgress, signal });
 * const run = await tuner.fit(relations, { onProgress, signal });
 * const zip = await run.saveArtifact();
 * ```
 *
 * @module querytune
 */

import * as Comlink from "comlink";
import { isAbort, QuerytuneError } from "./errors.js";
import type { Judging, JudgingOptions } from "./judging.js";
import { resolveModels } from "./models.js";
import { carryErrors, type Id, type Notice, type RemoteJudgements, type RemoteTexts, type Service } from "./remote.js";
import { RemoteJudging } from "./remote-judging.js";
import type {
  AdapterFile,
  CandidateRow,
  Embeddings,
  EngineInfo,
  FitOptions,
  Index,
  Judgements,
  JudgementsInput,
  JudgementsSummary,
  LoadOptions,
  OpenOptions,
  Pair,
  PerQueryKind,
  Progress,
  Reading,
  ReadOptions,
  RelationRow,
  Relations,
  RelationsSummary,
  Report,
  Reranked,
  Run,
  SearchHit,
  SearchOptions,
  Session,
  SynthesizeOptions,
  TextItem,
  Texts,
  TextsInput,
  Tuner,
  WasmSource,
  Watch,
} from "./types.js";

export { cachedModels, clearCache, isCached } from "./cached.js";
export type { ErrorCode, Position } from "./errors.js";
export { isAbort, QuerytuneError } from "./errors.js";
export type * from "./types.js";

carryErrors();

/** Starts the engine in a worker of its own, before any model is there. */
export async function open(options: OpenOptions = {}): Promise<Session> {
  return RemoteSession.open(options);
}

/** Starts the engine in a worker of its own and loads two models. Disposing of the tuner ends the worker. */
export async function load(options: OpenOptions & LoadOptions = {}): Promise<Tuner> {
  const session = await RemoteSession.open(options);
  try {
    return await session.loadOwning(options);
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** The worker with all calls to it. */
class Link {
  readonly service: Comlink.Remote<Service>;
  readonly warn: (message: string) => void;
  readonly #worker: Worker;
  readonly #watchers = new Map<number, (progress: Progress) => void>();
  readonly #pending = new Set<(reason: Error) => void>();
  #lastCall = 0;
  #dead: Error | undefined;

  constructor(warn: (message: string) => void) {
    this.warn = warn;
    if (typeof Worker === "undefined") {
      throw new QuerytuneError("option", "There are no web workers here. Import from querytune/core instead.");
    }
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "querytune" });
    this.#worker.addEventListener("error", ({ message }) => {
      this.end(
        new QuerytuneError(
          "internal",
          message
            ? `The worker failed: ${message}. Start again in a new session.`
            : 'The script of the worker could not be loaded. It lies beside the package\'s modules; see "Bundlers" in ' +
                "the package's README.",
        ),
      );
    });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Notice | { notice?: undefined }>) => {
      if (data.notice === "progress") this.#watchers.get(data.call)?.(data.progress);
      if (data.notice === "warning") this.warn(data.message);
    });
    this.service = Comlink.wrap<Service>(this.#worker);
  }

  async open(options: OpenOptions): Promise<void> {
    const { store } = options;
    const own = typeof store === "object" ? Comlink.proxy(store) : undefined;
    const opening = { wasm: await transferable(options.wasm), store: typeof store === "string" ? store : undefined };
    await this.settle(this.service.open(opening, own));
  }

  /** Ends the worker; all pending and later calls are rejected. */
  end(reason: Error): void {
    this.#dead ??= reason;
    for (const reject of this.#pending) reject(this.#dead);
    this.#pending.clear();
    this.#watchers.clear();
    this.#worker.terminate();
  }

  /** The worker's answer, or a rejection when the worker ends without one. */
  settle<T>(answer: Promise<T>): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead);
    return new Promise<T>((resolve, reject) => {
      this.#pending.add(reject);
      answer.then(resolve, reject).finally(() => this.#pending.delete(reject));
    });
  }

  /** A long call: watched and abortable. */
  async long<T>(watch: Watch, ask: (call: number) => Promise<T>): Promise<T> {
    const { signal, onProgress } = watch;
    signal?.throwIfAborted();
    this.#lastCall += 1;
    const call = this.#lastCall;
    const cancel = () => void this.service.cancel(call);
    if (onProgress) this.#watchers.set(call, onProgress);
    signal?.addEventListener("abort", cancel);
    try {
      return await this.settle(ask(call));
    } catch (error) {
      if (signal?.aborted && isAbort(error)) throw signal.reason;
      throw error;
    } finally {
      this.#watchers.delete(call);
      signal?.removeEventListener("abort", cancel);
    }
  }

  dispose(id: Id): void {
    if (!this.#dead) void this.service.dispose(id);
  }
}

async function transferable(wasm: WasmSource | undefined) {
  if (wasm instanceof Response) return wasm.arrayBuffer();
  if (wasm instanceof URL || typeof wasm === "string") return new URL(wasm, globalThis.location.href).href;
  return wasm;
}

/** Stands for an object in the worker. */
abstract class Handle {
  readonly link: Link;
  readonly id: Id;

  constructor(link: Link, id: Id) {
    this.link = link;
    this.id = id;
  }

  dispose(): void {
    this.link.dispose(this.id);
  }
}

class RemoteTextsHandle extends Handle implements Texts {
  readonly reading: Reading;
  readonly length: number;

  constructor(link: Link, made: { id: Id; reading: Reading; length: number }) {
    super(link, made.id);
    this.reading = made.reading;
    this.length = made.length;
  }

  items(from: number, count: number): Promise<TextItem[]> {
    return this.link.settle(this.link.service.items(this.id, from, count));
  }
}

class RemoteJudgementsHandle extends Handle implements Judgements {
  readonly summary: JudgementsSummary;

  constructor(link: Link, made: { id: Id; summary: JudgementsSummary }) {
    super(link, made.id);
    this.summary = made.summary;
  }
}

class RemoteRelations extends Handle implements Relations {
  readonly #summary: RelationsSummary;

  constructor(link: Link, made: { id: Id; summary: RelationsSummary }) {
    super(link, made.id);
    this.#summary = made.summary;
  }

  summary(): RelationsSummary {
    return this.#summary;
  }

  rows(from: number, count: number): Promise<RelationRow[]> {
    return this.link.settle(this.link.service.rows(this.id, from, count));
  }

  queries(from: number, count: number): Promise<TextItem[]> {
    return this.link.settle(this.link.service.queries(this.id, from, count));
  }

  candidates(query: number): Promise<CandidateRow[]> {
    return this.link.settle(this.link.service.candidates(this.id, query));
  }

  toCsv(): Promise<string> {
    return this.link.settle(this.link.service.export(this.id, "toCsv"));
  }

  toGplTsv(): Promise<string> {
    return this.link.settle(this.link.service.export(this.id, "toGplTsv"));
  }

  toJsonl(): Promise<string> {
    return this.link.settle(this.link.service.export(this.id, "toJsonl"));
  }

  toScoresTsv(): Promise<string> {
    return this.link.settle(this.link.service.export(this.id, "toScoresTsv"));
  }
}

class RemoteIndex extends Handle implements Index {
  readonly length: number;

  constructor(link: Link, made: { id: Id; length: number }) {
    super(link, made.id);
    this.length = made.length;
  }

  search(query: string, options: SearchOptions = {}): Promise<SearchHit[]> {
    return this.link.long(options, (call) => this.link.service.searchIndex(call, this.id, query, options.topK));
  }
}

class RemoteRun extends Handle implements Run {
  #report: Report;

  constructor(link: Link, made: { id: Id; report: Report }) {
    super(link, made.id);
    this.#report = made.report;
  }

  get report(): Report {
    return this.#report;
  }

  search(query: string, options: SearchOptions = {}): Promise<{ base: SearchHit[]; tuned: SearchHit[] }> {
    return this.link.long(options, (call) => this.link.service.search(call, this.id, query, options.topK));
  }

  async evaluate(judgements: JudgementsInput, watch: Watch = {}): Promise<Report> {
    const judged = remoteJudgements(judgements);
    this.#report = await this.link.long(watch, (call) => this.link.service.evaluate(call, this.id, judged));
    return this.#report;
  }

  async saveArtifact(watch: Watch = {}): Promise<Blob> {
    const zip = await this.link.long(watch, (call) => this.link.service.artifact(call, this.id));
    return new Blob([zip as Uint8Array<ArrayBuffer>], { type: "application/zip" });
  }

  adapter(): Promise<Uint8Array> {
    return this.link.settle(this.link.service.adapter(this.id));
  }

  adapterFiles(): Promise<AdapterFile[]> {
    return this.link.settle(this.link.service.adapterFiles(this.id));
  }

  perQueryCsv(kind: PerQueryKind): Promise<string> {
    return this.link.settle(this.link.service.perQueryCsv(this.id, kind));
  }

  async judging(options: JudgingOptions = {}): Promise<Judging> {
    const { onProgress, signal, ...choices } = options;
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.judging(call, this.id, choices),
    );
    return new RemoteJudging(this.link, made, (report) => {
      this.#report = report;
    });
  }

  index(documents: TextsInput | Texts, watch: Watch = {}): Promise<Index> {
    return index(this, documents, watch);
  }
}

class RemoteTuner extends Handle implements Tuner {
  readonly info: EngineInfo;
  readonly #session: RemoteSession;
  readonly #owning: boolean;

  constructor(session: RemoteSession, owning: boolean, made: { id: Id; info: EngineInfo }) {
    super(session.link, made.id);
    this.#session = session;
    this.#owning = owning;
    this.info = made.info;
  }

  readQueries(queries: TextsInput, options?: ReadOptions & { file?: string }): Promise<Texts> {
    return this.#session.readQueries(queries, options);
  }

  readDocuments(documents: TextsInput, options?: ReadOptions & { file?: string }): Promise<Texts> {
    return this.#session.readDocuments(documents, options);
  }

  readJudgements(qrels: Blob | Uint8Array, options?: { file?: string }): Promise<Judgements> {
    return this.#session.readJudgements(qrels, options);
  }

  embed(texts: readonly string[], watch: Watch = {}): Promise<Embeddings> {
    return this.link.long(watch, (call) => this.link.service.embed(call, this.id, texts));
  }

  score(pairs: readonly Pair[], watch: Watch = {}): Promise<Float32Array> {
    return this.link.long(watch, (call) => this.link.service.score(call, this.id, pairs));
  }

  rerank(query: string, documents: readonly string[], options: SearchOptions = {}): Promise<Reranked[]> {
    return this.link.long(options, (call) => this.link.service.rerank(call, this.id, query, documents, options.topK));
  }

  async synthesize(
    queries: TextsInput | Texts,
    documents: TextsInput | Texts,
    options: SynthesizeOptions = {},
  ): Promise<Relations> {
    const { onProgress, signal, ...choices } = options;
    const [log, corpus] = [remoteTexts(queries), remoteTexts(documents)];
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.synthesize(call, this.id, log, corpus, choices),
    );
    return new RemoteRelations(this.link, made);
  }

  async fit(relations: Relations, options: FitOptions = {}): Promise<Run> {
    if (!(relations instanceof RemoteRelations)) {
      throw new QuerytuneError("option", "The relations are not of this session; synthesize them here.");
    }
    const { onProgress, signal, judgements, ...choices } = options;
    const judged = judgements && remoteJudgements(judgements);
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.fit(call, this.id, relations.id, choices, judged),
    );
    return new RemoteRun(this.link, made);
  }

  index(documents: TextsInput | Texts, watch: Watch = {}): Promise<Index> {
    return index(this, documents, watch);
  }

  override dispose(): void {
    if (this.#owning) this.#session.dispose();
    else super.dispose();
  }
}

class RemoteSession implements Session {
  readonly link: Link;

  private constructor(link: Link) {
    this.link = link;
  }

  static async open(options: OpenOptions): Promise<RemoteSession> {
    const link = new Link(options.onWarning ?? ((message) => console.warn(message)));
    try {
      await link.open(options);
    } catch (error) {
      link.end(error as Error);
      throw error;
    }
    return new RemoteSession(link);
  }

  async readQueries(queries: TextsInput, options: ReadOptions & { file?: string } = {}): Promise<Texts> {
    const made = await this.link.settle(this.link.service.readTexts("queries", queries, options));
    return new RemoteTextsHandle(this.link, made);
  }

  async readDocuments(documents: TextsInput, options: ReadOptions & { file?: string } = {}): Promise<Texts> {
    const made = await this.link.settle(this.link.service.readTexts("documents", documents, options));
    return new RemoteTextsHandle(this.link, made);
  }

  async readJudgements(qrels: Blob | Uint8Array, options: { file?: string } = {}): Promise<Judgements> {
    const made = await this.link.settle(this.link.service.readJudgements(qrels, options));
    return new RemoteJudgementsHandle(this.link, made);
  }

  load(options: LoadOptions = {}): Promise<Tuner> {
    return this.#load(options, false);
  }

  /** A tuner that takes the session with it when it is disposed of. */
  loadOwning(options: LoadOptions): Promise<Tuner> {
    return this.#load(options, true);
  }

  dispose(): void {
    this.link.end(new QuerytuneError("disposed", "The session was ended; open a new one."));
  }

  async #load(options: LoadOptions, owning: boolean): Promise<Tuner> {
    const { onProgress, signal, encoder, crossEncoder, device, dtype, threads } = options;
    // Downloads happen here, so that the worker needs no network for models.
    const models = await resolveModels({ encoder, crossEncoder }, { onProgress, signal, onWarning: this.link.warn });
    const files = [...Object.values(models.encoder.files), ...Object.values(models.crossEncoder.files)];
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.load(
        call,
        Comlink.transfer(
          models,
          files.map((bytes) => bytes.buffer),
        ),
        { device, dtype, threads },
      ),
    );
    return new RemoteTuner(this, owning, made);
  }
}

async function index(owner: RemoteRun | RemoteTuner, documents: TextsInput | Texts, watch: Watch): Promise<Index> {
  const texts = remoteTexts(documents);
  const made = await owner.link.long(watch, (call) => owner.link.service.index(call, owner.id, texts));
  return new RemoteIndex(owner.link, made);
}

function remoteTexts(texts: TextsInput | Texts): RemoteTexts {
  return texts instanceof RemoteTextsHandle ? { id: texts.id } : { input: texts as TextsInput };
}

function remoteJudgements({ qrels, queries }: JudgementsInput): RemoteJudgements {
  return {
    qrels: qrels instanceof RemoteJudgementsHandle ? { id: qrels.id } : { input: qrels as Blob | Uint8Array },
    queries: queries && remoteTexts(queries),
  };
}
