// The demo page with its sample, on the CPU: from a click to a download, and nothing leaves the page on the way.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { DemoPage } from "./support/demo-page.mjs";
import { readZip } from "./support/zip.mjs";

const timeout = 20 * 60_000;
const rows = (name) =>
  readFileSync(join(root, "examples", "sample", name), "utf8")
    .trimEnd()
    .split(/\r?\n/)
    .slice(1);
const sample = {
  queries: rows("queries.csv").length,
  documents: rows("documents.csv").length,
  qrels: rows("qrels.tsv"),
};
/** Fewer than the page has of its own accord: enough for every step, in less time. */
const depth = 5;
const pairs = sample.queries * depth;
const english = (number) => number.toLocaleString("en-US");
let demo;
/** How many of the documents are left when equal ones are merged; the page says so. */
let documents;
/** Addresses asked for before the models were there, and after. */
const requests = { before: [], after: [] };
let loaded = false;

before(
  async () => {
    demo = await DemoPage.open();
    demo.page.on("request", (request) => requests[loaded ? "after" : "before"].push(request.url()));
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

test("nothing can be started or taken away before there are files", async () => {
  for (const id of ["start", "cancel", "search-submit", "download-artifact"]) {
    assert.ok(await demo.get(id).isDisabled(), id);
  }
  await demo.screenshot("1-start");
});

test("the sample is read and the page says how", { timeout }, async () => {
  await demo.useSample();
  await demo.setNumber("depth", depth);
  const count = english(sample.queries);
  assert.equal(await demo.get("summary-queries").innerText(), `${count} queries from ${count} rows.`);
  const corpus = await demo.get("summary-documents").innerText();
  const [, texts, all, duplicates] =
    /^([\d,]+) documents from ([\d,]+) rows(?:; (\d+) duplicates? merged)?\.$/.exec(corpus) ?? [];
  documents = Number(texts?.replaceAll(",", ""));
  assert.equal(all, english(sample.documents), corpus);
  assert.equal(documents + Number(duplicates ?? 0), sample.documents, corpus);
  assert.match(await demo.get("reading-documents").innerText(), /id from “id”, text from “text”/);
  const judged = await demo.get("reading-qrels").innerText();
  assert.ok(judged.startsWith(`${sample.qrels.length} judgements of ${sample.queries} queries`), judged);
  const plan = await demo.get("plan").innerText();
  assert.ok(plan.startsWith(`${english(pairs)} pairs to score`), plan);
  await demo.screenshot("2-sample");
});

test("while the job runs, the page shows each stage with rate and time left", { timeout }, async () => {
  await demo.get("start").click();
  await demo.get("device-info").waitFor({ timeout });
  loaded = true;
  assert.match(await demo.get("device-info").innerText(), /CPU.*It was asked for/s);
  await demo.page.locator("[data-testid=stage-score][data-status=active]").getByText(" a second").waitFor({ timeout });
  const scoring = await demo.stage("score");
  assert.equal(scoring.total, pairs);
  assert.match(await demo.get("stage-score").innerText(), /of [\d,]+ pairs · .* a second · .* left/);
  assert.ok(await demo.get("cancel").isEnabled());
  for (const id of ["start", "use-sample", "file-queries", "file-qrels-remove", "device-auto", "depth"]) {
    assert.ok(await demo.get(id).isDisabled(), `${id}: the job holds what it works on`);
  }
  await demo.screenshot("3-running");
});

test("the page answers while the worker computes", { timeout }, async () => {
  // Frames are drawn all along: a thread that computed would let none through before the job is done.
  await demo.page.evaluate(async () => {
    for (let i = 0; i < 60; i++) await new Promise(requestAnimationFrame);
  });
  assert.equal(await demo.get("job-state").getAttribute("data-state"), "running");
});

test("the job ends with every stage finished", { timeout }, async () => {
  assert.equal(await demo.waitForState(["done"]), "done");
  for (const name of ["load", "encode", "search", "score", "tune", "evaluate"]) {
    assert.equal((await demo.stage(name)).status, "finished", name);
  }
  const { done, total, cached } = await demo.stage("score");
  assert.deepEqual([done, total, cached], [pairs, pairs, 0]);
});

test("base, tuned and ceiling are in the table, by every metric", async () => {
  for (const metric of ["ndcg@10", "mrr@10", "map@100", "recall@100"]) {
    const [name, ...cells] = await figures(metric);
    assert.equal(cells.length, 6, metric);
    assert.equal(name.toLowerCase(), metric);
    for (const cell of cells.slice(0, 3)) {
      assert.match(cell, /^(0?\.\d+|[01](\.\d+)?)$/, `${metric}: ${cell}`);
    }
  }
  const basis = await demo.get("results-basis").innerText();
  assert.ok(basis.includes(`on ${sample.queries} queries of the log`), basis);
  assert.match(await demo.get("delivered").getAttribute("data-delivered"), /^(tuned|base)$/);
});

/** The cells of a metric's row; the ceiling's without its interval, which stands on a line of its own. */
function figures(metric) {
  return demo
    .get(`metric-${metric}`)
    .locator("th, td")
    .evaluateAll((cells) => cells.map((cell) => cell.innerText.split("\n")[0].trim()));
}

test("the histogram and the training curve are drawn", async () => {
  for (const id of ["histogram", "curve"]) {
    const canvas = demo.get(id).locator("canvas");
    await canvas.scrollIntoViewIfNeeded();
    const colours = await canvas.evaluate((element) => {
      const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
      const found = new Set();
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 200) found.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
      return found.size;
    });
    assert.ok(colours > 2, `${id} has ${colours} colours`);
  }
  assert.match(await demo.get("histogram").getAttribute("aria-label"), /mean -?\d/);
  assert.match(await demo.get("curve").getAttribute("aria-label"), /after 0, .* after \d+/);
});

test("the training curve marks the step that was chosen, and names it", async () => {
  const label = await demo.get("curve").getAttribute("aria-label");
  const measured = [...label.matchAll(/ after (\d+)/g)].map(([, step]) => Number(step));
  const chosen = Number(/Chosen: (\d+)\.$/.exec(label)?.[1]);
  assert.ok(measured.includes(chosen), label);
  const figure = demo.page.locator("figure").filter({ has: demo.get("curve") });
  const named = await figure.locator(".key.mark").innerText();
  assert.equal(named, `chosen step: ${english(chosen)}`);
  const { columns, left, width, height } = await demo.get("curve").evaluate((element) => {
    const canvas = element.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const sample = document.createElement("i");
    sample.style.color = "var(--mark)";
    element.append(sample);
    const [r, g, b] = getComputedStyle(sample).color.match(/\d+/g).map(Number);
    sample.remove();
    /** How many pixels of the mark's colour are in each column that has some. */
    const columns = {};
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] !== r || data[i + 1] !== g || data[i + 2] !== b) continue;
      const x = (i / 4) % canvas.width;
      columns[x] = (columns[x] ?? 0) + 1;
    }
    const [plot, whole] = [element.querySelector(".u-over"), canvas].map((part) => part.getBoundingClientRect());
    return { columns, left: plot.left - whole.left, width: plot.width, height: plot.height };
  });
  const marked = Object.keys(columns).map(Number);
  const expected = left + (width * chosen) / Math.max(...measured);
  assert.ok(marked.length > 0 && marked.length <= 3, `one line: ${JSON.stringify(columns)}`);
  assert.ok(
    marked.every((x) => Math.abs(x - expected) <= 2),
    `${marked} around ${expected}`,
  );
  // It is dashed.
  assert.ok(Math.max(...Object.values(columns)) > height / 2, `${JSON.stringify(columns)} of ${height}`);
});

test("rows of the data set are there and can be turned over", async () => {
  const rows = demo.get("rows").locator("tbody tr");
  assert.equal(await rows.count(), 20);
  const first = await rows.first().innerText();
  await demo.get("rows-on").click();
  await demo.page.getByText(`21 to 40 of ${english(sample.queries * (depth - 1))}`).waitFor();
  assert.notEqual(await rows.first().innerText(), first);
});

test("a query gets two lists, the base model's and the tuned one's", { timeout }, async () => {
  await demo.get("search-box").fill("aspirin lowers the risk of cancer");
  await demo.get("search-submit").click();
  await demo.get("search-tuned").waitFor();
  const lists = [];
  for (const side of ["base", "tuned"]) {
    const ids = await demo
      .get(`search-${side}`)
      .locator("li")
      .evaluateAll((items) => items.map((item) => item.dataset.id));
    assert.equal(ids.length, 10, side);
    assert.equal(new Set(ids).size, 10, side);
    lists.push(ids);
  }
  assert.notDeepEqual(lists[0], lists[1]);
  await demo.screenshot("4-done");
});

test("the download is a zip with the model, the adapter, the data set and the report", { timeout }, async () => {
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.get("download-artifact").click();
  const download = await waiting;
  assert.equal(download.suggestedFilename(), "artifact.zip");
  const files = readZip(readFileSync(await download.path()));
  for (const name of [
    "README.md",
    "report.json",
    "adapter/query_head.safetensors",
    "data/scores.tsv",
    "model/README.md",
    "model/modules.json",
  ]) {
    assert.ok(files.get(name)?.length > 0, `${name} is missing in ${[...files.keys()].join(", ")}`);
  }
  const report = JSON.parse(files.get("report.json"));
  assert.deepEqual(
    [report.data.queries, report.data.documents, report.stages.score.pairs],
    [sample.queries, documents, pairs],
  );
  assert.equal(report.device.kind, "cpu");
  const scores = files.get("data/scores.tsv").toString().trimEnd().split("\n").slice(1);
  assert.equal(scores.length, sample.queries * 100);
  const shown = (await figures("ndcg@10")).slice(1, 4).map(Number);
  const { base, tuned, ceiling } = report.evaluation.judged["ndcg@10"];
  for (const [i, value] of [base, tuned, ceiling].entries()) {
    assert.ok(Math.abs(shown[i] - value) < 0.001, `the page shows ${shown[i]}, the report says ${value}`);
  }
  const counted = ndcg(scores);
  assert.ok(Math.abs(base - counted) < 1e-6, `nDCG@10 of the base is ${base}, counted from the scores ${counted}`);
});

/** Mean nDCG@10 of the candidates as they are ranked in scores.tsv, by the sample's judgements of relevance 1. */
function ndcg(scores) {
  const relevant = new Map();
  for (const [query, document, relevance] of sample.qrels.map((line) => line.split("\t"))) {
    assert.equal(relevance, "1");
    relevant.set(query, (relevant.get(query) ?? new Set()).add(document));
  }
  const gain = (rank) => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0);
  const found = new Map([...relevant.keys()].map((query) => [query, 0]));
  for (const [query, document, rank] of scores.map((line) => line.split("\t"))) {
    if (relevant.get(query)?.has(document)) found.set(query, found.get(query) + gain(Number(rank)));
  }
  let sum = 0;
  for (const [query, documents] of relevant) {
    const best = Array.from(documents, (_, i) => gain(i + 1)).reduce((total, one) => total + one, 0);
    sum += found.get(query) / best;
  }
  return sum / relevant.size;
}

const CSV_HEADER = "query_id,query,similar_id,similar,dissimilar_id,dissimilar,margin";

test("the data set is offered in its other formats", { timeout }, async () => {
  const save = async (id) => {
    const waiting = demo.page.waitForEvent("download", { timeout });
    await demo.get(id).click();
    return readFileSync(await (await waiting).path(), "utf8");
  };
  assert.equal((await save("download-csv")).split(/\r?\n/)[0], CSV_HEADER);
  assert.equal((await save("download-gpl")).split("\n")[0].split("\t").length, 4);
  assert.deepEqual(Object.keys(JSON.parse((await save("download-jsonl")).split("\n")[0])).slice(0, 3), [
    "query",
    "pos",
    "neg",
  ]);
  assert.equal(JSON.parse(await save("download-report")).data.queries, sample.queries);
});

test("once the models are loaded, no request is made", () => {
  // Those of the worker are among what is recorded: it fetches the engine.
  const fetched = requests.before.filter((url) => url.endsWith(".wasm"));
  assert.equal(fetched.length, 1, "workers that help are handed the compiled engine");
  const sent = requests.after.filter((url) => !/^(blob|data):/.test(url));
  assert.deepEqual(sent, []);
});

test("the page's policy lets nothing through to a stranger", async () => {
  const blocked = await demo.page.evaluate(async () => {
    const violation = new Promise((resolve) => {
      document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), {
        once: true,
      });
    });
    const answer = await fetch("https://stranger.invalid/").then(
      () => "answered",
      () => "refused",
    );
    return [answer, await violation];
  });
  assert.deepEqual(blocked, ["refused", "connect-src"]);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
