// Options whose values cannot be meant are refused before any work, with their name and what they have to be.
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgingOptions, synthesizeOptions, trainingOptions } from "../../pkg/dist/options.js";

const refused = (check, options, pattern) =>
  assert.throws(
    () => check(options),
    (error) => error.code === "option" && pattern.test(error.message),
    JSON.stringify(options),
  );

test("a number that has to be whole is, and not negative", () => {
  refused(synthesizeOptions, { depth: 2.5 }, /^depth has to be a whole number from 0 to 4294967295; it is 2\.5\.$/);
  refused(synthesizeOptions, { candidates: -1 }, /^candidates has to be a whole number .*; it is -1\.$/);
  refused(synthesizeOptions, { bm25: 2 ** 32 }, /^bm25 /);
  refused(trainingOptions, { batchSize: 1.5 }, /^batchSize has to be a whole number .*; it is 1\.5\.$/);
  refused(trainingOptions, { epochs: "20" }, /^epochs has to be a whole number .*; it is "20"\.$/);
  refused(trainingOptions, { seed: 2 ** 53 }, /^seed has to be a whole number from 0 to 9007199254740991/);
  refused(trainingOptions, { method: "lora", lora: { rank: 0.5 } }, /^lora\.rank has to be a whole number/);
  refused(judgingOptions, { documents: null }, /^documents has to be a whole number .*; it is null\.$/);
});

test("a number is one, and finite", () => {
  refused(synthesizeOptions, { budgetSeconds: Number.NaN }, /^budgetSeconds has to be a number; it is NaN\.$/);
  refused(trainingOptions, { learningRate: "fast" }, /^learningRate has to be a number; it is "fast"\.$/);
  refused(trainingOptions, { scale: Number.POSITIVE_INFINITY }, /^scale has to be a number; it is Infinity\.$/);
});

test("what the method or the loss does not have is refused", () => {
  refused(trainingOptions, { lora: { rank: 8 } }, /^lora is for the method "lora"; the method is "query-head"\.$/);
  refused(trainingOptions, { method: "head", lora: {} }, /the method is "head"/);
  refused(trainingOptions, { marginScale: 2 }, /^marginScale is for the loss "margin-mse"; the loss is "listwise"\.$/);
});

test("what can be meant is taken as it is, and an undefined option is none", () => {
  const training = {
    method: "lora",
    loss: "margin-mse",
    marginScale: 2,
    seed: 2 ** 40,
    learningRate: 1e-3,
    lora: { rank: 4, alpha: 0.5, targets: ["query"], documents: true },
  };
  assert.deepEqual(trainingOptions({ ...training, epochs: undefined }), training);
  assert.deepEqual(synthesizeOptions({ candidates: 0, budgetSeconds: 0.5 }), { candidates: 0, budgetSeconds: 0.5 });
});
