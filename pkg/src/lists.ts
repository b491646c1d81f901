/**
 * What callers give with their calls: texts, pairs and items, and how many results they want. It is checked, so that an
 * error says what is wrong, and lists are copied, as those that a framework observes (proxies) cannot cross to a worker.
 */

import { QuerytuneError } from "./errors.js";
import type { InputItem, Pair } from "./types.js";

/** The largest count that the engine takes. */
const MOST = 2 ** 32 - 1;

function wrong(what: string, expected: string, value: unknown): QuerytuneError {
  return new QuerytuneError("option", `${what} has to be ${expected}; it is ${kind(value)}.`);
}

function kind(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const name = Array.isArray(value) ? "array" : typeof value;
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

function list<T>(given: unknown, name: string, what: string, one: (value: unknown, name: string) => T): T[] {
  if (!Array.isArray(given)) throw wrong(name, `an array of ${what}`, given);
  // By number, so that gaps are seen too.
  return Array.from(given, (value, i) => one(value, `${name}[${i}]`));
}

/** A text. `name`: what the caller calls it. */
export function checkText(value: unknown, name: string): string {
  if (typeof value !== "string") throw wrong(name, "a text", value);
  return value;
}

/** How many results are wanted; `undefined` stands for the usual number. */
export function checkTopK(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || value < 1 || value > MOST) {
    const given = typeof value === "number" ? value : kind(value);
    throw new QuerytuneError("option", `topK has to be a whole number from 1 to ${MOST}; it is ${given}.`);
  }
  return value;
}

export function checkTexts(given: unknown, name = "texts"): string[] {
  return list(given, name, "texts", checkText);
}

export function checkPairs(given: unknown, name = "pairs"): Pair[] {
  return list(given, name, "pairs [query, document]", (pair, name) => {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new QuerytuneError("option", `${name} has to be a query and a document: [query, document].`);
    }
    return [checkText(pair[0], `${name}[0]`), checkText(pair[1], `${name}[1]`)];
  });
}

/** Texts, or objects with a text, as the engine takes them. */
export function checkItems(given: unknown, name: string): (InputItem & { id?: string })[] {
  return list(given, name, "texts or objects with a text", checkItem);
}

function checkItem(value: unknown, name: string): InputItem & { id?: string } {
  if (typeof value === "string") return { text: value };
  if (typeof value !== "object" || value === null) throw wrong(name, "a text or an object with a text", value);
  const { id, title, text, count } = value as Record<string, unknown>;
  const item: InputItem & { id?: string } = { text: checkText(text, `${name}.text`) };
  // What is null in data of others is not there.
  if (id !== undefined && id !== null) {
    if (typeof id !== "string" && typeof id !== "number") throw wrong(`${name}.id`, "a text or a number", id);
    item.id = String(id);
  }
  if (title !== undefined && title !== null) item.title = checkText(title, `${name}.title`);
  if (count !== undefined && count !== null) {
    if (!Number.isInteger(count) || (count as number) < 0 || (count as number) > MOST) {
      throw new QuerytuneError("option", `${name}.count has to be a whole number from 0 to ${MOST}; it is ${count}.`);
    }
    item.count = count as number;
  }
  return item;
}
