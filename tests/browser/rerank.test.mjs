// A search whose documents the cross-encoder puts in order, in the worker of a page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openHubPage } from "./support/hub-page.mjs";
import { places } from "./support/package-page.mjs";
import { documents, queries } from "./support/tiny-job.mjs";

const timeout = 2 * 60_000;
let opened;

before(
  async () => {
    opened = await openHubPage();
  },
  { timeout },
);

after(() => opened?.close());

test("hits come in the order of their logits, by models of the one host that was given", { timeout }, async () => {
  const { logits, expected } = await opened.page.evaluate(
    async ({ path, query, documents }) => {
      const { open } = await import(path);
      const session = await open({ store: "memory", host: new URL("/hub/", location.href).href });
      const tuner = await session.load({
        encoder: "some/encoder",
        crossEncoder: "some/cross",
        device: "cpu",
        threads: 1,
      });
      const index = await tuner.index(documents);
      const hits = await index.search(query, { topK: 5, rerank: true });
      const scores = await tuner.score(hits.map(({ text }) => [query, text]));
      session.dispose();
      return { logits: hits.map(({ logit }) => logit), expected: Array.from(scores) };
    },
    { path: places.package, query: queries[0], documents },
  );
  assert.equal(logits.length, 5);
  assert.deepEqual(logits, expected);
  assert.deepEqual(
    logits,
    logits.toSorted((a, b) => b - a),
  );
});
