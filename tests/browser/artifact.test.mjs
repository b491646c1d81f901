// A run's download is used again in a page that has nothing else: no model, and no network.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPackagePage, places } from "./support/package-page.mjs";
import { documents, queries } from "./support/tiny-job.mjs";

const timeout = 5 * 60_000;
let opened;
/** What the run found, and its zip in base64. */
let run;

before(
  async () => {
    opened = await openPackagePage();
    run = await opened.page.evaluate(
      async ({ places, queries, documents }) => {
        const { load } = await import(places.package);
        const { encoder, crossEncoder } = places;
        const tuner = await load({ store: "memory", encoder, crossEncoder, device: "cpu", threads: 1 });
        const relations = await tuner.synthesize(queries, documents, { candidates: 10, depth: 5 });
        const fit = await tuner.fit(relations, { seed: 1, epochs: 20, folds: 3, method: "head" });
        const found = [];
        for (const query of queries) found.push(await fit.search(query));
        const zip = await fit.saveArtifact();
        tuner.dispose();
        const root = await navigator.storage.getDirectory();
        const file = await (await root.getFileHandle("model.zip", { create: true })).createWritable();
        await file.write(zip);
        await file.close();
        return { found, delivered: fit.report.fit.delivered };
      },
      { places, queries, documents },
    );
  },
  { timeout },
);

after(() => opened?.close());

test("a fresh page with the network closed finds what the run found", { timeout }, async () => {
  const requests = [];
  const { page } = opened;
  await page.reload();
  const result = await page.evaluate(
    async ({ places, queries, documents }) => {
      const { open } = await import(places.package);
      const session = await open({ store: "memory" });
      const root = await navigator.storage.getDirectory();
      globalThis.zip = await (await root.getFileHandle("model.zip")).getFile();
      Object.assign(globalThis, { session, queries, documents });
      return globalThis.zip.size;
    },
    { places, queries, documents },
  );
  assert.ok(result > 1e6);
  await page.context().setOffline(true);
  page.on("request", (request) => requests.push(request.url()));
  try {
    const found = await page.evaluate(async () => {
      const { session, zip, queries, documents } = globalThis;
      const stages = new Set();
      const model = await session.loadArtifact(zip, {
        device: "cpu",
        threads: 1,
        onProgress: ({ stage }) => stages.add(stage),
      });
      const { info, isTuned, report } = model;
      const searched = {};
      for (const which of ["base", "trained"]) {
        const index = await model.index(documents, { model: which });
        searched[which] = [];
        for (const query of queries) searched[which].push(await index.search(query));
      }
      session.dispose();
      return { info, isTuned, delivered: report.fit.delivered, searched, stages: [...stages] };
    });
    assert.equal(found.delivered, run.delivered);
    assert.equal(found.isTuned, run.delivered === "tuned");
    assert.equal(found.info.models.crossEncoder, undefined);
    assert.deepEqual(found.stages, ["load"]);
    const own = (hits) => hits.map(({ document, text }) => ({ document, text }));
    const assertSame = (hits, expected) => {
      assert.deepEqual(own(hits), own(expected));
      // A head is kept with 1 added to its diagonal, which costs last bits.
      for (const [i, { score }] of hits.entries()) {
        assert.ok(Math.abs(score - expected[i].score) < 2e-6, `${score} is not ${expected[i].score}`);
      }
    };
    for (const [i, { base, tuned }] of run.found.entries()) {
      assertSame(found.searched.base[i], base);
      assertSame(found.searched.trained[i], tuned);
    }
    assert.deepEqual(requests, []);
  } finally {
    await page.context().setOffline(false);
  }
});

/** Runs `work(loadArtifact, { zip, queries, documents })` in the page; `zip` as bytes. */
const inPage = (work) =>
  opened.page.evaluate(
    `(async () => {
      const { loadArtifact } = await import(${JSON.stringify(places.package)});
      const root = await navigator.storage.getDirectory();
      const file = await (await root.getFileHandle("model.zip")).getFile();
      const zip = new Uint8Array(await file.arrayBuffer());
      const given = { zip, queries: ${JSON.stringify(queries)}, documents: ${JSON.stringify(documents)} };
      return (${work})((bytes) => loadArtifact(bytes, { store: "memory", device: "cpu", threads: 1 }), given);
    })()`,
  );

test("calls may overlap, and the bytes stay the caller's", { timeout }, async () => {
  const result = await inPage(async (loadArtifact, { zip, queries, documents }) => {
    const model = await loadArtifact(zip);
    const [index, vectors, other] = await Promise.all([
      model.index(documents),
      model.embedQueries(queries),
      model.index(documents.slice(0, 5), { model: "base" }),
    ]);
    const hits = await Promise.all(queries.map((query) => index.search(query, { topK: 1 })));
    const alone = [];
    for (const query of queries) alone.push(await index.search(query, { topK: 1 }));
    const few = await other.search(queries[0]);
    model.dispose();
    return { hits, alone, few: few.length, dims: vectors.dims, bytes: zip.length };
  });
  assert.deepEqual(result.hits, result.alone);
  assert.deepEqual([result.few, result.dims], [5, [6, 384]]);
  assert.ok(result.bytes > 1e6);
});

test("so do those of a Buffer, whose slices are views", { timeout }, async () => {
  const result = await inPage(async (loadArtifact) => {
    class Buffer extends Uint8Array {
      slice(from, to) {
        return this.subarray(from, to);
      }
    }
    const bytes = Buffer.from([1, 2, 3]);
    const code = await loadArtifact(bytes).catch(({ code }) => code);
    return { code, bytes: [...bytes] };
  });
  assert.deepEqual(result, { code: "artifact", bytes: [1, 2, 3] });
});

test("disposing of a model ends its worker, and calls under way", { timeout }, async () => {
  const workers = () => opened.page.workers().length;
  const before = workers();
  const result = await inPage(async (loadArtifact, { zip, documents }) => {
    const model = await loadArtifact(zip);
    const pending = model.index(documents).catch(({ code }) => code);
    model.dispose();
    const later = model.embedQueries(["too late"]).catch(({ code }) => code);
    return [await pending, await later];
  });
  assert.deepEqual(result, ["disposed", "disposed"]);
  for (let tries = 0; workers() > before && tries < 50; tries++) await opened.page.waitForTimeout(100);
  assert.equal(workers(), before);
});

test("what is no download is refused, and its worker ended", { timeout }, async () => {
  const before = opened.page.workers().length;
  const codes = await inPage(async (loadArtifact, { zip }) => {
    const attempt = (bytes) => loadArtifact(bytes).catch(({ code, message }) => ({ code, message }));
    return [
      await attempt(new TextEncoder().encode("query,count\n")),
      await attempt(zip.subarray(0, zip.length >> 1)),
      await attempt("artifact.zip"),
    ];
  });
  assert.deepEqual(
    codes.map(({ code }) => code),
    ["artifact", "artifact", "option"],
  );
  assert.match(codes[0].message, /This is not a zip file/);
  assert.match(codes[1].message, /cut short/);
  for (let tries = 0; opened.page.workers().length > before && tries < 50; tries++) {
    await opened.page.waitForTimeout(100);
  }
  // One of the test before may have been about to end.
  assert.ok(opened.page.workers().length <= before);
});
