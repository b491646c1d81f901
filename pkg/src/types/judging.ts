/** Quick judging: a person's answers in the place of judgements. */

import type { Watch } from "./watch.js";

/** How much a person is asked. */
export interface JudgingOptions extends Watch {
  /** Most queries. Default 50. */
  queries?: number;
  /** Most documents of one query. Default 6. */
  documents?: number;
  /** What queries and orders are drawn from. Default 0. */
  seed?: number;
}

/** Whether a document answers a query: 0 no, 1 somewhat, 2 yes. */
export type Relevance = 0 | 1 | 2;

/** A query with the documents that are to be judged for it. */
export interface JudgingItem {
  /** The query's number. */
  query: number;
  /** The query. */
  text: string;
  /** In random order: nothing tells which ranking found one. */
  documents: {
    /** The document's number. */
    document: number;
    id: string;
    title?: string;
    /** Title and text joined by one space. */
    text: string;
  }[];
}

/** One answer. */
export interface JudgingAnswer {
  /** The query's number. */
  query: number;
  /** The document's number. */
  document: number;
  /** `null` where the person would not say. */
  relevance: Relevance | null;
}

/** A difference of nDCG@10. */
export interface JudgingEstimate {
  /** Its mean over queries, above 0 where the base model is worse. */
  difference: number;
  /** 95 % interval of the mean, from a bootstrap over queries. */
  ci95: [number, number];
}

/** One ranking against the base model's. */
export interface JudgingComparison {
  /** The difference on the queries of the figures. */
  judged: JudgingEstimate;
  /** An estimate of what that makes over all queries of the log, most of which may be ranked alike. */
  all: JudgingEstimate;
  /** Of a paired randomisation test. */
  p: number;
  /** By p < 0.05; no difference shown is not the same as none. */
  conclusion: "better" | "no-difference-shown" | "worse";
  /** The same in words. */
  sentence: string;
}

/**
 * Base model, tuned model and cross-encoder held against a person's answers, on queries of the log. The tuned model was
 * trained on these very queries: the figures say whether one's own log is ranked better, not what becomes of other
 * queries.
 */
export interface JudgingVerdict {
  /** Queries the figures are over: all documents answered, at least one of them relevant. */
  queries: number;
  /** Queries answered in full without a relevant document; they tell nothing. */
  noneRelevant: number;
  /** Queries left out because of a pair that the person would not judge. */
  skipped: number;
  /** Queries left out because an answer is still missing. */
  open: number;
  /** Means. Documents that nobody was asked about count as not relevant, for all three alike. */
  "ndcg@10": { base: number; tuned: number; crossEncoder: number };
  tuned: JudgingComparison;
  crossEncoder: JudgingComparison;
  /** What the figures say and what they do not, in words. */
  about: string;
}

/**
 * Questions about a run's log, chosen so that the answers tell base model, tuned model and cross-encoder apart. The same
 * run with the same options has the same questions.
 */
export interface Judging {
  /** In random order, so that the first few are a random sample too; none where all rankings are the same. */
  readonly items: readonly JudgingItem[];
  /** Answers to these questions, those of earlier sessions included: they are found by the texts. */
  answers(): Promise<JudgingAnswer[]>;
  /**
   * Keeps an answer, in the place of an earlier one; `null` where the person would not say. It is in the store when the
   * promise resolves. Where it finds no room there, the promise is rejected (`store`); the verdict counts it all the same.
   */
  answer(query: number, document: number, relevance: Relevance | null): Promise<void>;
  /**
   * What the answers come to. From then on the run's report has it, as `judging`: if the tuned model is shown to be
   * worse, the base model is what is delivered. Ask again after more answers.
   */
  verdict(): Promise<JudgingVerdict>;
  /** All answers about the run's log as a file of judgements, which `readJudgements` takes. */
  toQrels(): Promise<string>;
  /** Frees the memory; answers stay in the store. */
  dispose(): void;
}
