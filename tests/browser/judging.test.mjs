// Quick judging through the package: what is asked, what the answers decide, and that they are found again.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openPackagePage, places } from "./support/package-page.mjs";
import { documents, manyQueries as queries } from "./support/tiny-job.mjs";
import { readZip } from "./support/zip.mjs";

const timeout = 5 * 60_000;
let opened;

before(
  async () => {
    opened = await openPackagePage();
    await start();
  },
  { timeout },
);

after(() => opened?.close());

/** Runs `work({ run, judging, tuner, relations }, given)` in the page. */
const inPage = (work, given) =>
  opened.page.evaluate(`(${work})(globalThis, ${JSON.stringify(given === undefined ? null : given)})`);

/** The job, with a judging, in the page's global object. */
async function start() {
  await opened.page.evaluate(
    async ({ places, queries, documents }) => {
      const { load } = await import(places.package);
      const { encoder, crossEncoder } = places;
      const tuner = await load({ store: "indexeddb", encoder, crossEncoder, device: "cpu", threads: 1 });
      const relations = await tuner.synthesize(queries, documents, { candidates: 20, depth: 12 });
      const run = await tuner.fit(relations, { seed: 1 });
      const own = structuredClone(run.report);
      const judging = await run.judging();
      Object.assign(globalThis, { tuner, relations, run, own, judging });
    },
    { places, queries, documents },
  );
}

/**
 * Answers every question: relevant are the documents that one ranking ("base", "tuned" or "crossEncoder") has at a
 * better rank than another one.
 */
function answerAll(better, worse) {
  return inPage(
    async ({ run, relations, judging }, [better, worse]) => {
      for (const { query, text, documents } of judging.items) {
        const { base, tuned } = await run.search(text, { topK: 10 });
        const scored = (await relations.candidates(query)).filter(({ logit }) => logit !== undefined);
        const crossEncoder = scored.sort((a, b) => b.logit - a.logit).slice(0, 10);
        const rankings = { base, tuned, crossEncoder };
        const rank = (which, document) => {
          const place = rankings[which].findIndex((hit) => hit.document === document);
          return place < 0 ? 10 : place;
        };
        for (const { document } of documents) {
          const relevance = rank(better, document) < rank(worse, document) ? 2 : 0;
          await judging.answer(query, document, relevance);
        }
      }
    },
    [better, worse],
  );
}

const verdict = () =>
  inPage(async ({ run, judging }) => ({ verdict: await judging.verdict(), report: structuredClone(run.report) }));

const failure = (work) =>
  inPage(async (global, work) => {
    try {
      await new Function("global", `return (${work})(global)`)(global);
    } catch (error) {
      return { code: error.code, name: error.name };
    }
    return undefined;
  }, String(work));

test("questions have texts, and nothing that tells whose a document is", { timeout }, async () => {
  const items = await inPage(({ judging }) => judging.items);
  assert.ok(items.length >= 10, `${items.length} queries are ranked differently`);
  for (const { query, text, documents: asked, ...rest } of items) {
    assert.equal(text, queries[query]);
    assert.ok(asked.length >= 1 && asked.length <= 6);
    assert.deepEqual(rest, {});
    for (const { document, id, ...shown } of asked) {
      assert.deepEqual(shown, { text: documents[document] });
      assert.equal(id, String(document + 1));
    }
  }
  assert.deepEqual(await inPage(({ judging }) => judging.answers()), []);
});

test("the same run has the same questions, and no more than are asked for", { timeout }, async () => {
  const { all, again, few } = await inPage(async ({ run, judging }) => ({
    all: judging.items,
    again: (await run.judging({ seed: 0 })).items,
    few: (await run.judging({ queries: 3, documents: 2 })).items,
  }));
  assert.deepEqual(again, all);
  assert.equal(few.length, 3);
  assert.ok(few.every(({ documents }) => documents.length <= 2));
});

test("without answers nothing is claimed", { timeout }, async () => {
  const { verdict: found, report } = await verdict();
  assert.equal(found.queries, 0);
  assert.equal(found.tuned.conclusion, "no-difference-shown");
  const own = await inPage(({ own }) => own);
  assert.deepEqual(report, { ...own, judging: found });
});

test("answers against the tuned model have the base model delivered", { timeout }, async () => {
  assert.equal(await inPage(({ own }) => own.fit.delivered), "tuned", "the fit's own choice");
  await answerAll("base", "tuned");
  const { verdict: found, report } = await verdict();
  assert.equal(found.tuned.conclusion, "worse", JSON.stringify(found));
  assert.ok(found.queries >= 8 && found.open === 0);
  assert.deepEqual(report.judging, found);
  assert.deepEqual([report.fit.delivered, report.fit.decidedBy, report.fit.selected.step], ["base", "judging", 0]);
  assert.match(report.fit.reason, /^The tuned model ranks worse than the base model .*agreement/i);
});

test("the download then has the base model, the adapter beside it, and the answers", { timeout }, async () => {
  const waiting = opened.page.waitForEvent("download", { timeout });
  await inPage(async ({ run }) => {
    const href = URL.createObjectURL(await run.saveArtifact());
    Object.assign(document.createElement("a"), { href, download: "artifact.zip" }).click();
  });
  const zip = readZip(readFileSync(await (await waiting).path()));
  assert.ok(zip.has("adapter/query_head.safetensors"));
  assert.deepEqual(
    [...zip.keys()].filter((name) => /^model\/.*Router/i.test(name) || name === "model/router_config.json"),
    [],
  );
  assert.equal(JSON.parse(zip.get("report.json")).fit.decidedBy, "judging");
  assert.match(String(zip.get("model/README.md")), /by a person's answers the tuned one ranks worse/);
  assert.match(String(zip.get("README.md")), /data\/judgements\.tsv/);
  assert.equal(String(zip.get("data/judgements.tsv")), await inPage(({ judging }) => judging.toQrels()));
});

test("a reranker that is worse than the encoder is warned of", { timeout }, async () => {
  await answerAll("base", "crossEncoder");
  const { verdict: found, report } = await verdict();
  assert.equal(found.crossEncoder.conclusion, "worse", JSON.stringify(found.crossEncoder));
  assert.ok(
    report.fit.warnings.some((warning) =>
      /^Your reranker is worse than your encoder here .*do not train on it\.$/.test(warning),
    ),
    report.fit.warnings.join("\n"),
  );
});

test("other answers give the fit its own choice back", { timeout }, async () => {
  await answerAll("tuned", "base");
  const { verdict: found, report } = await verdict();
  assert.equal(found.tuned.conclusion, "better");
  const own = await inPage(({ own }) => own.fit);
  for (const key of ["delivered", "decidedBy", "reason", "selected"]) assert.deepEqual(report.fit[key], own[key], key);
});

test("exported answers are judgements that the run can be evaluated by", { timeout }, async () => {
  await answerAll("base", "tuned");
  const { summary, on, ndcg } = await inPage(async ({ run, judging, tuner }) => {
    const qrels = await tuner.readJudgements(new Blob([await judging.toQrels()]));
    const { evaluation } = await run.evaluate({ qrels });
    return { summary: qrels.summary, on: evaluation.on, ndcg: evaluation.judged["ndcg@10"] };
  });
  const asked = await inPage(({ judging }) => judging.items.flatMap(({ documents }) => documents).length);
  assert.equal(summary.judgements, asked);
  assert.deepEqual(summary.skipped, []);
  assert.equal(on, "own queries");
  assert.ok(ndcg.tuned < ndcg.base, "by these judgements the tuned model is worse, too");
});

test("a pair that is not judged takes its query out of the figures", { timeout }, async () => {
  const before = (await verdict()).verdict;
  await inPage(({ judging }) => judging.answer(judging.items[0].query, judging.items[0].documents[0].document, null));
  const { verdict: found } = await verdict();
  assert.deepEqual([found.skipped, found.queries], [1, before.queries - 1]);
});

test("answers that make no sense are refused", { timeout }, async () => {
  const wrong = [
    ({ judging }) => judging.answer(999, 0, 1),
    ({ judging }) => judging.answer(judging.items[0].query, judging.items[0].documents[0].document, 3),
    ({ run }) => run.judging({ queries: 0 }),
    ({ run }) => run.judging({ documents: -1 }),
  ];
  for (const work of wrong) assert.equal((await failure(work))?.code, "option", String(work));
});

test("it can be cancelled, and disposed of", { timeout }, async () => {
  assert.equal((await failure(({ run }) => run.judging({ signal: AbortSignal.abort() })))?.name, "AbortError");
  const gone = await failure(async ({ run }) => {
    const judging = await run.judging();
    judging.dispose();
    await judging.answers();
  });
  assert.equal(gone?.code, "disposed");
});

test("after a reload the same log's answers are found again", { timeout }, async () => {
  const before = await inPage(({ judging }) => judging.answers());
  const { verdict: said } = await verdict();
  await opened.page.reload();
  await start();
  const order = (answers) =>
    answers.map(({ query, document, relevance }) => `${query} ${document} ${relevance}`).sort();
  assert.deepEqual(order(await inPage(({ judging }) => judging.answers())), order(before));
  assert.deepEqual((await verdict()).verdict, said);
});

test("without a worker it is the same", { timeout }, async () => {
  const found = await opened.page.evaluate(
    async ({ places, queries, documents }) => {
      const { load } = await import(places.package.replace("index.js", "core.js"));
      const { encoder, crossEncoder } = places;
      const tuner = await load({ store: "indexeddb", encoder, crossEncoder, device: "cpu", threads: 1 });
      const relations = await tuner.synthesize(queries, documents, { candidates: 20, depth: 12 });
      const run = await tuner.fit(relations, { seed: 1 });
      const judging = await run.judging();
      const verdict = await judging.verdict();
      return { items: judging.items, answers: (await judging.answers()).length, verdict, reported: run.report.judging };
    },
    { places, queries, documents },
  );
  assert.deepEqual(found.items, await inPage(({ judging }) => judging.items));
  assert.equal(found.answers, await inPage(async ({ judging }) => (await judging.answers()).length));
  assert.deepEqual(found.verdict, (await verdict()).verdict);
  assert.deepEqual(found.reported, found.verdict);
});
