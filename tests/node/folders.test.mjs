// Models in folders of the local disk: names that an address has to escape, and addresses that begin in the working
// folder.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { isCached, load } from "../../pkg/dist/core.js";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 60_000;
const place = new Workplace();
const usual = process.cwd();
const odd = "a #1, 50% ö?";
const options = { crossEncoder: false, store: "memory", device: "cpu", threads: 1 };

before(() => {
  mkdirSync(place.path(odd));
  for (const name of ["50%", "50%25", `${odd}/encoder`]) {
    writeSmallModel(place.path(name), "encoder", { hidden: 32, heads: 2, inner: 64 });
  }
});

after(() => {
  process.chdir(usual);
  place.remove();
});

/** The name of the model that is loaded from there. */
async function nameOf(encoder) {
  const tuner = await load({ ...options, encoder });
  tuner.dispose();
  return tuner.info.models.encoder.id;
}

test("a percent sign that escapes nothing is part of a folder's name", { timeout }, async () => {
  assert.equal(await nameOf(`${place.folder}/50%/`), "50%");
  assert.equal(await nameOf(`${place.folder}/50%25/`), "50%");
  assert.equal(await nameOf(`${place.folder}/50%2525/`), "50%25");
});

test("a name that is no UTF-8 is taken as it stands", { timeout }, async () => {
  assert.equal(await isCached("https://models.example.com/%ff/"), false);
});

test("a relative address begins in the working folder, whatever that is called", { timeout }, async () => {
  process.chdir(place.path(odd));
  try {
    assert.equal(await nameOf("./encoder/"), "encoder");
  } finally {
    process.chdir(usual);
  }
});

test("a working folder of Windows becomes an address", { timeout }, async (context) => {
  const { platform } = process;
  const folder = context.mock.method(process, "cwd", () => "C:\\Users\\A B\\50%#");
  Object.defineProperty(process, "platform", { value: "win32" });
  try {
    const where = async (path) => (await load({ ...options, encoder: path }).catch((error) => error)).message;
    assert.match(await where("./model/"), /no config\.json at file:\/\/\/C:\/Users\/A%20B\/50%25%23\/model\/\./);
    folder.mock.mockImplementation(() => "C:\\");
    assert.match(await where("./model/"), /no config\.json at file:\/\/\/C:\/model\/\./);
    folder.mock.mockImplementation(() => "\\\\server\\share");
    assert.match(await where("./model/"), /file:\/\/server\/share\/model\/config\.json/);
  } finally {
    Object.defineProperty(process, "platform", { value: platform });
  }
});
