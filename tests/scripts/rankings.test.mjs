// Two rankings of the same documents as `querytune search` shows them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { move, rankingLines } from "../../pkg/cli/rankings.mjs";

const hit = (rank, id) => ({ rank, id, text: `text of ${id}`, score: 1 / rank });
const base = [hit(1, "a"), hit(2, "b"), hit(3, "c")];
const tuned = [hit(1, "b"), hit(2, "a"), hit(3, "d")];

test("a document's move is told from the base model's ranking", () => {
  assert.deepEqual(
    tuned.map((one) => move(one, base)),
    ["+1", "-1", "new"],
  );
  assert.equal(move(hit(3, "c"), base), "=");
});

test("rankings stand side by side only where there is room, and never beyond it", () => {
  const found = { query: "q", documents: { total: 1000 }, base, tuned };
  for (const width of [60, 99, 160]) {
    const lines = rankingLines(found, width);
    for (const line of lines) assert.ok(line.length <= width, line);
    assert.equal(lines.filter((line) => line.includes("text of a")).length, 2);
    assert.equal(
      lines.some((line) => line.includes("text of b") && line.includes("text of a")),
      width >= 140,
    );
  }
});
