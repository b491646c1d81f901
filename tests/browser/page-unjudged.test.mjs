// A training that is finished is kept when the comparison by judgements fails or is stopped, and is compared again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./support/axe.mjs";
import { DemoPage } from "./support/demo-page.mjs";
import { documents } from "./support/tiny-job.mjs";

const timeout = 4 * 60_000;
let demo;

/** So many test queries that the comparison does not end before it is stopped. */
const asked = Array.from({ length: 60 }, (_, i) => `${documents[i % documents.length].slice(0, 24)} number ${i}`);

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useTinyJob({ judged: true });
    await demo.setNumber("depth", 5);
    await demo.choose(
      "test-queries",
      "asked.csv",
      `id,text\n${asked.map((text, i) => `t${i},"${text}"`).join("\n")}\n`,
    );
    await demo.get("summary-test-queries").waitFor();
    // Nothing tells the columns apart: without those that are chosen no row is a judgement.
    const judged = asked.map((_, i) => `1\td${1 + (i % documents.length)}\tt${i}`);
    await demo.choose("qrels", "asked.tsv", `Gewicht\tTreffer\tFrage\n${judged.join("\n")}\n`);
    for (const [name, label] of [
      ["relevance", "Gewicht"],
      ["query", "Frage"],
      ["document", "Treffer"],
    ]) {
      await demo.get(`qrels-${name}-column`).selectOption({ label });
    }
    await demo.get("reading-qrels").filter({ hasText: "60 judgements" }).waitFor();
  },
  { timeout },
);

after(() => demo?.close());

/** Starts what is chosen, and waits until it is compared. */
async function startComparing() {
  await demo.get("start").click();
  if (await demo.get("replace-yes").count()) await demo.get("replace-yes").click();
  await comparing();
}

/** Waits until pairs of the comparison are scored. */
const comparing = () =>
  demo.page.locator("[data-testid=stage-evaluate][data-status=active]").getByText("pairs").waitFor({ timeout });

/** From now on the engine's store refuses, or works again. */
async function refuse(isRefusing) {
  for (const worker of demo.page.workers()) {
    await worker.evaluate((isRefusing) => {
      globalThis.transaction ??= IDBDatabase.prototype.transaction;
      IDBDatabase.prototype.transaction = isRefusing
        ? () => {
            throw new DOMException("planted", "UnknownError");
          }
        : globalThis.transaction;
    }, isRefusing);
  }
}

/** A result with agreement alone, that can be searched. */
async function hasAgreementOnly() {
  assert.equal(await demo.get("metric-ndcg@10").count(), 0);
  assert.equal(await demo.get("agreement-random").count(), 1);
  assert.match(await demo.get("job-state").innerText(), /not compared by your judgements: Compare says why/);
  await demo.get("search-box").fill("boots for rain");
  await demo.get("search-submit").click();
  await demo.get("search-tuned").waitFor();
}

for (const button of ["cancel", "pause"]) {
  test(`${button} while it is compared keeps the trained model, and says so`, { timeout }, async () => {
    await startComparing();
    await demo.get(button).click();
    await demo.waitForState(["done"]);
    const said = await demo.get("unjudged").innerText();
    assert.match(
      said,
      /comparison by your judgements was stopped\. The trained model is kept, with its agreement only/,
    );
    assert.equal(await demo.get("error-compare").count(), 0);
    await hasAgreementOnly();
  });
}

test("the notice is fit for everybody", { timeout }, async () => {
  assert.deepEqual(await violations(demo.page), []);
});

test("stopped again, it stays as it was", { timeout }, async () => {
  await demo.get("compare-again").click();
  await comparing();
  assert.equal(await demo.focused(), "H2");
  assert.ok(await demo.get("start").isDisabled());
  await demo.get("cancel").click();
  await demo.waitForState(["done"]);
  await hasAgreementOnly();
});

test("compared again it is by the chosen columns, in the list of jobs too, and nothing was trained anew", {
  timeout,
}, async () => {
  const trained = await demo.get("stage-tune").innerText();
  await demo.get("compare-again").click();
  await demo.get("metric-ndcg@10").waitFor({ timeout });
  await demo.waitForState(["done"]);
  assert.equal(await demo.get("unjudged").count(), 0);
  assert.equal(await demo.get("stage-tune").innerText(), trained);
  assert.match(await demo.get("job-state").innerText(), /Done\. The results are below/);
  await demo.get("history-job").first().filter({ hasText: "nDCG@10" }).waitFor();
});

test("when the store fails meanwhile the result is kept, and it is said what failed", { timeout }, async () => {
  // Otherwise all that is compared is known by now.
  await demo.deleteStored("scores");
  await demo.get("stored-scores").waitFor();
  await startComparing();
  await refuse(true);
  await demo.waitForState(["done"]);
  assert.match(await demo.get("unjudged").innerText(), /comparison by your judgements has failed/);
  assert.match(await demo.get("error-compare").innerText(), /planted/);
  assert.equal(await demo.get("error-job").count(), 0);
  assert.equal(await demo.get("result-lost").count(), 0);
  await hasAgreementOnly();
});

test("the next job opens the store anew", { timeout }, async () => {
  await refuse(false);
  await demo.run();
  await demo.get("metric-ndcg@10").waitFor();
  assert.equal(await demo.get("unjudged").count(), 0);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
