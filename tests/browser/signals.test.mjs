// Signals in a page: what they stop before and beside the long calls; and a script that may not start a worker.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { folder, serve } from "../../scripts/lib/server.mjs";
import { openPackagePage, places } from "./support/package-page.mjs";

const timeout = 2 * 60_000;
let opened;
let requests;

before(
  async () => {
    opened = await openPackagePage({ routes: { "/never.wasm": () => {} } });
    opened.page.context().on("request", (request) => requests.push(new URL(request.url()).pathname));
    requests = [];
    await opened.page.evaluate(async (path) => {
      globalThis.querytune = await import(path);
    }, places.package);
  },
  { timeout },
);

beforeEach(() => {
  requests = [];
});

after(() => opened?.close());

test("a signal that is aborted already starts no worker", { timeout }, async () => {
  const names = await opened.page.evaluate(async () => {
    const { open, load, loadArtifact } = globalThis.querytune;
    const signal = AbortSignal.abort();
    const calls = [open({ signal }), load({ signal }), loadArtifact(new Uint8Array(), { signal })];
    return Promise.all(
      calls.map((call) =>
        call.then(
          () => "started",
          ({ name }) => name,
        ),
      ),
    );
  });
  assert.deepEqual(names, ["AbortError", "AbortError", "AbortError"]);
  assert.deepEqual([opened.page.workers().length, requests], [0, []]);
});

test("a signal ends the start of the engine, and its worker", { timeout }, async () => {
  const waited = await opened.page.evaluate(async () => {
    const { open } = globalThis.querytune;
    const controller = new AbortController();
    const reason = new Error("nobody waits");
    // Never answered.
    const opening = open({ store: "memory", wasm: "/never.wasm", signal: controller.signal });
    setTimeout(() => controller.abort(reason), 500);
    const from = performance.now();
    const error = await opening.catch((thrown) => thrown);
    return error === reason ? performance.now() - from : -1;
  });
  assert.ok(waited >= 0 && waited < 20_000, `${waited}`);
  for (let tries = 0; opened.page.workers().length > 0 && tries < 50; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(opened.page.workers().length, 0);
});

test("reading ends with its signal, and the session goes on", { timeout }, async () => {
  const found = await opened.page.evaluate(async () => {
    const { open } = globalThis.querytune;
    const session = await open({ store: "memory" });
    const name = (call) =>
      call.then(
        () => "read",
        (error) => error.name,
      );
    const controller = new AbortController();
    const many = Array.from({ length: 100_000 }, (_, i) => `text number ${i}`);
    const reading = name(session.readDocuments(many, { signal: controller.signal }));
    controller.abort();
    const names = [
      await reading,
      await name(session.readQueries(["a"], { signal: controller.signal })),
      await name(session.readJudgements(new TextEncoder().encode("1\t1\t1\n"), { signal: controller.signal })),
    ];
    const { length } = await session.readQueries(["a", "b"], { signal: new AbortController().signal });
    session.dispose();
    return [...names, length];
  });
  assert.deepEqual(found, ["AbortError", "AbortError", "AbortError", 2]);
});

test("reading tells how far it is, and stops in the middle when nobody wants it", { timeout }, async () => {
  const { heard, bytes, after, name, stoppedAt } = await opened.page.evaluate(async () => {
    const { open } = globalThis.querytune;
    const session = await open({ store: "memory" });
    const rows = Array.from({ length: 300_000 }, (_, i) => `d${i},"text number ${i}, of a long list of such texts"\n`);
    const file = new File(["id,text\n", ...rows], "documents.csv");
    const heard = [];
    const texts = await session.readDocuments(file, { onProgress: (progress) => heard.push(progress) });
    const controller = new AbortController();
    let stoppedAt;
    const onProgress = (progress) => {
      if (progress.done > 0) controller.abort();
      stoppedAt = progress.done;
    };
    const reading = session.readDocuments(file, { signal: controller.signal, onProgress });
    const name = await reading.then(
      () => "read",
      (error) => error.name,
    );
    // After it, as the worker does one thing after the other.
    await session.readQueries(["a"]);
    session.dispose();
    return { heard, bytes: file.size, after: texts.length, name, stoppedAt };
  });
  assert.equal(after, 300_000);
  assert.deepEqual([...new Set(heard.map(({ stage }) => stage))], ["read"]);
  assert.deepEqual([...new Set(heard.map(({ total }) => total))], [bytes]);
  const done = heard.map(({ done }) => done);
  assert.deepEqual([done[0], done.at(-1)], [0, bytes]);
  assert.ok(done.length > 3, `${done}`);
  assert.deepEqual(
    done,
    done.toSorted((a, b) => a - b),
  );
  assert.equal(name, "AbortError");
  assert.ok(stoppedAt > 0 && stoppedAt < bytes, `${stoppedAt} of ${bytes}`);
});

test("a package from another origin says where it has to lie", { timeout }, async () => {
  const headers = { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin" };
  const cdn = await serve({ "/pkg/": folder(join(root, "pkg", "dist"), headers) });
  try {
    const { code, message } = await opened.page.evaluate(async (path) => {
      const { open } = await import(path);
      return open().catch(({ code, message }) => ({ code, message }));
    }, `${cdn.address}/pkg/index.js`);
    assert.equal(code, "option");
    assert.match(message, /From another origin.*serve the package's dist folder from your own/);
  } finally {
    await cdn.close();
  }
});
