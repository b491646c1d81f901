// The questions of quick judging: one key an answer, blind, every answer kept at once, and a verdict when asked for.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./support/axe.mjs";
import { openPart } from "./support/part-page.mjs";

const source = `
import { render } from "preact";
import { Questions } from "./www/src/parts/questions.tsx";
Object.assign(globalThis, { kept: [], saved: [], verdicts: 0 });
const estimate = { difference: 0.25, ci95: [0.1, 0.4] };
const comparison = (conclusion) => ({ judged: estimate, all: estimate, p: 0.01, conclusion, sentence: "" });
const judging = {
  items: [
    {
      query: 7, text: "boots",
      documents: [
        { document: 4, id: "d4", text: "Hiking boots" },
        { document: 9, id: "d9", title: "Tent", text: "Tent A tent" },
      ],
    },
    { query: 3, text: "lamp", documents: [{ document: 2, id: "d2", text: "A lamp for the desk" }] },
  ],
  answer: async (...answer) => void globalThis.kept.push(answer),
  verdict: async () => ({
    queries: 2, noneRelevant: 1, skipped: 0, open: 1,
    "ndcg@10": { base: 0.5, tuned: 0.75, crossEncoder: 0.4 },
    tuned: comparison("better"), crossEncoder: comparison("worse"), about: "What it means.",
  }),
  toQrels: async () => "query-id\\tcorpus-id\\tscore\\n",
};
const answered = [{ query: 7, document: 4, relevance: 2 }];
const report = () => ({ fit: { decidedBy: "agreement" } });
const props = {
  judging, answered, report,
  onVerdict: () => globalThis.verdicts++,
  onSave: (qrels) => globalThis.saved.push(qrels),
  onFailure: console.error,
};
render(<Questions {...props} />, document.getElementById("app"));
`;
let part;

before(async () => {
  part = await openPart(source);
});

after(() => part?.close());

const shown = () => part.page.getByTestId("judge-document").innerText();
const kept = () => part.page.evaluate(() => globalThis.kept);

test("it begins behind the answers of an earlier visit", async () => {
  await part.page.getByTestId("judge-document").waitFor();
  assert.equal(await shown(), "Tent A tent", "the title stands there once");
  const progress = await part.page.getByTestId("judge-progress").innerText();
  assert.equal(progress, "Query 1 of 2, document 2 of 2; 1 answer kept");
  assert.match(await part.page.getByTestId("judge").innerText(), /It is 3 answers at most\./);
});

test("a single key answers and goes on, without a click before", async () => {
  await part.page.keyboard.press("n");
  assert.equal(await shown(), "A lamp for the desk");
  assert.deepEqual(await kept(), [[7, 9, 0]]);
});

test("one can go back and answer otherwise, or not at all", async () => {
  await part.page.keyboard.press("Backspace");
  assert.equal(await shown(), "Tent A tent");
  assert.equal(await part.page.getByTestId("judge-0").getAttribute("aria-pressed"), "true");
  await part.page.keyboard.press("s");
  await part.page.keyboard.press("x");
  await part.page.keyboard.press("Backspace");
  assert.equal(await part.page.getByTestId("judge-skip").getAttribute("aria-pressed"), "true");
  assert.deepEqual(await kept(), [
    [7, 9, 0],
    [7, 9, 1],
    [3, 2, null],
  ]);
});

test("keys with Ctrl are the browser's", async () => {
  await part.page.keyboard.press("Control+y");
  assert.equal((await kept()).length, 3);
});

test("a key that is held answers once, and so does Enter on a button", async () => {
  const hold = async (name) => {
    await part.page.keyboard.press("Backspace");
    for (let times = 0; times < 3; times++) await part.page.keyboard.down(name);
    await part.page.keyboard.up(name);
    assert.equal(await shown(), "A lamp for the desk", name);
  };
  await hold("s");
  await part.page.getByTestId("judge-1").focus();
  await hold("Enter");
  assert.deepEqual((await kept()).slice(3), [
    [7, 9, 1],
    [7, 9, 1],
  ]);
});

test("behind the last answer the verdict is there without being asked for", async () => {
  await part.page.keyboard.press("y");
  assert.match(await part.page.getByTestId("judge-progress").innerText(), /^Through all 2 queries; 3 answers kept$/);
  await part.page.getByTestId("judge-result").waitFor();
  assert.equal((await kept()).length, 6);
});

test("the verdict is in words", async () => {
  const words = await part.page.getByTestId("judge-result").innerText();
  assert.match(words, /tuned model ranks your log better than the base model, by more than chance explains/);
  assert.match(words, /Your reranker .* is worse than your encoder here: do not train on it/);
  assert.match(words, /base 0\.5000, tuned 0\.7500 \(\+0\.2500, 95 % interval \+0\.1000 to \+0\.4000, p 0\.0100\)/);
  assert.match(words, /Left out: 1 query without a relevant document, 1 query not answered in full yet\./);
});

test("it can be asked for at any time, and the answers be saved", async () => {
  const before = await part.page.evaluate(() => globalThis.verdicts);
  await part.page.getByTestId("judge-verdict").click();
  await part.page.waitForFunction((before) => globalThis.verdicts === before + 1, before);
  await part.page.getByTestId("judge-save").click();
  await part.page.waitForFunction(() => globalThis.saved.length === 1);
});

test("axe finds nothing", async () => assert.deepEqual(await violations(part.page), []));
