// The candidates of any query of the log can be looked at, however long the log is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPart } from "./support/part-page.mjs";

const timeout = 60_000;
const total = 25_000;
let opened;

before(
  async () => {
    opened = await openPart(`
      import { render } from "preact";
      import { Candidates } from "./www/src/parts/candidates.tsx";
      const text = (i) => "query number " + i;
      const relations = {
        summary: () => ({ queries: ${total} }),
        queries: async (from, count) => Array.from({ length: count }, (_, i) => ({ text: text(from + i) })),
        candidates: async (query) => [{ document: 0, id: "d", text: "candidate of " + query, cosine: 0.5, logit: 1 }],
      };
      const queries = Array.from({ length: 10_000 }, (_, i) => text(i));
      const outcome = { relations, queries, retrieved: 100 };
      render(<Candidates outcome={outcome} />, document.getElementById("app"));
    `);
  },
  { timeout },
);

after(() => opened?.close());

const get = (testid) => opened.page.getByTestId(testid);
const offers = () => opened.page.getByRole("list", { name: "Queries found" });

test("a query far down the log is found by its words", { timeout }, async () => {
  await get("candidates-find").fill("NUMBER 24999");
  await offers().getByRole("button", { name: "query number 24999" }).click();
  await get("candidates-table").getByText("candidate of 24999").waitFor();
  assert.equal(await get("candidates-query").innerText(), "25,000 of 25,000: query number 24999");
  assert.ok(await get("candidates-on").isDisabled(), "it is the last one");
});

test("how many more have the words is said", { timeout }, async () => {
  await get("candidates-find").fill("number 2499");
  await offers().getByText("And 3 more.").waitFor();
  assert.equal(await offers().getByRole("button").count(), 8);
  await get("candidates-find").fill("nowhere");
  await offers().getByText("No query has these letters in it.").waitFor();
});

test("who steps past the queries at hand is shown the next ones", { timeout }, async () => {
  await get("candidates-find").fill("number 9999");
  await offers().getByRole("button", { name: "query number 9999", exact: true }).click();
  await get("candidates-on").click();
  await get("candidates-query").getByText("query number 10000").waitFor();
});
