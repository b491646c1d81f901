// The folder of a job's results holds those of one job, whatever becomes of the next.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Results } from "../../pkg/cli/results.mjs";

const names = ["report.json", "model", "scores.tsv"];
let out;
beforeEach(() => {
  out = join(mkdtempSync(join(tmpdir(), "querytune-results-")), "out");
});
afterEach(() => rmSync(join(out, ".."), { recursive: true }));

/** Writes a job's results, with its name in each and one more file in the model. */
function write({ folder }, job, which = names) {
  for (const name of which) {
    if (name !== "model") {
      writeFileSync(join(folder, name), job);
      continue;
    }
    mkdirSync(join(folder, "model"));
    for (const file of ["weights", job]) writeFileSync(join(folder, "model", file), job);
  }
}

const read = (...path) => readFileSync(join(out, ...path), "utf8");

function filled() {
  const results = new Results(out);
  write(results, "first");
  results.take(names);
}

test("a job's results take the places of an earlier one's, of which nothing stays", () => {
  filled();
  const results = new Results(out);
  write(results, "second");
  results.take(names);
  assert.deepEqual(readdirSync(out).sort(), [...names].sort());
  assert.deepEqual(readdirSync(join(out, "model")).sort(), ["second", "weights"]);
  for (const path of [["report.json"], ["scores.tsv"], ["model", "weights"]]) assert.equal(read(...path), "second");
});

test("what a job could not write is not an earlier job's either", () => {
  filled();
  const results = new Results(out);
  write(results, "second", ["report.json", "model"]);
  results.take(names);
  assert.equal(existsSync(join(out, "scores.tsv")), false);
});

test("a job that is stopped or killed leaves what was there", () => {
  filled();
  const stopped = new Results(out);
  write(stopped, "stopped");
  stopped.discard();
  write(new Results(out), "killed");
  for (const path of [["report.json"], ["scores.tsv"], ["model", "weights"]]) assert.equal(read(...path), "first");
  const results = new Results(out);
  assert.deepEqual(readdirSync(results.folder), [], "and the next one begins anew");
});

test("what else is in the folder is left alone", () => {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "notes.txt"), "mine");
  filled();
  assert.equal(read("notes.txt"), "mine");
});
