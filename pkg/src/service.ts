/** What is asked of a worker. `call` numbers a long call: its progress is told under that number, and `cancel` stops it. */

import type { Equipment, Id, Opening, RemoteJudgements, RemoteTexts } from "./crossing.js";
import type { ErrorData } from "./errors.js";
import type { Choice, ModelFiles, TunerModels } from "./models.js";
import type {
  AdapterFile,
  ArtifactModel,
  CandidateRow,
  Embeddings,
  EmbedOptions,
  EngineInfo,
  JudgementsCoverage,
  JudgementsReading,
  JudgementsSummary,
  JudgingAnswer,
  JudgingItem,
  JudgingOptions,
  JudgingVerdict,
  Pair,
  PerQueryKind,
  Reading,
  ReadJudgementsOptions,
  ReadOptions,
  RelationRow,
  RelationsSummary,
  Relevance,
  Report,
  Reranked,
  SearchHit,
  Store,
  SynthesizeOptions,
  TextItem,
  TextsInput,
  Training,
  Watch,
} from "./types.js";
import type { Work } from "./wasm/querytune.js";

/** What a worker does that helps another one. */
export interface MemberService {
  enlist(equipment: Equipment): Promise<void>;
  cancel(call: number): void;
  work(call: number, work: Work, texts: readonly string[]): Promise<Float32Array>;
  /** Loads the encoder once more, so that gradients can be followed through it. */
  study(encoder: ModelFiles): Promise<void>;
  /** Does a part of a training step. */
  learn(call: number, lesson: Uint8Array): Promise<Float32Array>;
  /** Frees what `study` has loaded. */
  forget(): void;
}

/** What the worker does for quick judging. */
export interface JudgingService {
  judging(
    call: number,
    run: Id,
    options: Omit<JudgingOptions, keyof Watch>,
  ): Promise<{ id: Id; items: readonly JudgingItem[] }>;
  judgingAnswers(id: Id): Promise<JudgingAnswer[]>;
  judgingAnswer(id: Id, query: number, document: number, relevance: Relevance | null): Promise<void>;
  judgingVerdict(id: Id): Promise<{ verdict: JudgingVerdict; report: Report }>;
  judgingToQrels(id: Id): Promise<string>;
}

/** A model as the worker has loaded it. */
export interface LoadedArtifact {
  id: Id;
  info: EngineInfo;
  report: Report;
  isTuned: boolean;
}

/** What the worker does for a download that is used again. */
export interface ArtifactService {
  loadArtifact(call: number, zip: Blob | Uint8Array, choice: Choice): Promise<LoadedArtifact>;
  embedTuned(
    call: number,
    id: Id,
    side: "embedQueries" | "embedDocuments",
    texts: readonly string[],
    model: ArtifactModel | undefined,
  ): Promise<Embeddings>;
  indexTuned(
    call: number,
    id: Id,
    documents: RemoteTexts,
    model: ArtifactModel | undefined,
  ): Promise<{ id: Id; length: number }>;
}

/** All that the worker does. */
export interface Service extends JudgingService, ArtifactService {
  open(opening: Opening, store?: Store): Promise<void>;
  cancel(call: number): void;
  dispose(id: Id): void;
  readTexts(
    call: number,
    role: "queries" | "documents",
    input: TextsInput,
    options: ReadOptions & { file?: string },
  ): Promise<{ id: Id; reading: Reading; length: number }>;
  readJudgements(
    call: number,
    qrels: Blob | Uint8Array,
    options: ReadJudgementsOptions & { file?: string },
  ): Promise<{ id: Id; reading: JudgementsReading; summary: JudgementsSummary }>;
  coverage(qrels: Id, queries: Id, documents: Id): Promise<JudgementsCoverage>;
  items(texts: Id, from: number, count: number): Promise<TextItem[]>;
  load(call: number, models: TunerModels, choice: Choice): Promise<{ id: Id; info: EngineInfo }>;
  embed(call: number, tuner: Id, texts: readonly string[], kind: EmbedOptions["kind"]): Promise<Embeddings>;
  score(call: number, tuner: Id, pairs: readonly Pair[]): Promise<Float32Array>;
  rerank(
    call: number,
    tuner: Id,
    query: string,
    documents: readonly string[],
    topK: number | undefined,
  ): Promise<Reranked[]>;
  synthesize(
    call: number,
    tuner: Id,
    queries: RemoteTexts,
    documents: RemoteTexts,
    options: Omit<SynthesizeOptions, "onProgress" | "signal">,
  ): Promise<{ id: Id; summary: RelationsSummary }>;
  rows(relations: Id, from: number, count: number): Promise<RelationRow[]>;
  queries(relations: Id, from: number, count: number): Promise<TextItem[]>;
  candidates(relations: Id, query: number): Promise<CandidateRow[]>;
  export(relations: Id, format: "toCsv" | "toGplTsv" | "toJsonl" | "toScoresTsv"): Promise<string>;
  fit(
    call: number,
    tuner: Id,
    relations: Id,
    options: Training,
    judgements: RemoteJudgements | undefined,
  ): Promise<{ id: Id; report: Report; unjudged?: ErrorData }>;
  evaluate(call: number, run: Id, judgements: RemoteJudgements): Promise<Report>;
  search(
    call: number,
    run: Id,
    query: string,
    topK: number | undefined,
  ): Promise<{ base: SearchHit[]; tuned: SearchHit[] }>;
  artifact(call: number, run: Id): Promise<Uint8Array>;
  adapter(run: Id): Promise<Uint8Array>;
  adapterFiles(run: Id): Promise<AdapterFile[]>;
  perQueryCsv(run: Id, kind: PerQueryKind): Promise<string>;
  index(call: number, of: Id, documents: RemoteTexts): Promise<{ id: Id; length: number }>;
  searchIndex(
    call: number,
    index: Id,
    query: string,
    topK: number | undefined,
    rerank: boolean | undefined,
  ): Promise<SearchHit[]>;
}
