/** The options of a training. */

import type { JudgementsInput } from "./judgements.js";
import type { Watch } from "./watch.js";

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
