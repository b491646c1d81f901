/** The public types. Sizes and units are given where they are not obvious; times are in seconds. */

import type { ArtifactOptions, TunedModel } from "./artifact.js";
import type { Judging, JudgingOptions, JudgingVerdict } from "./judging.js";

export type * from "./artifact.js";
export type * from "./judging.js";

/** Where the models run. `auto` takes WebGPU where it is there and passes the self-test, else the CPU. */
export type DeviceChoice = "auto" | "webgpu" | "cpu";

/**
 * The numbers of the models' linear layers: `int16` (the CPU only: up to twice as fast, nearly the same numbers) or
 * `fp32`. `auto` takes integers on the CPU, `fp32` on WebGPU.
 */
export type DtypeChoice = "auto" | Dtype;

/** See `DtypeChoice`. */
export type Dtype = "fp32" | "int16";

declare global {
  // Where the DOM's types are not in use, as in Node, there is none.
  namespace WebAssembly {
    interface Module {}
  }
}

/** The WebAssembly binary: where it is, its bytes, or the compiled module. */
export type WasmSource = string | URL | Response | ArrayBuffer | ArrayBufferView | WebAssembly.Module;

/** A model of a hub, exactly. */
export interface HubSource {
  /** Such as `sentence-transformers/all-MiniLM-L6-v2`. */
  readonly hub: string;
  /**
   * A branch, a tag or a commit. Default: of the default models on huggingface.co the commit that this version was made
   * with, else `main`. What was downloaded once of a revision is not asked for again.
   */
  readonly revision?: string;
  /** Default: the session's, which is `https://huggingface.co` if none was given. */
  readonly host?: string;
  /**
   * The SHA-256 that files must have, in hexadecimal, by path: `{ "model.safetensors": "53aa…" }`. A path that is no file
   * of the model's is refused.
   */
  readonly sha256?: Readonly<Record<string, string>>;
}

/** A model's folder on a server, exactly. */
export interface UrlSource {
  readonly url: string | URL;
  /** As of `HubSource`. */
  readonly sha256?: Readonly<Record<string, string>>;
}

/**
 * Where a model comes from:
 * - a hub id such as `"sentence-transformers/all-MiniLM-L6-v2"`, or `{ hub, revision, host, sha256 }`;
 * - the URL of a folder: a `URL`, or a string with `://` in it or beginning with `/` or `.`
 *   (`file:` works in Node), or `{ url, sha256 }`;
 * - the files of a folder, as a folder picker gives them;
 * - bytes by relative path, such as `{ "config.json": …, "1_Pooling/config.json": … }`; they are copied.
 *
 * Downloads are kept for the next time: in the browser's cache storage, in Node in the folder `hub` of
 * `$QUERYTUNE_CACHE`, else of the system's folder for caches. One that broke off goes on where it was. What is kept is
 * checked by its SHA-256 each time it is read, and downloaded anew if it was damaged.
 */
export type ModelSource = string | URL | HubSource | UrlSource | ArrayLike<File> | Readonly<Record<string, Uint8Array>>;

/** A model that is kept, or what there is of it. */
export interface CachedModel {
  /** Address of its folder; it may stand wherever a `ModelSource` may. */
  url: string;
  /** Number of its files that are here. */
  files: number;
  /** Their size, with the beginning of one that broke off. */
  bytes: number;
  /** Whether all of its files are here. */
  complete: boolean;
}

/** A model's files are on their way. `total` is 0 while it is not known. */
export interface DownloadProgress {
  stage: "download";
  /** Which of the two models. */
  model: "encoder" | "crossEncoder";
  /** Bytes here. */
  loaded: number;
  /** Bytes in all. */
  total: number;
}

/** How far a stage of the engine is. */
export interface StageProgress {
  stage: "read" | "load" | "self-test" | "encode" | "search" | "score" | "tune" | "evaluate" | "artifact";
  /** Items finished, those found in the store included. Of a file that is read: bytes of its text. */
  done: number;
  /** Items in all. */
  total: number;
  /** Items found in the store, which took no time. */
  cached: number;
  /** Items a second, without the cached ones; 0 before the first is done. */
  perSecond: number;
  /** Estimated time to the end of the stage, in seconds; none before the first item is done. */
  secondsLeft?: number | null;
  /** Training loss, in the `tune` stage. */
  loss?: number | null;
}

/** What `onProgress` receives, at most some ten times a second per stage. */
export type Progress = DownloadProgress | StageProgress;

/** What every long call takes. */
export interface Watch {
  /** Receives progress. */
  onProgress?: (progress: Progress) => void;
  /** Stops the call between batches; the promise is then rejected with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Append-only logs of bytes that outlive a job, so that a cancelled or crashed one goes on where it was.
 * Chunks are numbered from 0 in the order they were appended.
 */
export interface Store {
  /** How many chunks the log holds; 0 for a log never written. */
  count(log: string): Promise<number>;
  /** The chunk of that number. */
  read(log: string, chunk: number): Promise<Uint8Array>;
  /** Adds a chunk at the end; it is kept once the promise resolves. The bytes belong to the store. */
  append(log: string, bytes: Uint8Array): Promise<void>;
}

/** How a session is opened. */
export interface OpenOptions {
  /** The WebAssembly binary; by default the one beside the package's modules. */
  wasm?: WasmSource;
  /**
   * Where finished vectors and scores are kept: `"indexeddb"` (the default where it is there), `"memory"`, where all of
   * them stay until the session ends, or a store of your own.
   */
  store?: "indexeddb" | "memory" | Store;
  /**
   * Where hub ids are downloaded from, the default models' too, unless a `HubSource` names another. Default
   * `https://huggingface.co`. `isCached` and `clearCache` are told by a `HubSource`.
   */
  host?: string;
  /** Receives what is worth knowing but stops nothing, such as a full disk. Default: `console.warn`. */
  onWarning?: (message: string) => void;
  /** Ends the start; the promise is then rejected with the signal's reason. */
  signal?: AbortSignal;
}

/** Which models, on which device. */
export interface LoadOptions extends Watch {
  /** The sentence encoder to adapt. Default: `sentence-transformers/all-MiniLM-L6-v2` from the hub. */
  encoder?: ModelSource;
  /**
   * The cross-encoder that teaches. Default: `cross-encoder/ms-marco-MiniLM-L-12-v2` from the hub. `false`: none is
   * loaded; texts can be encoded and searched then, but nothing scored and nothing trained.
   */
  crossEncoder?: ModelSource | false;
  /** Default `auto`. */
  device?: DeviceChoice;
  /** Default `auto`. */
  dtype?: DtypeChoice;
  /**
   * Workers that share the models' work on the CPU, each with the models in its own memory (some 330 MB with the default
   * two). Default: one for each processor, as far as half of the memory has room for these models, and in a browser 8 at
   * most. What comes out does not depend on it. In `querytune/core` the calling thread is one of them; there are others in
   * Node only.
   */
  threads?: number;
}

/**
 * How a file is read; whatever is left out is detected. A column is named by its header, or by its number from 1
 * (`"3"`); the empty string means "none".
 */
export interface ReadOptions {
  /** Delimited columns, an object a line, or a text a line. */
  format?: "csv" | "jsonl" | "lines";
  /** One character, or `"tab"`, `"comma"`, `"semicolon"`, `"pipe"`. */
  delimiter?: string;
  /** A label of the Encoding Standard, such as `"utf-8"` or `"windows-1252"`. */
  encoding?: string;
  /** Whether the first row names the columns. */
  hasHeader?: boolean;
  /** Whether `"` encloses fields. */
  quotes?: boolean;
  /** What judgements call a text by. Without ids a text's number stands for it, from 1. */
  idColumn?: string;
  /** Titles of documents; they are read before the text. */
  titleColumn?: string;
  /** The text of a query or document. */
  textColumn?: string;
  /** How often a query was asked. */
  countColumn?: string;
}

/** How one file is read, and what watches it. What is read after `signal` is aborted is dropped. */
export interface ReadCall extends ReadOptions, Watch {
  /** The name that messages give it; by default a `File`'s own. */
  file?: string;
}

/**
 * How to read judgements; what is absent is detected. A column is named by its header, or by its number from 1. Without
 * names that tell them apart, the columns are query id, document id and relevance, or the four of TREC.
 */
export interface ReadJudgementsOptions {
  /** One character, or `"tab"`, `"comma"`, `"semicolon"`, `"pipe"`, `"space"` (any number of spaces and tabs). */
  delimiter?: string;
  /** A label of the Encoding Standard, such as `"utf-8"` or `"windows-1252"`. */
  encoding?: string;
  /** Whether the first row names the columns. */
  hasHeader?: boolean;
  /** Whether `"` encloses fields. */
  quotes?: boolean;
  /** Ids of queries. */
  queryColumn?: string;
  /** Ids of documents. */
  documentColumn?: string;
  /** Relevances: whole numbers, 1 and more for "relevant". */
  relevanceColumn?: string;
}

/** How one file of judgements is read, and what watches it. */
export interface JudgementsCall extends ReadJudgementsOptions, Watch {
  /** The name that messages give it; by default a `File`'s own. */
  file?: string;
}

/** One text given as an object. */
export interface InputItem {
  /** A number is taken for its digits. Default: its place in the list, from 1. */
  id?: string | number;
  /** It is read before the text. */
  title?: string;
  /** The text itself. */
  text: string;
  /** How often it occurs; default 1. */
  count?: number;
}

/**
 * Queries or documents as they may be given: a file, its bytes, texts, or objects. A `Texts` handle (from
 * `readQueries` or `readDocuments`) may stand wherever texts are asked for.
 */
export type TextsInput = Blob | Uint8Array | readonly string[] | readonly InputItem[];

/** One text as it was read. */
export interface TextItem {
  /** The first is the one that is used; the others are of merged duplicates. */
  ids: string[];
  title?: string;
  /** What is encoded: title and text joined by one space. */
  text: string;
  count: number;
}

/** A row that could not be used, and why; or one that there is something else to say about. */
export interface Skipped {
  file: string;
  /** Counted from 1. */
  line: number;
  reason: string;
}

/** How a file was read. */
export interface Reading {
  file: string;
  format: "csv" | "jsonl" | "lines" | "array";
  /** Absent where there is but one column. */
  delimiter?: string | null;
  encoding?: string | null;
  hasHeader: boolean;
  /** By name, or by number where there is no header; empty for plain lines. */
  columns: string[];
  /** The columns in use. */
  used: { id?: string | null; title?: string | null; text?: string | null; count?: string | null };
  /** Rows in the file, the header not counted: `texts + duplicates + skippedTotal`. */
  rows: number;
  /** Distinct texts. */
  texts: number;
  /** Rows merged into an equal text. */
  duplicates: number;
  /** Those rows, at most 100. */
  merged: Skipped[];
  /** At most 1,000 rows. */
  skipped: Skipped[];
  skippedTotal: number;
  /** Texts of more than 1,500 characters, at most 100: they are used, but a model may not read to their end. */
  long: Skipped[];
  longTotal: number;
  /** Decisions that are worth a look, in words. */
  notes?: string[];
}

/** Queries or documents, read and held by the engine. */
export interface Texts {
  /** How they were read. */
  readonly reading: Reading;
  /** Number of distinct texts. */
  readonly length: number;
  /** Some of them, for display. */
  items(from: number, count: number): Promise<TextItem[]>;
  /** Frees the memory. */
  dispose(): void;
}

/** What a qrels file holds. */
export interface JudgementsSummary {
  queries: number;
  judgements: number;
  relevant: number;
  /** At most 1,000 rows. */
  skipped: Skipped[];
  skippedTotal: number;
}

/** How judgements were read. */
export interface JudgementsReading {
  file: string;
  /** A space stands for any number of spaces and tabs. */
  delimiter: string;
  encoding: string;
  hasHeader: boolean;
  /** By name, or by number where there is no header. */
  columns: string[];
  /** The columns in use. */
  used: { query: string; document: string; relevance: string };
  /** Rows in the file, the header not counted: `judgements + skippedTotal`. */
  rows: number;
  /** The first rows, at most 10. */
  first: JudgementRow[];
  /** Decisions that are worth a look, in words. */
  notes: string[];
}

/** A row of judgements as it was understood; a cell is empty where the row does not reach that far. */
export interface JudgementRow {
  /** Counted from 1. */
  line: number;
  query: string;
  document: string;
  /** As it is written. */
  relevance: string;
  /** The relevance as a number; absent if the row was skipped. */
  grade?: number | null;
}

/** Judgements held against the queries and documents that they should be of. */
export interface JudgementsCoverage {
  judgements: number;
  /** Those whose query and document are both among the texts; a model cannot be judged by none. */
  known: number;
  queries: NamedIds;
  documents: NamedIds;
}

/** The queries, or the documents, that judgements name. */
export interface NamedIds {
  /** Number of distinct ids in the judgements. */
  ids: number;
  /** Those that a text has. */
  known: number;
  /** The first three of those that no text has. */
  unknown: string[];
  /** The first three ids of the texts. */
  texts: string[];
}

/** Relevance judgements (qrels), read and held by the engine. */
export interface Judgements {
  /** How they were read. */
  readonly reading: JudgementsReading;
  readonly summary: JudgementsSummary;
  /**
   * How many judgements are of these texts, which the same session has read: unlike ids are the usual reason why a
   * model cannot be judged.
   */
  coverage(queries: Texts, documents: Texts): Promise<JudgementsCoverage>;
  /** Frees the memory. */
  dispose(): void;
}

/** A model as loaded. */
export interface ModelInfo {
  /** Its hub id, or the name of its folder. */
  id: string;
  /** Of its weights (`model.safetensors`), in hexadecimal. */
  sha256: string;
  /** Transformer layers. */
  layers: number;
  /** Hidden size. */
  dims: number;
  /** Tokens a text is cut at. */
  maxLength: number;
}

/** What runs, and where. */
export interface EngineInfo {
  version: string;
  device: {
    kind: "webgpu" | "cpu";
    dtype: Dtype;
    adapter: string;
    /** Why this device was chosen. */
    reason: string;
  };
  /** Workers that share the models' work, each with the models in its memory: one for WebGPU. */
  threads: number;
  /** Without a cross-encoder where none was loaded. */
  models: { encoder: ModelInfo; crossEncoder?: ModelInfo };
}

/** Vectors, row after row. */
export interface Embeddings {
  /** `dims[0] * dims[1]` numbers, row-major. */
  data: Float32Array;
  /** Texts, dimensions. */
  dims: [number, number];
}

/** A query and a document. */
export type Pair = readonly [query: string, document: string];

/** A document's place in a reranking. */
export interface Reranked {
  /** Its place in the list that was given. */
  index: number;
  /** The cross-encoder's output. */
  logit: number;
  /** `1 / (1 + exp(-logit))`. */
  score: number;
}

/** A document that was found. */
export interface SearchHit {
  /** Its number among the documents, from 0. */
  document: number;
  /** Its id, or its number from 1 where there are no ids. */
  id: string;
  /** Its title alone, where there is one. */
  title?: string;
  /** What was encoded: title and text joined by one space. */
  text: string;
  /** Cosine. */
  score: number;
  /** The cross-encoder's output; there after a search with `rerank`. */
  logit?: number;
}

/** How the synthetic data set is made. */
export interface SynthesizeOptions extends Watch {
  /** Documents retrieved for each query. Default 100. */
  candidates?: number;
  /** How many of them, from the first, the cross-encoder scores, however long it takes. Default 20, or all if there are fewer. */
  depth?: number;
  /**
   * Seconds that scoring may take, counted from its start. While they last, candidates after the first `depth` are scored
   * too, of every query equally many, up to `candidates`. What is in the store of these takes no time and is taken in any
   * case, so the same call again goes on from there: a training may lie between. How deep it came is in the report; it
   * depends on the machine's speed. Default: none; `depth` are scored and no more.
   */
  budgetSeconds?: number;
  /**
   * How many documents BM25 adds for each query, to be scored as well: its best that are not among the first `depth`. For
   * words that the encoder does not know, such as part numbers. Default 0.
   */
  bm25?: number;
  /** Rows for each query are `relations - 1`. Default: as many relations as are scored. */
  relations?: number;
  /**
   * An earlier run's download (of `saveArtifact`), to go on from, for example every night with the day's log. Its queries
   * are joined to these, counts added, after them in number; pairs it has scores for are not scored again, if the
   * cross-encoder is the same; `documents` are the ones there are now. It has to be of the same encoder. The training is
   * on all queries, and the report compares its outcome with the earlier run's model.
   */
  previous?: Blob | Uint8Array;
}

/** The data set in figures. */
export interface RelationsSummary {
  queries: number;
  documents: number;
  rows: number;
  candidates: number;
  /** Pairs with a logit. */
  scored: number;
  /** Pairs of these that came from the store. */
  cached: number;
  logit: { mean: number; std: number; min: number; max: number };
  /** Logits in bins of equal width. */
  histogram: { from: number; to: number; counts: number[] };
}

/** One row of the data set: the query is nearer to `similar` than to `dissimilar`, by `margin` in logits. */
export interface RelationRow {
  query: string;
  similar: string;
  dissimilar: string;
  margin: number;
}

/** One candidate of a query. */
export interface CandidateRow {
  /** Its number among the documents, from 0. */
  document: number;
  /** Its id, or its number from 1 where there are no ids. */
  id: string;
  /** Its title alone, where there is one. */
  title?: string;
  /** What was scored: title and text joined by one space. */
  text: string;
  /** Of the base model's vectors of query and document. */
  cosine: number;
  /** Absent where the cross-encoder did not score it. */
  logit?: number;
}

/** The synthetic data set: each query with its candidates and the cross-encoder's logits. */
export interface Relations {
  /** The data set in figures. */
  summary(): RelationsSummary;
  /** Some rows, for display. */
  rows(from: number, count: number): Promise<RelationRow[]>;
  /** Some of the queries, the distinct ones in the order of their numbers. With `previous` the earlier ones are the last. */
  queries(from: number, count: number): Promise<TextItem[]>;
  /** The candidates of a query, by its number from 0, nearest first; those that only BM25 has found at the end. */
  candidates(query: number): Promise<CandidateRow[]>;
  /** Rows as CSV: query_id, query, similar_id, similar, dissimilar_id, dissimilar, margin. */
  toCsv(): Promise<string>;
  /** The file GPL trains on. */
  toGplTsv(): Promise<string>;
  /** The file FlagEmbedding trains on. */
  toJsonl(): Promise<string>;
  /** Every candidate: query-id, corpus-id, rank (among the query's candidates, from 1), cosine, logit. */
  toScoresTsv(): Promise<string>;
  /** Frees the memory. */
  dispose(): void;
}

/** Judgements to compare the rankings by. */
export interface JudgementsInput {
  /** A qrels file (query id, document id, relevance), its bytes, or what `readJudgements` gave. */
  qrels: Blob | Uint8Array | Judgements;
  /** The queries judged; by default the log's own. */
  queries?: TextsInput | Texts;
}

/** The linear layers of a transformer layer that LoRA may change; `dense` are all but the attention's three. */
export type LoraTarget = "query" | "key" | "value" | "dense";

/** What LoRA has beyond the other methods. */
export interface LoraOptions {
  /** Columns of B and rows of A (16). */
  rank?: number;
  /** The change of a layer is `alpha / rank * B A` (twice the rank). */
  alpha?: number;
  /** Which layers are changed (all of them). */
  targets?: readonly LoraTarget[];
  /** Whether documents go through the changed encoder too, and have to be indexed again (false). */
  documents?: boolean;
  /** Tokens that a text is cut at while training (128). */
  maxTokens?: number;
  /** Tokens, padding included, that are in memory with what their gradients need (2048). */
  microBatchTokens?: number;
}

/** How the adapter is trained: every constant, with the measured recipe's value as the default. */
export interface FitOptions extends Watch {
  /**
   * - `query-head` (the default): a matrix for the queries' vectors; documents keep theirs, nothing is indexed again.
   * - `head`: a matrix for either side; documents have to be indexed again.
   * - `lora`: low-rank changes of the encoder's own layers, for queries only unless `lora.documents` is set.
   */
  method?: "query-head" | "head" | "lora";
  /**
   * - `listwise` (the default): `klWeight * KL(softmax(teacher) || softmax(scale * cos)) + rankingWeight * MNRL`.
   * - `margin-mse`: `mean((marginScale * (cos+ - cos-) - (teacher+ - teacher-))^2)`.
   * - `mnrl`: `rankingWeight * MNRL`, the cross-encoder's best candidate before the other queries'.
   */
  loss?: "listwise" | "margin-mse" | "mnrl";
  /** Whether a query is seen once an epoch (`query`, the default) or as often as it was asked (`traffic`). */
  sampling?: "query" | "traffic";
  /** What shuffles and folds are drawn from (0). */
  seed?: number;
  /** Queries in a batch (64; 32 for fewer than 300 queries). */
  batchSize?: number;
  /** Passes over the queries (15; 30 for fewer than 300 queries; with LoRA 5 and 20). */
  epochs?: number;
  /** Highest learning rate (1e-3). */
  learningRate?: number;
  /** Share of the steps in which the learning rate rises (0.1). */
  warmup?: number;
  /** Share of the learning rate that its linear fall ends at, one step after the last (0.02). */
  finalLearningRate?: number;
  /** AdamW's first decay (0.9). */
  beta1?: number;
  /** AdamW's second decay (0.999). */
  beta2?: number;
  /** AdamW's epsilon (1e-8). */
  epsilon?: number;
  /** AdamW's weight decay (0). */
  weightDecay?: number;
  /** Factor of the cosines before the student's softmax (20). */
  scale?: number;
  /** Weight of the divergence from the teacher (1). */
  klWeight?: number;
  /** Weight of the ranking loss (1). */
  rankingWeight?: number;
  /** Weight of the query head's squared Frobenius norm (0.03). */
  ridge?: number;
  /** The same for the document head (0.1). */
  documentRidge?: number;
  /**
   * MarginMSE's factor of the cosines; fitted to the base model's margins by least squares if absent. Refused with another
   * loss.
   */
  marginScale?: number;
  /** `a` of the teacher `logit + a * cos` (0). */
  teacherCosine?: number;
  /** Groups of queries that are left out in turn to choose the step (5). */
  folds?: number;
  /** For the method `lora`; refused with another one. */
  lora?: LoraOptions;
  /**
   * To compare base, tuned and ceiling by, as `Run.evaluate` does. They are read before the training. If the comparison
   * fails after it, as when they name none of its queries or documents (`input-qrels`), the error has the trained run as
   * its property `run`.
   */
  judgements?: JudgementsInput;
}

/** The part of the options that the engine takes. */
export type Training = Omit<FitOptions, "judgements" | keyof Watch>;

/** What a stage took. */
export interface StageTime {
  seconds: number;
  items: number;
  perSecond: number;
}

/** Base, tuned and ceiling by one metric. */
export interface Comparison {
  base: number;
  tuned: number;
  /** The cross-encoder's own ranking. */
  ceiling: number | null;
  /** 95 % interval of `tuned - base`, from a bootstrap over queries. */
  ci95: [number, number];
  /** The same of `ceiling - base`; absent without a ceiling. */
  ceilingCi95?: [number, number];
  /** Of a paired randomisation test. */
  p: number;
  /** The same means with each query as often as it was asked; absent where all were asked equally often. */
  traffic?: { base: number; tuned: number; ceiling: number | null };
}

/** Metrics by trec_eval's definitions. */
export type JudgedMetrics = Partial<Record<"ndcg@10" | "mrr@10" | "map@100" | "recall@100", Comparison>>;

/** Judged figures of some of the log's queries. */
export interface Figure extends JudgedMetrics {
  /** How many they are. */
  queries: number;
}

/**
 * What to expect of the log's queries, of others and of new documents, by judgements of the log's own queries. Those
 * that cannot be had are absent.
 */
export interface Figures {
  /** Trained on, as most of tomorrow's queries will have been. */
  ownQueries?: Figure;
  /** Left out of training at random: queries like the log's. */
  similarQueries?: Figure;
  /** Left out of training together with all that share their best document. */
  newQueries?: Figure;
  /** Trained with candidates from one half of the documents, ranked on the other. */
  newDocuments?: Figure;
}

/** Agreement with the cross-encoder on queries left out of training. */
export interface Agreement {
  base: number;
  tuned: number;
  /** Of the mean of tuned minus base over queries. */
  standardError: number;
  /** 95 % confidence interval of that mean, by bootstrap over queries. */
  ci95: [number, number];
  /** Number of queries it was measured on. */
  queries: number;
  /** Groups of queries that were left out in turn. */
  folds: number;
  /** Whether only the queries' scored candidates were ranked: such figures are higher than others. Absent if not. */
  pooled?: boolean;
  /** The same with each query as often as it was asked; absent where all were asked equally often. */
  traffic?: { base: number; tuned: number };
}

/** A step of the training curve. */
export interface HistoryEntry {
  /** Steps taken; 0 is the base model. */
  step: number;
  /** Of the batch that follows; absent after the last. */
  loss?: number | null;
  /** Agreement on queries left out; absent where it was not measured. */
  heldOut?: number | null;
}

/** What is new since an earlier run, and how the model it delivered compares with this run's. */
export interface SincePrevious {
  /** Distinct queries and documents of the earlier run. */
  queries: number;
  documents: number;
  /** Those of this run that it did not have. */
  newQueries: number;
  newDocuments: number;
  /** Pairs whose score was taken over. */
  scores: number;
  /** Which model it delivered; this is `previous` in the figures. */
  delivered: "tuned" | "base";
  /**
   * Agreement with the cross-encoder on queries that are new, where this run's training had left them out at random; null
   * if there are none. Not quality.
   */
  agreement: {
    queries: number;
    base: number;
    previous: number;
    tuned: number;
    /** Of the mean of tuned minus previous over queries. */
    standardError: number;
    /** 95 % confidence interval of that mean, by bootstrap over queries. */
    ci95: [number, number];
  } | null;
  /** By judgements, where they were given; `ci95` is of tuned minus previous. */
  judged?: Partial<Record<keyof JudgedMetrics, { previous: number; tuned: number; ci95: [number, number]; p: number }>>;
}

/** Figures of queries one by one: agreement with the cross-encoder while left out, or by judgements. */
export type PerQueryKind = "agreement" | "judged";

/** The whole account of a job, as `report.json` holds it. */
export interface Report {
  version: string;
  device: EngineInfo["device"];
  models: Required<EngineInfo["models"]>;
  data: {
    queries: number;
    documents: number;
    duplicates: number;
    skippedTotal: number;
    /** At most 1,000 rows of each file. */
    skipped: Skipped[];
    readings: { queries: Reading; documents: Reading };
  };
  stages: {
    encode: StageTime;
    search: StageTime;
    /** `budgetSeconds` is what was given; null where nothing was. */
    score: StageTime & { pairs: number; cached: number; budgetSeconds: number | null };
    tune: StageTime;
    evaluate: StageTime;
  };
  relations: {
    queries: number;
    rows: number;
    candidates: number;
    /** How many of each query's candidates, from the first, are scored: as deep as the time allowed, where one was given. */
    depth: number;
    /** How many documents of BM25's are scored besides. */
    bm25: number;
    logit: { mean: number; std: number; min: number; max: number };
  };
  fit: {
    method: string;
    /** Every constant of the recipe. */
    recipe: Record<string, unknown>;
    steps: number;
    /** What is delivered; step 0 is the base model. */
    selected: { step: number; strength: number };
    /** Where the trained head was taken, delivered or not. */
    trainedStep: number;
    history: HistoryEntry[];
    /** Which model is in the artifact. */
    delivered: "tuned" | "base";
    /**
     * What that was decided by: agreement on queries left out; or judgements, or answers of quick judging, that show
     * the tuned model to be worse.
     */
    decidedBy: "agreement" | "judgements" | "judging";
    /** Why. */
    reason: string;
    /** Whether the log is so small (under 200 queries) that the result is an experiment as to new queries. */
    experimental: boolean;
    warnings: string[];
  };
  evaluation: {
    /**
     * nDCG@10 against the cross-encoder's own opinion, on queries left out of training: left out at random, or so
     * that queries with the same top document stay together. Agreement, not quality.
     */
    agreement: { meaning: string; random: Agreement | null; grouped: Agreement | null };
    /** There when judgements were given. */
    judged?: JudgedMetrics;
    /** Judged figures of the log's own queries, as far as they are judged. */
    figures?: Figures;
    /** Number of queries judged; ids with the same text are one. */
    queries?: number;
    on?: "own queries" | "test queries";
    /** Judged test queries whose text is in the log, too. */
    trainedOn?: number;
    /** Judged queries that are not among the queries. */
    missingQueries?: number;
    /** Judged documents that are not among the documents. */
    missingDocuments?: number;
  };
  /** There when the run went on from an earlier one. */
  previous?: SincePrevious;
  /** The last verdict of quick judging; there when one was asked for. */
  judging?: JudgingVerdict;
}

/** How many results. */
export interface SearchOptions extends Watch {
  /** A whole number from 1. Default 10. */
  topK?: number;
}

/** How an index is searched. */
export interface IndexSearchOptions extends SearchOptions {
  /**
   * Whether the documents that are found, `topK` of them, are put in the order of the cross-encoder's logit; hits have it as
   * `logit`. Of indexes of a tuner with a cross-encoder, and of its runs. Default false.
   */
  rerank?: boolean;
}

/** How documents are reranked. */
export interface RerankOptions extends Watch {
  /** How many are kept, from the best: a whole number from 1. Default: all. */
  topK?: number;
}

/** A file of a trained adapter. */
export interface AdapterFile {
  name: string;
  bytes: Uint8Array;
}

/** A trained adapter with its report. */
export interface Run {
  /** The account of the job; judged figures are added to it by `evaluate` and by `judging`'s verdict. */
  readonly report: Report;
  /** The job's documents, ranked for a query by the base and by the tuned model. */
  search(query: string, options?: SearchOptions): Promise<{ base: SearchHit[]; tuned: SearchHit[] }>;
  /** Compares base, tuned and ceiling by judgements. */
  evaluate(judgements: JudgementsInput, watch?: Watch): Promise<Report>;
  /** A zip: a folder that sentence-transformers loads, the adapter, the data set, the report, a model card. */
  saveArtifact(watch?: Watch): Promise<Blob>;
  /** The adapter's weights, as safetensors: the query head, or LoRA's matrices. */
  adapter(): Promise<Uint8Array>;
  /**
   * All files of the adapter: `query_head.safetensors`, with the method `head` also `document_head.safetensors`; with
   * LoRA PEFT's `adapter_config.json` and `adapter_model.safetensors`.
   */
  adapterFiles(): Promise<AdapterFile[]>;
  /**
   * Each query's figures as CSV, the largest gain first. `agreement`: `query-id`, `query`, `count`, and agreement with the
   * cross-encoder by base and tuned while the query was left out of training. `judged`, after `evaluate`: nDCG@10, MRR@10,
   * MAP@100 and recall@100 by base, tuned and ceiling.
   */
  perQueryCsv(kind: PerQueryKind): Promise<string>;
  /** Searches other documents with the tuned model. */
  index(documents: TextsInput | Texts, watch?: Watch): Promise<Index>;
  /**
   * Quick judging: ranks the log's own queries by base model, tuned model and cross-encoder, and chooses the few
   * documents whose relevance tells them apart. A person's answers decide where there are no judgements.
   */
  judging(options?: JudgingOptions): Promise<Judging>;
  /** Frees the memory. */
  dispose(): void;
}

/** Documents ready to be searched. */
export interface Index {
  /** Number of documents. */
  readonly length: number;
  /** The documents nearest to the query, best first. */
  search(query: string, options?: IndexSearchOptions): Promise<SearchHit[]>;
  /** Frees the memory. */
  dispose(): void;
}

/** What can be done before any model is there. */
export interface Reader {
  /** Reads queries: a log, one a row. `options` are for files and bytes. */
  readQueries(queries: TextsInput, options?: ReadCall): Promise<Texts>;
  /** Reads documents. `options` are for files and bytes. */
  readDocuments(documents: TextsInput, options?: ReadCall): Promise<Texts>;
  /** Reads judgements (qrels). */
  readJudgements(qrels: Blob | Uint8Array, options?: JudgementsCall): Promise<Judgements>;
}

/** How texts are embedded, and what watches it. */
export interface EmbedOptions extends Watch {
  /**
   * What the texts are, `"document"` by default. It makes a difference with encoders that put a prompt of their own
   * before queries or documents; the default encoder has none.
   */
  kind?: "query" | "document";
}

/**
 * Two models on a device, or the encoder alone: then `score`, `rerank`, `synthesize` and `fit` are refused with the code
 * `option`. Calls may overlap: they run one after the other.
 */
export interface Tuner extends Reader {
  /** The models, and the device that they run on with the reason why. */
  readonly info: EngineInfo;
  /** Vectors of texts, of length 1, by the base encoder: of documents, unless `kind` says that they are queries. */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Embeddings>;
  /** The cross-encoder's logit of each pair, in their order: for many queries at once. They are not kept in the store. */
  score(pairs: readonly Pair[], watch?: Watch): Promise<Float32Array>;
  /** Documents by the cross-encoder's logit for the query, best first. */
  rerank(query: string, documents: readonly string[], options?: RerankOptions): Promise<Reranked[]>;
  /** Retrieves candidates for each query, scores them, and makes the data set. */
  synthesize(
    queries: TextsInput | Texts,
    documents: TextsInput | Texts,
    options?: SynthesizeOptions,
  ): Promise<Relations>;
  /** Trains the adapter and compares it with the base model. */
  fit(relations: Relations, options?: FitOptions): Promise<Run>;
  /** Searches documents with the base model. */
  index(documents: TextsInput | Texts, watch?: Watch): Promise<Index>;
  /** Frees the models; calls under way are rejected where the tuner owns its worker. */
  dispose(): void;
}

/** The engine, before any model is there. */
export interface Session extends Reader {
  /** Loads two models. Several tuners may share a session; they run one call at a time. */
  load(options?: LoadOptions): Promise<Tuner>;
  /** Loads the model of a download, the zip of a run's `saveArtifact`. */
  loadArtifact(zip: Blob | Uint8Array, options?: ArtifactOptions): Promise<TunedModel>;
  /** Ends the session and all that belongs to it; pending calls are rejected. */
  dispose(): void;
}
