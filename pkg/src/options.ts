/** The names of options. The engine passes over those that it does not know: a misspelt one would be the default. */

import { QuerytuneError } from "./errors.js";
import type { JudgingOptions } from "./judging.js";
import { LORA, type Names, TRAINING } from "./training-names.js";
import type { ReadOptions, SynthesizeOptions, Training } from "./types.js";

const READING: Names<Required<ReadOptions>> = {
  format: true,
  delimiter: true,
  encoding: true,
  hasHeader: true,
  quotes: true,
  idColumn: true,
  titleColumn: true,
  textColumn: true,
  countColumn: true,
};

const SYNTHESIZING: Names<Required<Omit<SynthesizeOptions, "previous">>> = {
  candidates: true,
  depth: true,
  budgetSeconds: true,
  bm25: true,
  relations: true,
};

const JUDGING: Names<Required<JudgingOptions>> = { queries: true, documents: true, seed: true };

/** The options that are given: the engine takes an `undefined` for a value of the wrong type. */
export function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function known<T extends object>(options: T, names: Record<string, true>, within = ""): T {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const all = Object.keys(names).join(", ");
    throw new QuerytuneError("option", `There is no option ${within}${name}; there are ${all}.`);
  }
  return given(options);
}

export const readOptions = (options: ReadOptions) => known(options, READING);
export const synthesizeOptions = (options: Omit<SynthesizeOptions, "previous">) => known(options, SYNTHESIZING);
export const judgingOptions = (options: JudgingOptions) => known(options, JUDGING);

export function trainingOptions(options: Training): Training {
  if (options.lora) known(options.lora, LORA, "lora.");
  return known(options, TRAINING);
}
