// The surface of the generated module dist/wasm/querytune.js (src/wasm in the engine). Only this package sees it.
// Every value it throws is an Error with `code` and, for input files, `position`.
import type {
  AdapterFile,
  ArtifactModel,
  CandidateRow,
  DeviceChoice,
  DtypeChoice,
  Embeddings,
  EngineInfo,
  InputItem,
  JudgementsCoverage,
  JudgementsReading,
  JudgementsSummary,
  JudgingAnswer,
  JudgingItem,
  JudgingOptions,
  JudgingVerdict,
  PerQueryKind,
  Reading,
  ReadJudgementsOptions,
  ReadOptions,
  RelationRow,
  RelationsSummary,
  Relevance,
  Report,
  SearchHit,
  StageProgress,
  SynthesizeOptions,
  TextItem,
  Training,
  Watch,
} from "../types.js";

declare function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;
export default init;

export type Role = "queries" | "documents";

export interface Host {
  progress(progress: StageProgress): void;
  cancelled(): boolean;
  pause(): Promise<void>;
  store?: {
    count(log: string): Promise<number>;
    read(log: string, chunk: number): Promise<Uint8Array>;
    append(log: string, bytes: Uint8Array): Promise<void>;
  };
  crew?: {
    readonly size: number;
    run(work: Work, texts: readonly string[]): Promise<Float32Array>;
    /** Numbers of those that can help a training. */
    readonly learners: readonly number[];
    /** `learner`: one of those, or whoever has least to do. The bytes are the receiver's. */
    learn(learner: number | undefined, lesson: Uint8Array<ArrayBuffer>): Promise<Float32Array>;
  };
}

/** The vector of each text, or the logit of each pair (query, document, query, and so on). */
export type Work = "encode-queries" | "encode-documents" | "score";

export interface ModelFiles {
  id: string;
  files: Record<string, Uint8Array>;
  /** In hexadecimal, of files whose hash is known; of others the engine computes it, far slower. */
  sha256?: Record<string, string>;
}

export class Texts {
  private constructor();
  static read(bytes: Uint8Array, file: string, role: Role, options: ReadOptions, host: Host): Promise<Texts>;
  static fromItems(items: readonly InputItem[], role: Role, host: Host): Promise<Texts>;
  reading(): Reading;
  items(from: number, count: number): TextItem[];
  readonly length: number;
  free(): void;
}

export class Qrels {
  private constructor();
  static read(bytes: Uint8Array, file: string, options: ReadJudgementsOptions, host: Host): Promise<Qrels>;
  reading(): JudgementsReading;
  summary(): JudgementsSummary;
  coverage(queries: Texts, documents: Texts): JudgementsCoverage;
  free(): void;
}

/** An encoder that helps another thread's training. */
export class Learner {
  private constructor();
  static load(encoder: ModelFiles, host: Host): Promise<Learner>;
  learn(lesson: Uint8Array, host: Host): Promise<Float32Array>;
  free(): void;
}

export class Tuner {
  private constructor();
  static load(
    encoder: ModelFiles,
    crossEncoder: ModelFiles | undefined,
    options: { device?: DeviceChoice; dtype?: DtypeChoice; threads?: number },
    host: Host,
  ): Promise<Tuner>;
  work(work: Work, texts: readonly string[], host: Host): Promise<Float32Array>;
  info(): Omit<EngineInfo, "threads">;
  embed(
    texts: readonly string[],
    kind: "query" | "document",
    host: Host,
  ): Promise<{ data: Float32Array; dims: [number, number] }>;
  /** The logit of each pair (query, document, query, and so on). */
  score(texts: readonly string[], host: Host): Promise<Float32Array>;
  synthesize(
    queries: Texts,
    documents: Texts,
    options: Omit<SynthesizeOptions, keyof Watch | "previous">,
    previous: Uint8Array | undefined,
    host: Host,
  ): Promise<Relations>;
  /** `encoder`: the encoder's files, which LoRA needs, and earlier runs with LoRA, here and below. */
  fit(relations: Relations, options: Training, encoder: ModelFiles | undefined, host: Host): Promise<Fit>;
  /** The verdict is in the fit's report from then on. */
  evaluate(fit: Fit, qrels: Qrels, encoder: ModelFiles | undefined, host: Host): Promise<unknown>;
  evaluateOn(fit: Fit, qrels: Qrels, queries: Texts, encoder: ModelFiles | undefined, host: Host): Promise<unknown>;
  search(fit: Fit, query: string, topK: number, host: Host): Promise<{ base: SearchHit[]; tuned: SearchHit[] }>;
  index(documents: Texts, host: Host): Promise<Index>;
  indexTuned(documents: Texts, fit: Fit, host: Host): Promise<Index>;
  free(): void;
}

export class Relations {
  private constructor();
  /** Whether the model of the run they go on from takes the encoder's files to be compared with. */
  needsEncoder(): boolean;
  summary(): RelationsSummary;
  rows(from: number, count: number): RelationRow[];
  queries(from: number, count: number): TextItem[];
  candidates(query: number): CandidateRow[];
  toCsv(): string;
  toGplTsv(): string;
  toJsonl(): string;
  toScoresTsv(): string;
  free(): void;
}

export class Fit {
  private constructor();
  report(): Report;
  adapter(): Uint8Array;
  adapterFiles(): AdapterFile[];
  perQueryCsv(kind: PerQueryKind): string;
  artifact(encoder: ModelFiles, host: Host): Promise<Uint8Array>;
  judging(options: Omit<JudgingOptions, keyof Watch>, host: Host): Promise<Judging>;
  free(): void;
}

export class Judging {
  private constructor();
  items(): JudgingItem[];
  answers(): JudgingAnswer[];
  answer(query: number, document: number, relevance: Relevance | null, host: Host): Promise<void>;
  /** It is in the fit's report from then on. */
  verdict(): JudgingVerdict;
  report(): Report;
  toQrels(): string;
  free(): void;
}

export class Index {
  private constructor();
  search(query: string, topK: number, host: Host): Promise<SearchHit[]>;
  readonly length: number;
  free(): void;
}

export interface ArtifactChoice {
  model?: ArtifactModel;
}

export class Unpacked {
  private constructor();
  static read(zip: Uint8Array): Unpacked;
  /** The encoder that documents go through, copied. */
  encoder(): ModelFiles;
  free(): void;
}

export class TunedModel {
  private constructor();
  /** What was unpacked is used up by it. `hashes`: SHA-256 of the encoder's files, as of `ModelFiles`. */
  static load(
    unpacked: Unpacked,
    hashes: Record<string, string> | undefined,
    options: { device?: DeviceChoice; dtype?: DtypeChoice; threads?: number },
    host: Host,
  ): Promise<TunedModel>;
  info(): Omit<EngineInfo, "threads">;
  report(): Report;
  readonly isTuned: boolean;
  embedQueries(texts: readonly string[], choice: ArtifactChoice, host: Host): Promise<Embeddings>;
  embedDocuments(texts: readonly string[], choice: ArtifactChoice, host: Host): Promise<Embeddings>;
  index(documents: Texts, choice: ArtifactChoice, host: Host): Promise<Index>;
  free(): void;
}
