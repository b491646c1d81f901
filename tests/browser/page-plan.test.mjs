// Before anything is run the page says what it will take, measured on this device with the person's own texts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 5 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

test("without data there is nothing to measure", async () => {
  assert.ok(await demo.get("measure").isDisabled());
  assert.equal(await demo.get("plan").innerText(), "Choose queries and documents first.");
  assert.equal(await demo.get("depth").inputValue(), "20", "the good default is set");
});

test("slider and number are one, and the pairs follow", { timeout }, async () => {
  await demo.useSample();
  await demo.get("depth-slider").focus();
  await demo.page.keyboard.press("ArrowRight");
  assert.equal(await demo.get("depth").inputValue(), "21");
  assert.match(await demo.get("plan").innerText(), /^2,394 pairs to score/);
  await demo.setNumber("depth", 10);
  assert.equal(await demo.get("depth-slider").inputValue(), "10");
  assert.match(await demo.get("plan").innerText(), /^1,140 pairs to score/);
});

let perSecond;

test("while it measures it says how far the models are, and its end is announced", { timeout }, async () => {
  const heard = await demo.get("measure-announcement").evaluateHandle((region) => {
    const heard = { said: [], bars: 0 };
    new MutationObserver(() => {
      heard.said.push(region.textContent);
      heard.bars += document.querySelectorAll("[data-testid=measure-progress]").length;
    }).observe(region, { childList: true, characterData: true, subtree: true });
    return heard;
  });
  await demo.get("measure").click();
  await demo.get("measure-cancel").waitFor();
  assert.equal(await demo.focused(), "measure-cancel");
  await demo.get("measure-announcement").getByText("This device is measured.").waitFor({ timeout, state: "attached" });
  assert.equal(await demo.focused(), "measure");
  const { said, bars } = await heard.jsonValue();
  assert.ok(bars > 0, "a bar shows how far the models are");
  assert.ok(said.includes("Load the models: 100%"), said.join("; "));
  assert.ok(said.length < 50, said.join("; "));
});

test("what was measured gives time and memory, and keeps nothing from being changed", { timeout }, async () => {
  assert.ok(await demo.get("measure").isEnabled());
  const found = await demo.get("estimate").innerText();
  perSecond = Number(/([\d.]+) pairs and [\d.,]+ texts a second on CPU/.exec(found)?.[1]);
  assert.ok(perSecond > 1 && perSecond < 10_000, found);
  assert.match(found, /; a few pairs of these files, /);
  // What the tab was measured to take at its peak with one thread and with two, and as much again for each further one.
  const [, number, unit] = /about ([\d.]+) (MB|GB)/.exec(found) ?? [];
  const [megabytes, threads] = [
    number * (unit === "GB" ? 1000 : 1),
    await demo.page.evaluate(() => Math.min(8, navigator.hardwareConcurrency, 2 * (navigator.deviceMemory ?? 8))),
  ];
  const expected = 1.049 * (562 + 256 * (threads - 1));
  assert.ok(Math.abs(megabytes - expected) < 0.1 * expected, `${found}: ${expected} MB with ${threads} threads`);
  assert.equal(number.replace(/^0\.|\./, "").replace(/0+$/, "").length <= 2, true, "two digits");
  assert.equal(await demo.get("job-state").getAttribute("data-state"), "idle");
});

test("a time budget becomes a number of candidates", { timeout }, async () => {
  await demo.setNumber("minutes", 1);
  const [, fits] =
    /can score (?:all )?(\d+) candidates? of each query/.exec(await demo.get("budget").innerText()) ?? [];
  // What is left of a minute after the texts are encoded.
  assert.ok(Number(fits) >= 1 && Number(fits) <= Math.min(100, (60 * perSecond) / 114), fits);
  // Another number than is chosen: else there is nothing to take.
  await demo.setNumber("depth", fits === "1" ? 2 : 1);
  await demo.get("take-budget").click();
  assert.equal(await demo.get("depth").inputValue(), fits);
});

test("the estimate is right to within a factor of three", { timeout }, async (context) => {
  await demo.setNumber("depth", 5);
  const [, number, unit] = /about (\d+) (s|min)/.exec(await demo.get("estimate").innerText()) ?? [];
  const said = number * (unit === "min" ? 60 : 1);
  const from = performance.now();
  await demo.run();
  const took = (performance.now() - from) / 1000;
  context.diagnostic(`said ${said} s, took ${took.toFixed(1)} s`);
  assert.ok(took < 3 * said && said < 3 * took, `said ${said} s, took ${took.toFixed(1)} s`);
});

test("the next visit knows the speed of the job", { timeout }, async () => {
  await demo.visit();
  await demo.useSample();
  await demo.get("estimate").filter({ hasText: "a whole job of these files" }).waitFor();
});

/** What is shown where the measurement does not hold: why, and no figure that rests on it. */
async function unmeasured() {
  await demo.get("unmeasured").waitFor();
  for (const figure of ["estimate", "budget"]) assert.equal(await demo.get(figure).count(), 0, figure);
  assert.doesNotMatch(await demo.get("section-3-state").innerText(), /about/);
  return demo.get("unmeasured").getAttribute("data-why");
}

test("models for other languages are named by one key, and the English ones again", { timeout }, async () => {
  await demo.get("models-hub").check();
  assert.match(await demo.get("hub-languages").innerText(), /^These know English\./);
  const english = await demo.get("hub-encoder").inputValue();
  await demo.get("hub-other-languages").press("Enter");
  assert.match(await demo.get("hub-encoder").inputValue(), /multilingual/);
  assert.match(await demo.get("hub-languages").innerText(), /50 languages.* 1 GB/);
  assert.equal(await unmeasured(), "models");
  // The button has kept the focus.
  await demo.page.keyboard.press("Enter");
  assert.equal(await demo.get("hub-encoder").inputValue(), english);
  await demo.get("models-server").check();
});

test("on another device or with other models, no time is told that was measured otherwise", { timeout }, async () => {
  await demo.get("device-webgpu").check();
  assert.equal(await unmeasured(), "device");
  await demo.get("device-cpu").check();
  await demo.get("models-hub").check();
  await demo.get("estimate").waitFor();
  await demo.get("hub-encoder").fill("someone/another-model");
  assert.equal(await unmeasured(), "models");
  await demo.get("models-server").check();
  await demo.get("estimate").waitFor();
});

test("other texts have the same time where they are about as long, and else none", { timeout }, async () => {
  const sample = (name) => readFileSync(join(root, "examples", "sample", name), "utf8");
  await demo.choose("documents", "more.csv", `${sample("documents.csv")}\nlast,A short one\n`);
  await demo.get("estimate").filter({ hasText: "a whole job of other texts, about as long as these" }).waitFor();
  await demo.get("file-qrels-remove").click();
  await demo.useTinyJob();
  assert.equal(await unmeasured(), "texts");
  assert.match(await demo.get("unmeasured").innerText(), /measured on other texts.* Measure again/);
  await demo.get("measure").click();
  await demo.get("estimate").filter({ hasText: "a few pairs of these files" }).waitFor({ timeout });
  await demo.page.waitForFunction(() => !document.querySelector("[data-testid=measure]").disabled, null, { timeout });
});

test("with time left, scoring goes deeper than the number, equally for all queries", { timeout }, async () => {
  await demo.setNumber("depth", 3);
  await demo.get("timed").check();
  assert.match(await demo.get("plan").innerText(), /^18 pairs to score at least/);
  await demo.run();
  const { done, total } = await demo.stage("score");
  assert.deepEqual([done, total], [120, 120], "all twenty documents, long before ten minutes are over");
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
