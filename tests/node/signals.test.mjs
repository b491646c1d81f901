// Signals: what they stop besides the long calls, and how an error is known for that of an aborted call.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isAbort, isCached, load, loadArtifact, open } from "../../pkg/dist/core.js";

const timeout = 60_000;

test("a signal that is aborted already starts nothing", { timeout }, async () => {
  const reason = new Error("nobody waits");
  let started = 0;
  const options = {
    signal: AbortSignal.abort(reason),
    get wasm() {
      started += 1;
      return new URL("file:///nowhere/querytune.wasm");
    },
  };
  for (const start of [open(options), load(options), loadArtifact(new Uint8Array(), options)])
    await assert.rejects(start, (error) => error === reason);
  assert.equal(started, 0);
});

test("reading ends with its signal, also while the file is on its way", { timeout }, async () => {
  const session = await open({ store: "memory" });
  const aborted = { signal: AbortSignal.abort() };
  const blob = new Blob(["a text\n"]);
  await assert.rejects(session.readQueries(["a text"], aborted), { name: "AbortError" });
  await assert.rejects(session.readDocuments(blob, aborted), { name: "AbortError" });
  await assert.rejects(session.readJudgements(blob, aborted), { name: "AbortError" });
  const controller = new AbortController();
  const reading = session.readDocuments(blob, { signal: controller.signal });
  controller.abort();
  await assert.rejects(reading, { name: "AbortError" });
  assert.equal((await session.readDocuments(blob, { signal: new AbortController().signal })).length, 1);
  session.dispose();
});

test("isAbort knows a signal's reason, whatever it is, and a time that ran out", async () => {
  assert.equal(isAbort(AbortSignal.abort().reason), true);
  assert.equal(isAbort(new Error("another")), false);
  const reason = { why: "the person left" };
  assert.deepEqual([isAbort(reason), isAbort(reason, AbortSignal.abort(reason))], [false, true]);
  assert.equal(isAbort(new Error("another"), AbortSignal.abort(reason)), false);
  const signal = AbortSignal.timeout(1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([signal.reason.name, isAbort(signal.reason)], ["TimeoutError", true]);
});

test("an address that is none is refused as an option", { timeout }, async () => {
  const refused = { code: "option", message: /is not an address/ };
  const options = { store: "memory", crossEncoder: false };
  await assert.rejects(load({ ...options, encoder: "https://" }), refused);
  await assert.rejects(load({ ...options, encoder: { url: "https://" } }), refused);
  await assert.rejects(load({ ...options, encoder: { hub: "some/model", host: "models" } }), refused);
});

test("files of Node's own, which have no folder, are a model's files", async () => {
  assert.equal(await isCached([new File(["{}"], "config.json")]), true);
});
