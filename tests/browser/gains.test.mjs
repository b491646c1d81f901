// Which queries rose and fell is told of all that there are figures of, by judgements where there are some.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPart } from "./support/part-page.mjs";

const timeout = 60_000;
const total = 5000;
let opened;

before(
  async () => {
    opened = await openPart(`
      import { render } from "preact";
      import { outcome } from "./www/src/outcome.ts";
      import { Gains } from "./www/src/parts/gains.tsx";
      import { SearchBoth } from "./www/src/parts/search-both.tsx";
      const head = "query-id,query,count,";
      const line = (i, change) => "q" + i + ',"number ' + i + ', so ""called""",1,0.5,' + (0.5 + change) + "," + change;
      const changes = { 0: 0.25, 1: 0.00004, 2: -0.00004, ${total - 1}: -0.25 };
      const asked = Array.from({ length: ${total} }, (_, i) => line(i, changes[i] ?? 0));
      const tables = {
        agreement: [head + "agreement base,agreement tuned,agreement change", ...asked].join("\\n") + "\\n",
        judged: head + "ndcg@10 base,ndcg@10 tuned,ndcg@10 change\\nj1,'=judged,1,0.1,0.9,0.8\\n",
      };
      const report = (judged) => ({
        evaluation: { judged: judged ? {} : undefined, on: "test queries", agreement: { random: { queries: ${total} } } },
        relations: { queries: ${total} },
      });
      globalThis.show = (judged) => {
        const search = async () => ({ base: [], tuned: [] });
        const run = { report: report(judged), perQueryCsv: async (kind) => tables[kind], search };
        outcome.value = { run };
        const both = [<Gains key={String(judged)} outcome={{ run }} />, <SearchBoth />];
        render(both, document.getElementById("app"));
      };
      show(false);
    `);
  },
  { timeout },
);

after(() => opened?.close());

const get = (testid) => opened.page.getByTestId(testid);

test("without judgements all queries of a long log are covered", { timeout }, async () => {
  await get("gains-summary-agreement").waitFor();
  assert.match(await get("gains-summary-agreement").innerText(), /^Of 5,000 queries, 1 rose, 1 fell/);
  assert.match(await get("gains-agreement").innerText(), /not quality: all of the log’s queries/);
  assert.match(await get("gained-agreement").innerText(), /number 0, so "called" 0\.5000 to 0\.7500 \(\+0\.2500\)/);
  assert.match(await get("lost-agreement").innerText(), /number 4999, so "called" 0\.5000 to 0\.2500 \(-0\.2500\)/);
});

test("a change that its four decimals do not show is none", { timeout }, async () => {
  for (const testid of ["gained-agreement", "lost-agreement"]) {
    assert.equal(await get(testid).locator("li").count(), 1);
  }
});

test("a click on a query searches for it with both models", { timeout }, async () => {
  await get("gained-agreement").locator("button").click();
  await get("search-moved").getByText('“number 0, so "called"”').waitFor();
  assert.equal(await get("search-box").inputValue(), 'number 0, so "called"');
});

test("judgements come first, and a query is shown as it was asked", { timeout }, async () => {
  await opened.page.evaluate(() => globalThis.show(true));
  await get("gains-summary-judged").waitFor();
  assert.match(await get("gains-judged").innerText(), /^By your judgements: nDCG@10 of every judged test query\./);
  assert.match(await get("gained-judged").innerText(), /=judged 0\.1000 to 0\.9000/);
  assert.doesNotMatch(await get("gained-judged").innerText(), /'=judged/);
  assert.equal(await get("gains-summary-agreement").isVisible(), false);
});
