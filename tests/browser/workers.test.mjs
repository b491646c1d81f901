// The models' work on the CPU is shared among workers, and what comes out does not depend on how many they are.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { openPackagePage, places } from "./support/package-page.mjs";
import { writeSmallModel } from "./support/small-model.mjs";

const timeout = 15 * 60_000;
let opened;
/** A model whose work takes no time. */
let small;

before(
  async () => {
    small = mkdtempSync(join(tmpdir(), "querytune-small-"));
    writeSmallModel(small, "encoder", { hidden: 32, heads: 2, inner: 64 });
    opened = await openPackagePage({ folders: { "/small/": small } });
  },
  { timeout },
);

after(async () => {
  await opened?.close();
  rmSync(small, { recursive: true, force: true });
});

const sample = (name, lines) =>
  readFileSync(join(root, "examples", "sample", name), "utf8")
    .split("\n")
    .slice(0, lines)
    .join("\n");

/** A small job from texts to the fit's report, with so many threads; resolves to its results and its workers. */
function run(threads, training = { epochs: 4, folds: 3 }) {
  const queries = sample("queries.csv", 13);
  const documents = sample("documents.csv", 201);
  return opened.page.evaluate(
    async ({ places, queries, documents, threads, training }) => {
      const { load } = await import(places.package);
      const { encoder, crossEncoder } = places;
      const bytes = (text) => new TextEncoder().encode(text);
      const warnings = [];
      const onWarning = (message) => warnings.push(message);
      const tuner = await load({ store: "memory", encoder, crossEncoder, device: "cpu", threads, onWarning });
      try {
        // The others have their models some seconds later.
        await new Promise((resolve) => setTimeout(resolve, threads === 1 ? 0 : 8000));
        const relations = await tuner.synthesize(bytes(queries), bytes(documents), { candidates: 20, depth: 8 });
        const fit = await tuner.fit(relations, { seed: 1, ...training });
        return {
          scores: await relations.toScoresTsv(),
          report: fit.report,
          adapter: [...(await fit.adapter())],
          warnings,
        };
      } finally {
        tuner.dispose();
      }
    },
    { places, queries, documents, threads, training },
  );
}

/** The report without what a clock has measured. */
function withoutTimes({ stages, ...report }) {
  const counts = Object.entries(stages).map(([name, { seconds, perSecond, ...rest }]) => [name, rest]);
  return { ...report, stages: Object.fromEntries(counts) };
}

test("one worker and three come to the same scores and the same report, to the last bit", { timeout }, async () => {
  const workers = () => opened.page.context().browser().contexts()[0].pages()[0].workers().length;
  const alone = await run(1);
  let most = 0;
  const watching = setInterval(() => {
    most = Math.max(most, workers());
  }, 200);
  const together = await run(3);
  clearInterval(watching);
  assert.equal(together.scores, alone.scores);
  assert.deepEqual(withoutTimes(together.report), withoutTimes(alone.report));
  assert.ok(most >= 1, "workers were there");
});

test("with LoRA, too, one worker and three come to the same adapter and the same report", { timeout }, async () => {
  const training = { method: "lora", lora: { rank: 4, documents: true }, epochs: 2, folds: 2 };
  const [alone, together] = [await run(1, training), await run(3, training)];
  assert.deepEqual(together.adapter, alone.adapter);
  // Members that cannot help say so.
  assert.deepEqual(together.warnings, []);
  assert.deepEqual(withoutTimes(together.report), withoutTimes(alone.report));
});

test("a tuner disposed of in the middle of a call holds up no other of its session", { timeout }, async () => {
  const outcome = await opened.page.evaluate(async (path) => {
    const { open } = await import(path);
    const session = await open({ store: "memory", onWarning: () => {} });
    try {
      const options = { encoder: "/small/", crossEncoder: false, device: "cpu" };
      const other = await session.load({ ...options, threads: 1 });
      const tuner = await session.load({ ...options, threads: 3 });
      await new Promise((resolve) => setTimeout(resolve, 8000));
      const texts = Array.from({ length: 2000 }, (_, i) => `${i} is the number of this text. `.repeat(5));
      let calling;
      await new Promise((resolve) => {
        const onProgress = ({ done }) => done > 0 && resolve();
        calling = tuner.index(texts, { onProgress }).then(
          () => "done",
          (error) => error.code,
        );
      });
      tuner.dispose();
      const late = new Promise((resolve) => setTimeout(resolve, 60_000, "nothing came"));
      const next = other.embed(["surfing lessons"]).then(({ dims }) => dims[0]);
      return [await Promise.race([calling, late]), await Promise.race([next, late])];
    } finally {
      session.dispose();
    }
  }, places.package);
  assert.deepEqual(outcome, ["done", 1]);
});

test("a number of threads that is none is refused", { timeout }, async () => {
  const code = await opened.page.evaluate(async ({ package: path, encoder, crossEncoder }) => {
    const { load } = await import(path);
    return load({ store: "memory", encoder, crossEncoder, device: "cpu", threads: 0 }).catch((error) => error.code);
  }, places);
  assert.equal(code, "option");
});
