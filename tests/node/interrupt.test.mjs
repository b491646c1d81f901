// Ctrl-C in the middle of scoring: what is scored is kept, and the same command scores the rest and nothing else. Ctrl-C
// when all is done: there is nothing to stop.
import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { FolderStore } from "../../pkg/cli/store.mjs";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { ownModels, sample, Workplace } from "./support/command.mjs";

const timeout = 5 * 60_000;
const place = new Workplace();
const pairs = 30 * 12;
const command = ["--queries", "log.csv", "--documents", "docs.csv", "--out", "tuned", "--store", "kept"];
const job = ["adapt", ...command, "--candidates", "12", "--depth", "12", ...ownModels];

before(() => {
  writeFileSync(place.path("log.csv"), sample("queries.csv", 31));
  writeFileSync(place.path("docs.csv"), sample("documents.csv", 101));
});

after(() => place.remove());

const scoreLog = () => {
  const names = existsSync(place.path("kept")) ? readdirSync(place.path("kept")) : [];
  return names.find((name) => name.startsWith("logits-"));
};

/** Keys of the pairs in the store; a record is a key of 16 bytes and a 32-bit logit. */
async function storedPairs() {
  const store = new FolderStore(place.path("kept"));
  try {
    const log = decodeURIComponent(scoreLog().replace(/\.log$/, ""));
    const found = [];
    for (let chunk = 0; chunk < (await store.count(log)); chunk++) {
      const bytes = await store.read(log, chunk);
      for (let at = 0; at < bytes.length; at += 20) found.push(bytes.slice(at, at + 16).join());
    }
    return found;
  } finally {
    store.close();
  }
}

let scoredFirst;

test("ctrl-C ends the command with 130 and says how to go on", { timeout }, async (context) => {
  const { child, ended } = place.start([...job, "--json"]);
  while (!scoreLog() || statSync(place.path("kept", scoreLog())).size < 2000) {
    assert.equal(child.exitCode, null, "scoring has begun before the command ended");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const from = performance.now();
  child.kill("SIGINT");
  const { code, out, err } = await ended;
  context.diagnostic(`ended within ${(performance.now() - from).toFixed(0)} ms`);
  assert.equal(code, 130, err);
  assert.match(err, /what is scored is kept/);
  assert.match(err, /The same command goes on from here/);
  assert.equal(JSON.parse(out).error.code, "cancelled");
  scoredFirst = (await storedPairs()).length;
  assert.ok(scoredFirst > 0 && scoredFirst < pairs, `${scoredFirst} of ${pairs}`);
});

test("the same command scores what is left, and no pair twice", { timeout }, async () => {
  const { code, out, err } = await place.run(...job, "--json");
  assert.equal(code, 0, err);
  const { score, encode } = JSON.parse(out).report.stages;
  assert.deepEqual([score.pairs, score.cached], [pairs, scoredFirst]);
  assert.ok(encode, "the stage is reported");
  const stored = await storedPairs();
  assert.equal(stored.length, pairs);
  assert.equal(new Set(stored).size, pairs);
});

test("ctrl-C when the job is finished ends it as finished, and says so", { timeout }, async () => {
  for (const [name, role] of [
    ["encoder", "encoder"],
    ["cross", "crossEncoder"],
  ]) {
    writeSmallModel(place.path(name), role, { hidden: 32, heads: 2, inner: 64 });
  }
  // The zip is made, and about to be written.
  writeFileSync(
    place.path("late.mjs"),
    `const { arrayBuffer } = Blob.prototype;
    Blob.prototype.arrayBuffer = async function () {
      // Waiting for a signal alone keeps no process alive.
      const alive = setInterval(() => {}, 1000);
      process.kill(process.pid, "SIGINT");
      await new Promise((resolve) => process.once("SIGINT", resolve));
      clearInterval(alive);
      return arrayBuffer.call(this);
    };`,
  );
  const models = ["--encoder", place.path("encoder"), "--cross-encoder", place.path("cross"), "--threads", "1"];
  const files = ["--queries", "log.csv", "--documents", "docs.csv", "--out", "late", "--store", "kept-late"];
  const { ended } = place.start(["adapt", ...files, "--candidates", "4", "--depth", "2", ...models], {
    NODE_OPTIONS: `--import=${pathToFileURL(place.path("late.mjs"))}`,
  });
  const { code, err } = await ended;
  assert.equal(code, 0, err);
  assert.match(err, /Stopping; .*\n.*The job was finished already: nothing was left to stop\./);
  assert.ok(existsSync(place.path("late", "model", "model.safetensors")), "the model is unpacked");
});
