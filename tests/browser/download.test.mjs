// Models by hub id in a page: a download that broke off goes on where it was, and what is there is not asked for again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openHubPage } from "./support/hub-page.mjs";
import { places } from "./support/package-page.mjs";

const timeout = 5 * 60_000;
let opened;
let hub;

before(
  async () => {
    opened = await openHubPage();
    ({ hub } = opened);
  },
  { timeout },
);

after(() => opened?.close());

/** Loads both models; resolves to the error's code, or to nothing. */
function load() {
  hub.requests = [];
  return opened.page.evaluate(async (path) => {
    const { load } = await import(path);
    const source = (id) => ({ hub: `some/${id}`, host: new URL("/hub/", location.href).href });
    const options = { store: "memory", device: "cpu", threads: 1 };
    try {
      const tuner = await load({ ...options, encoder: source("encoder"), crossEncoder: source("cross") });
      tuner.dispose();
      return undefined;
    } catch (error) {
      return error.code;
    }
  }, places.package);
}

test("a download that breaks off is an error of its own", { timeout }, async () => {
  hub.breakAfter = 2_000_000;
  assert.equal(await load(), "model-download");
});

test("the next one asks for the rest alone", { timeout }, async () => {
  hub.breakAfter = undefined;
  assert.equal(await load(), undefined);
  // The other one was cancelled, at whatever place it was by then.
  const asked = [...hub.weights("encoder"), ...hub.weights("cross")];
  assert.equal(asked.length, 2);
  assert.ok(
    asked.some((request) => request.endsWith("/model.safetensors bytes=2000000-")),
    asked.join(),
  );
});

test("what is there is not asked for again", { timeout }, async () => {
  assert.equal(await load(), undefined);
  assert.deepEqual([hub.weights("encoder"), hub.weights("cross")], [[], []]);
});
