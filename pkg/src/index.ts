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
import { unlessAborted } from "./abort.js";
import type { ArtifactOptions, TunedModel } from "./artifact.js";
import { fromData, isCancelled, QuerytuneError } from "./errors.js";
import type { Judging, JudgingOptions } from "./judging.js";
import { checkItems, checkPairs, checkText, checkTexts, checkTopK } from "./lists.js";
import { resolveModels, toUrl } from "./models.js";
import { carryErrors, type Id, type Notice, type RemoteJudgements, type RemoteTexts, type Service } from "./remote.js";
import { loadArtifact as loadRemotely, RemoteTunedModel } from "./remote-artifact.js";
import { RemoteJudging } from "./remote-judging.js";
import type {
  AdapterFile,
  CandidateRow,
  Embeddings,
  EmbedOptions,
  EngineInfo,
  FitOptions,
  Index,
  IndexSearchOptions,
  Judgements,
  JudgementsCall,
  JudgementsCoverage,
  JudgementsInput,
  JudgementsReading,
  JudgementsSummary,
  LoadOptions,
  OpenOptions,
  Pair,
  PerQueryKind,
  Progress,
  ReadCall,
  Reading,
  RelationRow,
  Relations,
  RelationsSummary,
  Report,
  Reranked,
  RerankOptions,
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

/**
 * Starts the engine in a worker of its own and loads the model of a download, the zip of a run's `saveArtifact`.
 * Disposing of the model ends the worker.
 */
export async function loadArtifact(
  zip: Blob | Uint8Array,
  options: OpenOptions & ArtifactOptions = {},
): Promise<TunedModel> {
  const session = await RemoteSession.open(options);
  try {
    return await session.loadArtifact(zip, options, () => session.dispose());
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
    try {
      this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "querytune" });
    } catch (cause) {
      throw new QuerytuneError(
        "option",
        `The worker could not be started: ${(cause as Error).message} From another origin, such as a CDN, browsers start ` +
          "no workers: serve the package's dist folder from your own.",
        { cause },
      );
    }
    this.#worker.addEventListener("error", ({ message }) => {
      this.end(
        new QuerytuneError(
          "internal",
          message
            ? `The worker failed: ${message}. Start again in a new session.`
            : 'The script of the worker could not be loaded. It lies beside the package\'s modules; see "Bundlers" in ' +
                "the package's README.",
          { endsSession: true },
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

  /** What the worker reads; `options` are what it is told. It may be busy: nobody who has aborted waits for that. */
  async read<T extends { id: Id }, O extends Watch>(
    { signal, onProgress, ...options }: O,
    ask: (call: number, options: Omit<O, keyof Watch>) => Promise<T>,
  ): Promise<T> {
    const reading = this.long({ signal, onProgress }, (call) => ask(call, options));
    return unlessAborted(signal, reading, ({ id }) => this.dispose(id));
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
      answer.then(resolve, (error) => reject(uncloneable(error))).finally(() => this.#pending.delete(reject));
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
      if (signal?.aborted && isCancelled(error)) throw signal.reason;
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

/** What cannot cross to the worker is the caller's to mend; other errors stay as they are. */
function uncloneable(error: unknown): unknown {
  if (!(error instanceof DOMException) || error.name !== "DataCloneError") return error;
  return new QuerytuneError(
    "option",
    `An argument cannot be handed to the worker: ${error.message} Give plain values; of an object that a framework ` +
      "observes (a proxy), give the object behind it, or a copy.",
    { cause: error },
  );
}

async function transferable(wasm: WasmSource | undefined) {
  if (wasm instanceof Response) return wasm.arrayBuffer();
  if (wasm instanceof URL || typeof wasm === "string") return toUrl(wasm, globalThis.location.href).href;
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
  readonly reading: JudgementsReading;
  readonly summary: JudgementsSummary;

  constructor(link: Link, made: { id: Id; reading: JudgementsReading; summary: JudgementsSummary }) {
    super(link, made.id);
    this.reading = made.reading;
    this.summary = made.summary;
  }

  async coverage(queries: Texts, documents: Texts): Promise<JudgementsCoverage> {
    const [log, corpus] = [readTexts(this.link, queries), readTexts(this.link, documents)];
    return this.link.settle(this.link.service.coverage(this.id, log, corpus));
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

  async search(query: string, { topK, rerank, ...watch }: IndexSearchOptions = {}): Promise<SearchHit[]> {
    const [text, most] = [checkText(query, "query"), checkTopK(topK)];
    return this.link.long(watch, (call) => this.link.service.searchIndex(call, this.id, text, most, rerank));
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

  async search(query: string, options: SearchOptions = {}): Promise<{ base: SearchHit[]; tuned: SearchHit[] }> {
    const [text, topK] = [checkText(query, "query"), checkTopK(options.topK)];
    return this.link.long(options, (call) => this.link.service.search(call, this.id, text, topK));
  }

  async evaluate(judgements: JudgementsInput, watch: Watch = {}): Promise<Report> {
    const judged = remoteJudgements(this.link, judgements);
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

  readQueries(queries: TextsInput, options?: ReadCall): Promise<Texts> {
    return this.#session.readQueries(queries, options);
  }

  readDocuments(documents: TextsInput, options?: ReadCall): Promise<Texts> {
    return this.#session.readDocuments(documents, options);
  }

  readJudgements(qrels: Blob | Uint8Array, options?: JudgementsCall): Promise<Judgements> {
    return this.#session.readJudgements(qrels, options);
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Embeddings> {
    const list = checkTexts(texts);
    return this.link.long(options, (call) => this.link.service.embed(call, this.id, list, options.kind));
  }

  async score(pairs: readonly Pair[], watch: Watch = {}): Promise<Float32Array> {
    const list = checkPairs(pairs);
    return this.link.long(watch, (call) => this.link.service.score(call, this.id, list));
  }

  async rerank(query: string, documents: readonly string[], options: RerankOptions = {}): Promise<Reranked[]> {
    const [text, list] = [checkText(query, "query"), checkTexts(documents, "documents")];
    const topK = checkTopK(options.topK);
    return this.link.long(options, (call) => this.link.service.rerank(call, this.id, text, list, topK));
  }

  async synthesize(
    queries: TextsInput | Texts,
    documents: TextsInput | Texts,
    options: SynthesizeOptions = {},
  ): Promise<Relations> {
    const { onProgress, signal, ...choices } = options;
    const log = remoteTexts(this.link, queries, "queries");
    const corpus = remoteTexts(this.link, documents, "documents");
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.synthesize(call, this.id, log, corpus, choices),
    );
    return new RemoteRelations(this.link, made);
  }

  async fit(relations: Relations, options: FitOptions = {}): Promise<Run> {
    if (!(relations instanceof RemoteRelations) || relations.link !== this.link) {
      throw new QuerytuneError("option", "The relations are not of this session; synthesize them here.");
    }
    const { onProgress, signal, judgements, ...choices } = options;
    const judged = judgements && remoteJudgements(this.link, judgements);
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.fit(call, this.id, relations.id, choices, judged),
    );
    const run = new RemoteRun(this.link, made);
    if (!made.unjudged) return run;
    const error = fromData(made.unjudged);
    if (error instanceof QuerytuneError) error.run = run;
    throw error;
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
  readonly #host: string | undefined;

  private constructor(link: Link, host: string | undefined) {
    this.link = link;
    this.#host = host;
  }

  static async open(options: OpenOptions): Promise<RemoteSession> {
    const { signal } = options;
    signal?.throwIfAborted();
    const link = new Link(options.onWarning ?? ((message) => console.warn(message)));
    try {
      await unlessAborted(signal, link.open(options));
    } catch (error) {
      link.end(error as Error);
      throw error;
    }
    return new RemoteSession(link, options.host);
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

  load(options: LoadOptions = {}): Promise<Tuner> {
    return this.#load(options, false);
  }

  /** A tuner that takes the session with it when it is disposed of. */
  loadOwning(options: LoadOptions): Promise<Tuner> {
    return this.#load(options, true);
  }

  /** `end`: what happens when the model is disposed of. */
  async loadArtifact(
    zip: Blob | Uint8Array,
    options: ArtifactOptions = {},
    end: (id: Id) => void = (id) => this.link.dispose(id),
  ): Promise<TunedModel> {
    return new RemoteTunedModel(this, await loadRemotely(this.link, zip, options), end);
  }

  lend(texts: TextsInput | Texts): RemoteTexts {
    return remoteTexts(this.link, texts, "documents");
  }

  indexOf(made: { id: Id; length: number }): Index {
    return new RemoteIndex(this.link, made);
  }

  dispose(): void {
    this.link.end(new QuerytuneError("disposed", "The session was ended; open a new one.", { endsSession: true }));
  }

  async #read(role: "queries" | "documents", input: TextsInput, options: ReadCall = {}): Promise<Texts> {
    const given = crossing(input, role);
    const made = await this.link.read(options, (call, options) =>
      this.link.service.readTexts(call, role, given, options),
    );
    return new RemoteTextsHandle(this.link, made);
  }

  async #load(options: LoadOptions, owning: boolean): Promise<Tuner> {
    const { onProgress, signal, encoder, crossEncoder, device, dtype, threads } = options;
    // Downloads happen here, so that the worker needs no network for models.
    const download = { host: this.#host, onProgress, signal, onWarning: this.link.warn };
    const models = await resolveModels({ encoder, crossEncoder }, download);
    const files = [models.encoder, models.crossEncoder].flatMap((model) => Object.values(model?.files ?? {}));
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
  const texts = remoteTexts(owner.link, documents, "documents");
  const made = await owner.link.long(watch, (call) => owner.link.service.index(call, owner.id, texts));
  return new RemoteIndex(owner.link, made);
}

/** What is read as it can cross to the worker. */
function crossing(input: TextsInput, role: "queries" | "documents"): TextsInput {
  return Array.isArray(input) ? checkItems(input, role) : input;
}

/** The number of what is held for the caller; numbers of other sessions mean other objects here. */
function idOf(link: Link, held: RemoteTextsHandle | RemoteJudgementsHandle): { id: Id } {
  if (held.link === link) return { id: held.id };
  throw new QuerytuneError("option", "Texts or judgements are of another session; read them in this one.");
}

/** The number of texts that were read before. */
function readTexts(link: Link, texts: Texts): Id {
  if (texts instanceof RemoteTextsHandle) return idOf(link, texts).id;
  throw new QuerytuneError("option", "Give what readQueries and readDocuments gave.");
}

function remoteTexts(link: Link, texts: TextsInput | Texts, role: "queries" | "documents"): RemoteTexts {
  if (texts instanceof RemoteTextsHandle) return idOf(link, texts);
  return { input: crossing(texts as TextsInput, role) };
}

function remoteJudgements(link: Link, { qrels, queries }: JudgementsInput): RemoteJudgements {
  return {
    qrels: qrels instanceof RemoteJudgementsHandle ? idOf(link, qrels) : { input: qrels as Blob | Uint8Array },
    queries: queries && remoteTexts(link, queries, "queries"),
  };
}
