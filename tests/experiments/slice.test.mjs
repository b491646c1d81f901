// `npm run experiments` on a small part of SciFact: every kind of case runs, and a second run pays for nothing again.
// Nothing is measured: the figures of so few queries say nothing.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const results = join(root, "out", "experiments-slice.jsonl");

async function experiments(...options) {
  const script = join(root, "scripts", "experiments.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [script, "--slice", ...options], { cwd: root });
  return stdout;
}

const lines = () => (existsSync(results) ? readFileSync(results, "utf8").trim().split("\n") : []);
const rows = () => lines().map((line) => JSON.parse(line));

test("a case of every group comes to figures, and its table is shown", async () => {
  rmSync(results, { force: true });
  const shown = await experiments();
  for (const group of ["reference", "new queries", "controls", "size", "size by method", "methods", "LoRA"]) {
    const ofGroup = rows().filter((row) => row.group === group);
    assert.ok(ofGroup.length > 0, `no case of "${group}"`);
    assert.match(shown, new RegExp(`^${group}\n\n\\| `, "m"));
    for (const row of ofGroup) {
      const figures = row.curve ? row.curve.map((point) => point.metrics["ndcg@10"]) : [row.judged["ndcg@10"].tuned];
      for (const figure of figures) assert.ok(figure > 0.3 && figure <= 1, `${row.case}: ${figure}`);
    }
  }
});

test("every method is trained as it was asked to be", () => {
  const methods = new Set(rows().map((row) => `${row.recipe.method} ${row.recipe.loss}`));
  for (const one of [
    "query-head listwise",
    "head listwise",
    "query-head margin-mse",
    "query-head mnrl",
    "lora listwise",
  ]) {
    assert.ok(methods.has(one), `nothing was trained with ${one}`);
  }
});

test("a second run does nothing again", async () => {
  const before = lines();
  await experiments();
  assert.deepEqual(lines(), before);
});
