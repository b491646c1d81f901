/** What a training gives. */

import type { JudgementsInput } from "./judgements.js";
import type { Judging, JudgingOptions } from "./judging.js";
import type { Report } from "./report.js";
import type { Index, SearchHit, SearchOptions } from "./search.js";
import type { Texts, TextsInput } from "./texts.js";
import type { Watch } from "./watch.js";

/** A file of a trained adapter. */
export interface AdapterFile {
  name: string;
  bytes: Uint8Array;
}

/** Figures of queries one by one: agreement with the cross-encoder while left out, or by judgements. */
export type PerQueryKind = "agreement" | "judged";

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
