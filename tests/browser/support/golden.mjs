// Vectors and logits that an independent 32-bit forward pass of the same models gave.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../scripts/lib/paths.mjs";

const folder = join(root, "tests", "golden");
const parse = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const read = (name) => parse(name).items;

/** `{ text, input_ids, embedding }` of the sentence encoder. */
export const goldenTexts = read("encoder.json");

/** `{ query, passage, input_ids, logit }` of the cross-encoder. */
export const goldenPairs = read("cross_encoder.json");

/** `{ text, vector }` and `{ query, passage, logit }` of two small RoBERTas, in these folders. */
export const roberta = {
  texts: parse("roberta.json").texts,
  pairs: parse("roberta.json").pairs.map(({ document, ...pair }) => ({ ...pair, passage: document })),
  encoder: join(folder, "tiny-xlm-roberta"),
  crossEncoder: join(folder, "tiny-xlm-roberta-cross-encoder"),
};

/** Fails unless all numbers are there and at most `tolerance` from those expected. */
export function assertClose(found, expected, tolerance, what) {
  assert.equal(found.length, expected.length, `${what}: how many`);
  for (const [i, value] of expected.entries()) {
    // Written so that NaN fails.
    const near = Math.abs(found[i] - value) <= tolerance;
    assert.ok(near, `${what}, number ${i}: ${found[i]} is not within ${tolerance} of ${value}`);
  }
}

/** What a message shows of a long text. */
export const short = (text) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
