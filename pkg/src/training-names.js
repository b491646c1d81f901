/**
 * The names of the training's options. The package refuses others, and so does the command, which asks here before
 * anything is scored. It runs as it is, in a clone without a build too: that is why this is JavaScript.
 *
 * @import { LoraOptions, Training, Watch } from "./types.js"
 */

/**
 * Every name that a type has, but for what watches a call: the compiler holds it complete.
 *
 * @template T
 * @typedef {Record<Exclude<keyof T, keyof Watch>, true>} Names
 */

/** @type {Names<Required<Training>>} */
export const TRAINING = {
  method: true,
  loss: true,
  sampling: true,
  seed: true,
  batchSize: true,
  epochs: true,
  learningRate: true,
  warmup: true,
  finalLearningRate: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  weightDecay: true,
  scale: true,
  klWeight: true,
  rankingWeight: true,
  ridge: true,
  documentRidge: true,
  marginScale: true,
  teacherCosine: true,
  folds: true,
  lora: true,
};

/** @type {Names<Required<LoraOptions>>} */
export const LORA = {
  rank: true,
  alpha: true,
  targets: true,
  documents: true,
  maxTokens: true,
  microBatchTokens: true,
};
