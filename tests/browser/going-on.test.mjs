// A job that goes on from an earlier run's download, through the worker: the joined log, the comparison, the tables.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPackagePage, places } from "./support/package-page.mjs";
import { documents, manyQueries } from "./support/tiny-job.mjs";

const timeout = 5 * 60_000;
const [earlier, newer] = [manyQueries.slice(0, 8), manyQueries.slice(6, 12)];
let opened;

before(
  async () => {
    opened = await openPackagePage();
    await opened.page.evaluate(
      async ({ places, earlier, documents }) => {
        const { load } = await import(places.package);
        const { encoder, crossEncoder } = places;
        const tuner = await load({ store: "memory", encoder, crossEncoder, device: "cpu", threads: 1 });
        const relations = await tuner.synthesize(earlier, documents, { candidates: 8, depth: 4 });
        const run = await tuner.fit(relations, { epochs: 4, folds: 2 });
        Object.assign(globalThis, { tuner, zip: await run.saveArtifact() });
      },
      { places, earlier, documents },
    );
  },
  { timeout },
);

after(() => opened?.close());

test("the earlier queries come after the newer ones, and candidates belong to these numbers", { timeout }, async () => {
  const found = await opened.page.evaluate(
    async ({ newer, documents }) => {
      const { tuner, zip } = globalThis;
      const relations = await tuner.synthesize(newer, documents, { candidates: 8, depth: 4, previous: zip });
      globalThis.relations = relations;
      const queries = await relations.queries(0, 100);
      const [first, last] = [await relations.candidates(0), await relations.candidates(queries.length - 1)];
      return { queries, summary: relations.summary(), scored: [first, last].map((all) => all.length) };
    },
    { newer, documents },
  );
  const joined = [...newer, ...earlier.slice(0, 6)];
  assert.deepEqual(
    found.queries.map(({ text }) => text),
    joined,
  );
  assert.deepEqual(
    found.queries.map(({ count }) => count),
    joined.map((text) => (newer.includes(text) && earlier.includes(text) ? 2 : 1)),
  );
  assert.equal(found.summary.queries, 12);
  assert.equal(found.summary.cached, 12 * 4 - 4 * 4, "only the new queries' pairs were scored");
  assert.deepEqual(found.scored, [8, 8]);
});

test("the report compares with the earlier model, and each query's figures are there as CSV", { timeout }, async () => {
  const { previous, tables, refused } = await opened.page.evaluate(async () => {
    const { tuner, relations } = globalThis;
    const run = await tuner.fit(relations, { epochs: 4, folds: 2 });
    const refused = await run.perQueryCsv("judged").catch((error) => error.code);
    const qrels = new Blob(["query\tdocument\trelevance\n1\t1\t1\n2\t2\t1\n"]);
    const { previous } = await run.evaluate({ qrels });
    return { previous, refused, tables: [await run.perQueryCsv("agreement"), await run.perQueryCsv("judged")] };
  });
  assert.equal(refused, "option", "there are no judged figures before judgements were given");
  assert.deepEqual([previous.queries, previous.newQueries, previous.newDocuments, previous.scores], [8, 4, 0, 32]);
  assert.equal(previous.agreement.queries, 4);
  for (const figure of [previous.agreement.previous, previous.judged["ndcg@10"].previous]) {
    assert.ok(figure >= 0 && figure <= 1, `${figure}`);
  }
  const lines = tables.map((table) => table.trimEnd().split("\n"));
  assert.deepEqual(
    lines.map(({ length }) => length),
    [1 + 12, 1 + 2],
  );
  assert.match(lines[1][0], /^query-id,query,count,ndcg@10 base,ndcg@10 tuned,ndcg@10 ceiling/);
});

test("what is no download is refused, and nothing is lost", { timeout }, async () => {
  const failed = await opened.page.evaluate(
    async ({ newer, documents }) => {
      const { tuner, relations, zip } = globalThis;
      const go = (previous) =>
        tuner.synthesize(newer, documents, { previous }).then(
          () => "done",
          ({ code }) => code,
        );
      const bytes = new Uint8Array(await zip.arrayBuffer());
      const answers = [await go(new Blob(["no zip"])), await go(bytes.subarray(0, 1000)), await go({})];
      return { answers, summary: relations.summary() };
    },
    { newer, documents },
  );
  assert.deepEqual(failed.answers, ["artifact", "artifact", "option"]);
  assert.equal(failed.summary.queries, 12);
});
