/**
 * The names of options, and what their numbers have to be. The engine passes over names that it does not know, so that a
 * misspelt one would be the default, and says of a number that it cannot take what it is, and not whose.
 */

import { QuerytuneError } from "./errors.js";
import { type Kind, LORA, type Names, TRAINING } from "./training-names.js";
import type { JudgingOptions, ReadJudgementsOptions, ReadOptions, SynthesizeOptions, Training } from "./types.js";

const READING: Names<Required<ReadOptions>> = {
  format: "other",
  delimiter: "other",
  encoding: "other",
  hasHeader: "other",
  quotes: "other",
  idColumn: "other",
  titleColumn: "other",
  textColumn: "other",
  countColumn: "other",
};

const READING_JUDGEMENTS: Names<Required<ReadJudgementsOptions>> = {
  delimiter: "other",
  encoding: "other",
  hasHeader: "other",
  quotes: "other",
  queryColumn: "other",
  documentColumn: "other",
  relevanceColumn: "other",
};

const SYNTHESIZING: Names<Required<Omit<SynthesizeOptions, "previous">>> = {
  candidates: "count",
  depth: "count",
  budgetSeconds: "number",
  bm25: "count",
  relations: "count",
};

const JUDGING: Names<Required<JudgingOptions>> = { queries: "count", documents: "count", seed: "seed" };

/** The options that are given: the engine takes an `undefined` for a value of the wrong type. */
export function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** The largest numbers that the engine takes. */
const MOST = { count: 2 ** 32 - 1, seed: Number.MAX_SAFE_INTEGER };

function wrong(name: string, expected: string, value: unknown): QuerytuneError {
  const given = typeof value === "string" ? JSON.stringify(value) : String(value);
  return new QuerytuneError("option", `${name} has to be ${expected}; it is ${given}.`);
}

/** Whether it is too small or too large for its purpose, the engine says. */
function checkNumber(name: string, value: unknown, kind: Exclude<Kind, "other">): void {
  if (kind === "number") {
    if (!Number.isFinite(value)) throw wrong(name, "a number", value);
  } else if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > MOST[kind]) {
    throw wrong(name, `a whole number from 0 to ${MOST[kind]}`, value);
  }
}

function known<T extends object>(options: T, names: Record<string, Kind>, within = ""): T {
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(names, name) ? names[name] : undefined;
    if (kind === undefined) {
      const all = Object.keys(names).join(", ");
      throw new QuerytuneError("option", `There is no option ${within}${name}; there are ${all}.`);
    }
    if (kind !== "other" && value !== undefined) checkNumber(within + name, value, kind);
  }
  return given(options);
}

export const readOptions = (options: ReadOptions) => known(options, READING);
export const judgementsOptions = (options: ReadJudgementsOptions) => known(options, READING_JUDGEMENTS);
export const synthesizeOptions = (options: Omit<SynthesizeOptions, "previous">) => known(options, SYNTHESIZING);
export const judgingOptions = (options: JudgingOptions) => known(options, JUDGING);

export function trainingOptions(options: Training): Training {
  const chosen = known(options, TRAINING);
  const { lora, marginScale, method = "query-head", loss = "listwise" } = chosen;
  if (lora) known(lora, LORA, "lora.");
  // These would change nothing: whoever gives them means another training.
  if (lora && method !== "lora") {
    throw new QuerytuneError("option", `lora is for the method "lora"; the method is ${JSON.stringify(method)}.`);
  }
  if (marginScale !== undefined && loss !== "margin-mse") {
    throw new QuerytuneError(
      "option",
      `marginScale is for the loss "margin-mse"; the loss is ${JSON.stringify(loss)}.`,
    );
  }
  return chosen;
}
