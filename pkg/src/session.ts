/** The engine's objects as the public types describe them, all in the thread that calls them. */

import { unlessAborted } from "./abort.js";
import type { ArtifactOptions } from "./artifact.js";
import { type CoreTunedModel, loadArtifact } from "./core-artifact.js";
import { CoreJudging } from "./core-judging.js";
import { Crew, type Recruiting } from "./crew.js";
import { fromEngine, isCancelled, QuerytuneError } from "./errors.js";
import type { JudgingOptions } from "./judging.js";
import { checkItems, checkPairs, checkText, checkTexts, checkTopK } from "./lists.js";
import { type ModelFiles, resolveModels, sizeOf, type TunerModels } from "./models.js";
import { nodeFiles } from "./node.js";
import {
  given,
  judgementsOptions,
  judgingOptions,
  readOptions,
  synthesizeOptions,
  trainingOptions,
} from "./options.js";
import { report } from "./progress.js";
import { Queue } from "./queue.js";
import type { Choice } from "./remote.js";
import { openStore } from "./store.js";
import type {
  AdapterFile,
  CandidateRow,
  DeviceChoice,
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
  Store,
  SynthesizeOptions,
  TextItem,
  Texts,
  TextsInput,
  Tuner,
  WasmSource,
  Watch,
} from "./types.js";
import init, * as engine from "./wasm/querytune.js";

let started: Promise<WebAssembly.Module> | undefined;

/** Instantiates the WebAssembly module, once in a thread: later sources are not looked at. Resolves to the module. */
async function start(wasm: WasmSource | undefined): Promise<WebAssembly.Module> {
  started ??= instantiate(wasm ?? new URL("./wasm/querytune_bg.wasm", import.meta.url));
  try {
    return await started;
  } catch (cause) {
    started = undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuerytuneError(
      "internal",
      `The WebAssembly module could not be started: ${why}. Check that it is served and that the page's ` +
        "Content-Security-Policy has 'wasm-unsafe-eval' in script-src.",
      { cause },
    );
  }
}

/**
 * The device to ask for. The engine looks for WebGPU in pages and dedicated workers only, and would end anywhere else,
 * such as in Node.
 */
export function reachable(device: DeviceChoice | undefined): DeviceChoice | undefined {
  if ("Window" in globalThis || "DedicatedWorkerGlobalScope" in globalThis) return device;
  if (device === "webgpu") {
    throw new QuerytuneError("device-unavailable", "WebGPU is not available outside of browsers; the CPU always is.");
  }
  return device === undefined || device === "auto" ? "cpu" : device;
}

async function instantiate(wasm: WasmSource): Promise<WebAssembly.Module> {
  const module = await compile(wasm);
  await init({ module_or_path: module });
  return module;
}

async function compile(wasm: WasmSource): Promise<WebAssembly.Module> {
  if (wasm instanceof WebAssembly.Module) return wasm;
  const source = typeof wasm === "string" ? new URL(wasm, globalThis.location?.href) : wasm;
  if (source instanceof URL && source.protocol === "file:") {
    return WebAssembly.compile(await (await nodeFiles()).readFile(source));
  }
  if (!(source instanceof URL || source instanceof Response)) return WebAssembly.compile(source as BufferSource);
  const response = source instanceof URL ? await fetch(source) : source;
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${response.url}`);
  // What a server calls by another name cannot be compiled while it comes.
  const named = response.headers.get("content-type")?.startsWith("application/wasm");
  return named ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/**
 * A macrotask: messages that ask for cancelling are delivered before it resolves. Not a timer, which browsers hold
 * back.
 */
const macrotask: () => Promise<void> = (() => {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  if (setImmediate) return () => new Promise((resolve) => setImmediate(resolve));
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(0);
    });
})();

/** Shared by all that belongs to a session: the order of calls, the store, the way errors take. */
export class Thread {
  readonly queue = new Queue();
  readonly store: Store;
  readonly warn: (message: string) => void;

  constructor(store: Store, warn: (message: string) => void) {
    this.store = store;
    this.warn = warn;
  }

  /** A long call: after all earlier ones, watched and abortable. */
  long<T>(watch: Watch, work: (host: engine.Host) => Promise<T>, crew?: Crew): Promise<T> {
    return this.#watched(watch, (call) => this.queue.run(call, watch.signal), work, crew);
  }

  /** A call that may run beside a long one: watched and abortable as well. */
  beside<T>(watch: Watch, work: (host: engine.Host) => Promise<T>): Promise<T> {
    return this.#watched(watch, (call) => this.queue.beside(call), work);
  }

  async #watched<T>(
    { signal, onProgress }: Watch,
    run: (call: () => Promise<T>) => Promise<T>,
    work: (host: engine.Host) => Promise<T>,
    crew?: Crew,
  ): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await run(async () => {
        try {
          return await work({
            progress: (progress) => report(onProgress, progress),
            cancelled: () => signal?.aborted ?? false,
            pause: macrotask,
            store: this.store,
            crew: crew && {
              get size() {
                return crew.size;
              },
              run: (work, texts) => crew.run(work, texts, signal),
            },
          });
        } catch (thrown) {
          throw this.failure(thrown);
        }
      });
    } catch (error) {
      if (signal?.aborted && isCancelled(error)) throw signal.reason;
      throw error;
    }
  }

  /** A short call that disturbs no long one. */
  short<T>(work: () => T): T {
    if (this.queue.dead) throw this.queue.dead;
    try {
      return work();
    } catch (thrown) {
      throw this.failure(thrown);
    }
  }

  /** Frees memory of the engine when no call uses it any more. */
  free(object: { free(): void }): void {
    this.queue.run(async () => object.free()).catch(() => {});
  }

  failure(thrown: unknown): Error {
    const error = fromEngine(thrown);
    // A trap leaves the engine's memory in an unknown state.
    if (thrown instanceof WebAssembly.RuntimeError) this.queue.kill(error);
    return error;
  }
}

/** Frees the engine's object once, however often it is disposed of. */
abstract class Handle<T extends { free(): void }> {
  readonly thread: Thread;
  #engine: T | undefined;

  constructor(thread: Thread, object: T) {
    this.thread = thread;
    this.#engine = object;
  }

  get engine(): T {
    if (!this.#engine) throw new QuerytuneError("disposed", "This object was disposed of; make a new one.");
    return this.#engine;
  }

  dispose(): void {
    if (this.#engine) this.thread.free(this.#engine);
    this.#engine = undefined;
  }
}

export class CoreTexts extends Handle<engine.Texts> implements Texts {
  readonly reading: Reading;
  readonly length: number;

  constructor(thread: Thread, texts: engine.Texts) {
    super(thread, texts);
    this.reading = texts.reading();
    this.length = texts.length;
  }

  async items(from: number, count: number): Promise<TextItem[]> {
    return this.thread.short(() => this.engine.items(from, count));
  }
}

export class CoreJudgements extends Handle<engine.Qrels> implements Judgements {
  readonly reading: JudgementsReading;
  readonly summary: JudgementsSummary;

  constructor(thread: Thread, qrels: engine.Qrels) {
    super(thread, qrels);
    this.reading = qrels.reading();
    this.summary = qrels.summary();
  }

  async coverage(queries: Texts, documents: Texts): Promise<JudgementsCoverage> {
    if (!(queries instanceof CoreTexts && documents instanceof CoreTexts)) {
      throw new QuerytuneError("option", "Give what readQueries and readDocuments gave.");
    }
    return this.thread.short(() => this.engine.coverage(queries.engine, documents.engine));
  }
}

export class CoreRelations extends Handle<engine.Relations> implements Relations {
  /** Whether the earlier run that they go on from, if any, delivered a model that goes through the encoder's layers. */
  readonly needsEncoder: boolean;
  readonly #summary: RelationsSummary;

  constructor(thread: Thread, relations: engine.Relations) {
    super(thread, relations);
    this.needsEncoder = relations.needsEncoder();
    this.#summary = relations.summary();
  }

  summary(): RelationsSummary {
    return this.#summary;
  }

  async rows(from: number, count: number): Promise<RelationRow[]> {
    return this.thread.short(() => this.engine.rows(from, count));
  }

  async queries(from: number, count: number): Promise<TextItem[]> {
    return this.thread.short(() => this.engine.queries(from, count));
  }

  async candidates(query: number): Promise<CandidateRow[]> {
    return this.thread.short(() => this.engine.candidates(query));
  }

  async toCsv(): Promise<string> {
    return this.thread.short(() => this.engine.toCsv());
  }

  async toGplTsv(): Promise<string> {
    return this.thread.short(() => this.engine.toGplTsv());
  }

  async toJsonl(): Promise<string> {
    return this.thread.short(() => this.engine.toJsonl());
  }

  async toScoresTsv(): Promise<string> {
    return this.thread.short(() => this.engine.toScoresTsv());
  }
}

/** The logits of pairs. */
type Score = (pairs: readonly Pair[], watch: Watch) => Promise<Float32Array>;

export class CoreIndex extends Handle<engine.Index> implements Index {
  readonly length: number;
  readonly #score: Score | undefined;

  /** `score`: by the cross-encoder, where there is one. */
  constructor(thread: Thread, index: engine.Index, score?: Score) {
    super(thread, index);
    this.length = index.length;
    this.#score = score;
  }

  async search(query: string, { topK, rerank, ...watch }: IndexSearchOptions = {}): Promise<SearchHit[]> {
    const [index, score] = [this.engine, this.#score];
    const text = checkText(query, "query");
    const most = checkTopK(topK) ?? 10;
    if (rerank && !score) {
      throw new QuerytuneError(
        "option",
        "There is no cross-encoder to rerank by; search in an index of a tuner with one.",
      );
    }
    const hits: SearchHit[] = await this.thread.long(watch, (host) => index.search(text, most, host));
    if (!rerank || !score) return hits;
    const logits = await score(
      hits.map((hit): Pair => [text, hit.text]),
      watch,
    );
    const scored = hits.map((hit, i) => ({ ...hit, logit: logits[i] as number }));
    return scored.sort((a, b) => b.logit - a.logit);
  }
}

export class CoreRun extends Handle<engine.Fit> implements Run {
  readonly #tuner: CoreTuner;
  /** The encoder's files, where the run goes through its layers. */
  readonly #encoder: ModelFiles | undefined;
  #report: Report;

  constructor(tuner: CoreTuner, fit: engine.Fit, encoder: ModelFiles | undefined) {
    super(tuner.thread, fit);
    this.#tuner = tuner;
    this.#encoder = encoder;
    this.#report = fit.report();
  }

  get report(): Report {
    return this.#report;
  }

  async search(query: string, options: SearchOptions = {}): Promise<{ base: SearchHit[]; tuned: SearchHit[] }> {
    const [tuner, fit] = [this.#tuner.engine, this.engine];
    const text = checkText(query, "query");
    const topK = checkTopK(options.topK) ?? 10;
    return this.thread.long(options, (host) => tuner.search(fit, text, topK, host));
  }

  async evaluate(judgements: JudgementsInput, watch: Watch = {}): Promise<Report> {
    return this.#tuner.session.withJudgements(judgements, watch, (qrels, queries) => this.judge(qrels, queries, watch));
  }

  /** The same with what is read already; of the log's own queries if none are given. */
  async judge(qrels: engine.Qrels, queries: engine.Texts | undefined, watch: Watch): Promise<Report> {
    const [tuner, fit] = [this.#tuner.engine, this.engine];
    const files = this.#encoder;
    await this.thread.long(
      watch,
      (host) =>
        queries ? tuner.evaluateOn(fit, qrels, queries, files, host) : tuner.evaluate(fit, qrels, files, host),
      this.#tuner.crew,
    );
    this.#report = this.thread.short(() => fit.report());
    return this.#report;
  }

  async saveArtifact(watch: Watch = {}): Promise<Blob> {
    const zip = await this.artifactBytes(watch);
    return new Blob([zip as Uint8Array<ArrayBuffer>], { type: "application/zip" });
  }

  artifactBytes(watch: Watch): Promise<Uint8Array> {
    const fit = this.engine;
    return this.thread.long(watch, (host) => fit.artifact(this.#tuner.encoder, host));
  }

  async adapter(): Promise<Uint8Array> {
    return this.thread.short(() => this.engine.adapter());
  }

  async adapterFiles(): Promise<AdapterFile[]> {
    return this.thread.short(() => this.engine.adapterFiles());
  }

  async perQueryCsv(kind: PerQueryKind): Promise<string> {
    return this.thread.short(() => this.engine.perQueryCsv(kind));
  }

  async judging(options: JudgingOptions = {}): Promise<CoreJudging> {
    const { onProgress, signal, ...choices } = options;
    const fit = this.engine;
    const chosen = judgingOptions(choices);
    const judging = await this.thread.long(
      { onProgress, signal },
      (host) => fit.judging(chosen, host),
      this.#tuner.crew,
    );
    return new CoreJudging(this.thread, judging, (report) => {
      this.#report = report;
    });
  }

  async index(documents: TextsInput | Texts, watch: Watch = {}): Promise<CoreIndex> {
    return this.#tuner.index(documents, watch, this.engine);
  }
}

export class CoreTuner extends Handle<engine.Tuner> implements Tuner {
  readonly info: EngineInfo;
  readonly session: CoreSession;
  /** Kept for the artifact, which holds the base model. */
  readonly encoder: ModelFiles;
  /** Who helps on the CPU, if anybody. */
  readonly crew: Crew | undefined;

  constructor(session: CoreSession, tuner: engine.Tuner, encoder: ModelFiles, crew: Crew | undefined) {
    super(session.thread, tuner);
    this.session = session;
    this.crew = crew;
    this.info = { ...tuner.info(), threads: crew?.threads ?? 1 };
    this.encoder = encoder;
  }

  readQueries(queries: TextsInput, options?: ReadCall): Promise<CoreTexts> {
    return this.session.readQueries(queries, options);
  }

  readDocuments(documents: TextsInput, options?: ReadCall): Promise<CoreTexts> {
    return this.session.readDocuments(documents, options);
  }

  readJudgements(qrels: Blob | Uint8Array, options?: JudgementsCall): Promise<CoreJudgements> {
    return this.session.readJudgements(qrels, options);
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Embeddings> {
    const tuner = this.engine;
    const list = checkTexts(texts);
    const { kind = "document" } = options;
    return this.thread.long(options, (host) => tuner.embed(list, kind, host), this.crew);
  }

  /** What a crew's member does. */
  work(work: engine.Work, texts: readonly string[], watch: Watch): Promise<Float32Array> {
    const tuner = this.engine;
    return this.thread.long(watch, (host) => tuner.work(work, texts, host));
  }

  async score(pairs: readonly Pair[], watch: Watch = {}): Promise<Float32Array> {
    const tuner = this.engine;
    const list = checkPairs(pairs).flat();
    return this.thread.long(watch, (host) => tuner.score(list, host), this.crew);
  }

  async rerank(query: string, documents: readonly string[], options: RerankOptions = {}): Promise<Reranked[]> {
    const text = checkText(query, "query");
    const topK = checkTopK(options.topK);
    const pairs = checkTexts(documents, "documents").map((document): Pair => [text, document]);
    const logits = await this.score(pairs, options);
    return Array.from(logits, (logit, index) => ({ index, logit, score: 1 / (1 + Math.exp(-logit)) }))
      .sort((a, b) => b.logit - a.logit)
      .slice(0, topK);
  }

  async synthesize(
    queries: TextsInput | Texts,
    documents: TextsInput | Texts,
    options: SynthesizeOptions = {},
  ): Promise<CoreRelations> {
    const { onProgress, signal, previous, ...choices } = options;
    const tuner = this.engine;
    const chosen = synthesizeOptions(choices);
    const earlier = previous && (await read(bytesOf(previous)));
    const watch = { onProgress, signal };
    return this.session.withTexts(queries, "queries", watch, (log) =>
      this.session.withTexts(documents, "documents", watch, async (corpus) => {
        const relations = await this.thread.long(
          watch,
          (host) => tuner.synthesize(log, corpus, chosen, earlier, host),
          this.crew,
        );
        return new CoreRelations(this.thread, relations);
      }),
    );
  }

  async fit(relations: Relations, options: FitOptions = {}): Promise<CoreRun> {
    if (!(relations instanceof CoreRelations)) {
      throw new QuerytuneError("option", "The relations are not of this session; synthesize them here.");
    }
    const { onProgress, signal, judgements, ...choices } = options;
    const [tuner, data, chosen] = [this.engine, relations.engine, trainingOptions(choices)];
    const files = choices.method === "lora" || relations.needsEncoder ? this.encoder : undefined;
    const watch = { onProgress, signal };
    const train = async () =>
      new CoreRun(this, await this.thread.long(watch, (host) => tuner.fit(data, chosen, files, host)), files);
    if (!judgements) return train();
    // Read before the training, which a bad file would have been for nothing otherwise.
    return this.session.withJudgements(judgements, watch, async (qrels, queries) => {
      const run = await train();
      try {
        await run.judge(qrels, queries, watch);
      } catch (error) {
        throw unjudged(error, run);
      }
      return run;
    });
  }

  index(documents: TextsInput | Texts, watch: Watch = {}, fit?: engine.Fit): Promise<CoreIndex> {
    const tuner = this.engine;
    return this.session.withTexts(documents, "documents", watch, async (texts) => {
      const index = await this.thread.long(
        watch,
        (host) => (fit ? tuner.indexTuned(texts, fit, host) : tuner.index(texts, host)),
        this.crew,
      );
      const score: Score = (pairs, watch) => this.score(pairs, watch);
      return new CoreIndex(this.thread, index, this.info.models.crossEncoder && score);
    });
  }

  override dispose(): void {
    this.session.dismiss(this.crew);
    super.dispose();
  }
}

export class CoreSession implements Session {
  readonly thread: Thread;
  /** Compiled once; workers that help get it as it is. */
  readonly #module: WebAssembly.Module;
  readonly #recruiting: Recruiting | undefined;
  readonly #crews = new Set<Crew>();
  /** Where hub ids are downloaded from. */
  readonly #host: string | undefined;

  private constructor(
    thread: Thread,
    module: WebAssembly.Module,
    recruiting: Recruiting | undefined,
    host: string | undefined,
  ) {
    this.thread = thread;
    this.#module = module;
    this.#recruiting = recruiting;
    this.#host = host;
  }

  /** `recruiting` gets threads that help on the CPU; without it this thread does all work. */
  static async open(options: OpenOptions, recruiting?: Recruiting): Promise<CoreSession> {
    options.signal?.throwIfAborted();
    const warn = options.onWarning ?? ((message) => console.warn(message));
    const opening = Promise.all([openStore(options.store, warn), start(options.wasm)]);
    const [store, module] = await unlessAborted(options.signal, opening);
    return new CoreSession(new Thread(store, warn), module, recruiting, options.host);
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

  async load(options: LoadOptions = {}): Promise<CoreTuner> {
    const { onProgress, signal, encoder, crossEncoder, ...choice } = options;
    const onWarning = this.thread.warn;
    const download = { host: this.#host, onProgress, signal, onWarning };
    const models = await resolveModels({ encoder, crossEncoder }, download);
    return this.loadFiles(models, choice, { onProgress, signal });
  }

  /** The same, with the files already here. */
  async loadFiles(models: TunerModels, { device, dtype, threads }: Choice, watch: Watch): Promise<CoreTuner> {
    const size = this.threads(threads, models);
    const tuner = await this.thread.long(watch, (host) =>
      engine.Tuner.load(
        models.encoder,
        models.crossEncoder,
        given({ device: reachable(device), dtype, threads: size }),
        host,
      ),
    );
    return new CoreTuner(this, tuner, models.encoder, this.recruit(models, tuner.info(), size));
  }

  loadArtifact(zip: Blob | Uint8Array, options: ArtifactOptions = {}): Promise<CoreTunedModel> {
    return loadArtifact(this, zip, options);
  }

  /** How many threads share these models' work if so many are asked for, this one counted. */
  threads(asked: number | undefined, models: TunerModels): number {
    if (asked !== undefined && !(Number.isInteger(asked) && asked >= 1)) {
      throw new QuerytuneError("option", `threads is ${asked}; it has to be a whole number from 1.`);
    }
    return this.#recruiting ? (asked ?? this.#recruiting.usualThreads(sizeOf(models))) : 1;
  }

  /** Others with the same models, so that there are so many threads; nobody where they could not help. */
  recruit(models: TunerModels, { device }: Pick<EngineInfo, "device">, threads: number): Crew | undefined {
    const recruiting = this.#recruiting;
    if (!recruiting || threads === 1 || device.kind !== "cpu") return undefined;
    const equipment = { module: this.#module, models, dtype: device.dtype };
    const crew = new Crew(threads - 1, recruiting.spawn, equipment, this.thread.warn);
    this.#crews.add(crew);
    return crew;
  }

  /** Ends a crew whose models are not needed any more. */
  dismiss(crew: Crew | undefined): void {
    if (!crew) return;
    crew.dispose();
    this.#crews.delete(crew);
  }

  dispose(): void {
    for (const crew of this.#crews) this.dismiss(crew);
    const ended = new QuerytuneError("disposed", "The session was ended; open a new one.", { endsSession: true });
    this.thread.queue.kill(ended);
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

/** The error of a run whose training went well and whose judging did not: the run is handed out with it, unless aborted. */
function unjudged(error: unknown, run: Run): unknown {
  if (error instanceof QuerytuneError) error.run = run;
  else run.dispose();
  return error;
}

export function bytesOf(input: unknown): Blob | Uint8Array {
  if (input instanceof Blob || input instanceof Uint8Array) return input;
  throw new QuerytuneError("option", "Give a File, a Blob, its bytes, an array, or what this session has read.");
}

/** Its bytes; where they cannot be had it is called by `name`. */
export async function read(source: Blob | Uint8Array, name = nameOf(source) ?? "artifact.zip"): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  try {
    return new Uint8Array(await source.arrayBuffer());
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

/** A file that was chosen stays where it is: until it is read it may have been changed, or be gone. */
function unreadable(file: string, cause: unknown): QuerytuneError {
  return new QuerytuneError(
    "input-unreadable",
    `${file}: The file cannot be read: it was changed, moved or deleted since it was chosen, or is too large. Choose ` +
      "it again.",
    { position: { file, line: 0, column: 0 }, cause },
  );
}

function nameOf(source: Blob | Uint8Array): string | undefined {
  return "name" in source && typeof source.name === "string" ? source.name : undefined;
}
