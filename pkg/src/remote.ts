/** What crosses between the main thread and the worker: the worker's functions, and errors with their code. */

import * as Comlink from "comlink";
import { type ErrorData, fromData, toData } from "./errors.js";
import type { TunerModels } from "./models.js";
import type { ArtifactService } from "./remote-artifact.js";
import type { JudgingService } from "./remote-judging.js";
import type {
  AdapterFile,
  CandidateRow,
  DeviceChoice,
  Dtype,
  DtypeChoice,
  Embeddings,
  EmbedOptions,
  EngineInfo,
  JudgementsCoverage,
  JudgementsReading,
  JudgementsSummary,
  Pair,
  PerQueryKind,
  Progress,
  Reading,
  ReadJudgementsOptions,
  ReadOptions,
  RelationRow,
  RelationsSummary,
  Report,
  Reranked,
  SearchHit,
  Store,
  SynthesizeOptions,
  TextItem,
  TextsInput,
  Training,
} from "./types.js";
import type { Work } from "./wasm/querytune.js";

/** The number under which the worker keeps an object. */
export type Id = number;

/** Texts in the worker, or still to be read there. */
export type RemoteTexts = { id: Id } | { input: TextsInput };

export interface RemoteJudgements {
  qrels: { id: Id } | { input: Blob | Uint8Array };
  queries?: RemoteTexts;
}

/**
 * What the worker tells without being asked. It goes the same way as comlink's answers, so that a call's last
 * progress comes before its result.
 */
export type Notice = { notice: "progress"; call: number; progress: Progress } | { notice: "warning"; message: string };

/** Where and how models run. */
export interface Choice {
  device?: DeviceChoice;
  dtype?: DtypeChoice;
  threads?: number;
}

/** What every member loads. */
export interface Equipment {
  module: WebAssembly.Module;
  models: TunerModels;
  dtype: Dtype;
}

/** What a worker does that helps another one. */
export interface MemberService {
  enlist(equipment: Equipment): Promise<void>;
  cancel(call: number): void;
  work(call: number, work: Work, texts: readonly string[]): Promise<Float32Array>;
}

/** How the worker's engine is started. */
export interface Opening {
  wasm?: string | BufferSource | WebAssembly.Module;
  store?: "indexeddb" | "memory";
}

/**
 * The worker's functions. `call` numbers a long call: its progress is told under that number, and `cancel` stops
 * it.
 */
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

/** Comlink's own handler keeps only an error's message. */
export function carryErrors(): void {
  const thrown = Comlink.transferHandlers.get("throw");
  if (!thrown) return;
  Comlink.transferHandlers.set("throw", {
    canHandle: thrown.canHandle,
    serialize: ({ value }: { value: unknown }): [ErrorData, Transferable[]] => [toData(value), []],
    deserialize: (data: ErrorData) => {
      throw fromData(data);
    },
  } as Comlink.TransferHandler<{ value: unknown }, ErrorData>);
}
