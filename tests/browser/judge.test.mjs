// Quick judging: one key an answer, blind, every answer kept at once, and a verdict when asked for.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./support/axe.mjs";
import { openPart } from "./support/part-page.mjs";

const source = `
import { render } from "preact";
import { Judge } from "./www/src/sections/judge.tsx";
globalThis.kept = [];
const judging = {
  items: [
    { query: "boots", documents: [{ document: 4, text: "Hiking boots" }, { document: 9, title: "Tent", text: "A tent" }] },
    { query: "lamp", documents: [{ document: 2, text: "A lamp for the desk" }] },
  ],
  answered: new Map([["0 4", 2]]),
  answer: async (...answer) => void globalThis.kept.push(answer),
  verdict: async () => ({ queries: 2, base: 0.5, tuned: { mean: 0.75, interval: [0.1, 0.4], conclusion: "better" } }),
};
render(<Judge judging={judging} />, document.getElementById("app"));
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
  assert.equal(await shown(), "Tent A tent");
});

test("a single key answers and goes on, without a click before", async () => {
  await part.page.keyboard.press("n");
  assert.equal(await shown(), "A lamp for the desk");
  assert.deepEqual(await kept(), [[0, 9, 0]]);
});

test("one can go back and answer otherwise", async () => {
  await part.page.keyboard.press("Backspace");
  assert.equal(await shown(), "Tent A tent");
  assert.equal(await part.page.getByTestId("judge-0").getAttribute("aria-pressed"), "true");
  await part.page.keyboard.press("s");
  await part.page.keyboard.press("y");
  assert.deepEqual(await kept(), [
    [0, 9, 0],
    [0, 9, 1],
    [1, 2, 2],
  ]);
  assert.match(await part.page.getByTestId("judge-progress").innerText(), /^2 queries of 2; 3 answers kept$/);
});

test("keys with Ctrl are the browser's", async () => {
  await part.page.keyboard.press("Backspace");
  await part.page.keyboard.press("Control+y");
  assert.equal((await kept()).length, 3);
});

test("the verdict is in words", async () => {
  await part.page.getByTestId("judge-verdict").click();
  const words = await part.page.getByTestId("judge-result").innerText();
  assert.match(words, /On 2 queries .* base 0\.5000, tuned 0\.7500 \(\+0\.1000 to \+0\.4000\)\. .* ranks better/);
});

test("axe finds nothing", async () => assert.deepEqual(await violations(part.page), []));
