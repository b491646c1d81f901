// The guide to vector databases, with a real PostgreSQL: a tuned query finds there what the engine finds, in its order.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startPostgres } from "../../scripts/lib/postgres.mjs";
import { Follower, readGuide } from "./support/guide.mjs";

const timeout = 10 * 60_000;
const query = "DNA methylation in human cells";
let database;
let follower;

before(
  async () => {
    database = await startPostgres();
    follower = await Follower.open({ env: database.env });
    follower.writeSample();
    await follower.follow(readGuide("vector-database"));
  },
  { timeout },
);

after(async () => {
  await follower?.close();
  await database?.stop();
});

const search = `node search.mjs "${query}"`;

const rows = (name, printed = follower.printed.get(search)) =>
  printed
    .trim()
    .split("\n")
    .map((line) => line.split("\t"))
    .filter(([which]) => which === name)
    .map(([, id, text]) => ({ id, text }));

test("base and tuned rankings from the table are those of the engine", { timeout }, async () => {
  const found = JSON.parse(await follower.run(`npx querytune search tuned documents.csv "${query}" --top 5 --json`));
  assert.equal(found.delivered, "tuned");
  for (const name of ["base", "tuned"]) {
    assert.deepEqual(
      rows(name),
      found[name].map(({ id, text }) => ({ id, text })),
      name,
    );
  }
});

test("the tuned ranking is another one than the base model's", () => {
  assert.equal(rows("tuned").length, 5);
  assert.notDeepEqual(rows("tuned"), rows("base"));
});

test("a head that was not delivered is left out", { timeout }, async () => {
  const report = JSON.parse(readFileSync(follower.path("tuned", "report.json"), "utf8"));
  follower.write("tuned/report.json", JSON.stringify({ ...report, fit: { ...report.fit, delivered: "base" } }));
  const printed = await follower.run(search);
  assert.deepEqual(rows("base", printed), rows("base"));
  assert.deepEqual(rows("tuned", printed), rows("base"));
});
