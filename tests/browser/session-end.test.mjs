// Which errors mean that a session is at its end: the page gives up a result with those alone.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bundle } from "./support/part-page.mjs";

/** The package's functions for errors, and what the page makes of the package's errors. */
let errors;
let page;

async function imported(source) {
  const script = await bundle(source);
  return import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`);
}

before(async () => {
  errors = await imported('export { fromData, fromEngine, toData } from "./pkg/src/errors.ts";');
  page = await imported(
    'export { isEnd } from "./www/src/session.ts"; export { QuerytuneError } from "querytune/core";',
  );
});

/** Whether the page takes it for the end, after it has come from the engine and out of the worker. */
function isEnd(thrown) {
  const { code, message, endsSession } = errors.fromData(structuredClone(errors.toData(thrown)));
  return page.isEnd(new page.QuerytuneError(code, message, { endsSession }));
}

test("a trap is the end", () => {
  assert.equal(isEnd(new WebAssembly.RuntimeError("unreachable")), true);
});

test("a call that failed is not: the session can still be used, as it says", () => {
  const thrown = new TypeError("planted");
  assert.match(errors.fromEngine(thrown).message, /planted\. The session can still be used\./);
  assert.equal(isEnd(thrown), false);
});

test("an error with a code of the engine's is not, whatever the code", () => {
  for (const code of ["input-empty", "store", "internal", "disposed"]) {
    assert.equal(isEnd(Object.assign(new Error("planted"), { code })), false, code);
  }
});
