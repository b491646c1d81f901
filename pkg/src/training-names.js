/**
 * The names of the training's options, and what their numbers are. The package refuses others, and so does the command,
 * which asks here before anything is scored. It runs as it is, in a clone without a build too: that is why this is
 * JavaScript.
 *
 * @import { LoraOptions, Training, Watch } from "./types.js"
 */

/**
 * What an option is: a number of things, a number that randomness starts from, any finite number, or something else, which
 * the engine names itself where it is wrong.
 *
 * @typedef {"count" | "seed" | "number" | "other"} Kind
 */

/**
 * Every name that a type has, but for what watches a call: the compiler holds it complete.
 *
 * @template T
 * @typedef {{ [Name in Exclude<keyof T, keyof Watch>]: T[Name] extends number ? Exclude<Kind, "other"> : "other" }} Names
 */

/** @type {Names<Required<Training>>} */
export const TRAINING = {
  method: "other",
  loss: "other",
  sampling: "other",
  seed: "seed",
  batchSize: "count",
  epochs: "count",
  learningRate: "number",
  warmup: "number",
  finalLearningRate: "number",
  beta1: "number",
  beta2: "number",
  epsilon: "number",
  weightDecay: "number",
  scale: "number",
  klWeight: "number",
  rankingWeight: "number",
  ridge: "number",
  documentRidge: "number",
  marginScale: "number",
  teacherCosine: "number",
  folds: "count",
  lora: "other",
};

/** @type {Names<Required<LoraOptions>>} */
export const LORA = {
  rank: "count",
  alpha: "number",
  targets: "other",
  documents: "other",
  maxTokens: "count",
  microBatchTokens: "count",
};
