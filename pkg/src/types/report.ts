/** The account of a job. Sizes and units are given where they are not obvious; times are in seconds. */

import type { EngineInfo } from "./device.js";
import type { JudgingVerdict } from "./judging.js";
import type { Reading, Skipped } from "./texts.js";

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
