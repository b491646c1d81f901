// The guide to Python: the tuned model finds in sentence-transformers what it finds in the engine.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { preparePythonOf } from "../../scripts/lib/interop.mjs";
import { Follower, readGuide } from "./support/guide.mjs";

// The first time, torch is downloaded.
const timeout = 30 * 60_000;
let follower;

/** The documents with their first words as titles: together they are the texts that they were. */
function writeTitles() {
  const [, ...rows] = readFileSync(follower.path("documents.csv"), "utf8").trim().split("\n");
  const titled = rows.map((row) => row.replace(/^(\d+),("?)(\S+) ?/, '$1,"$3",$2'));
  follower.write("documents.csv", `${["id,title,text", ...titled].join("\n")}\n`);
}

before(
  async () => {
    const python = await preparePythonOf("6.2");
    // As where there is no hub, and no graphics card.
    const env = { HF_HUB_OFFLINE: "1", CUDA_VISIBLE_DEVICES: "", TQDM_DISABLE: "1" };
    follower = await Follower.open({ programs: [dirname(python)], env });
    follower.writeSample();
    // The engine encodes titles with their texts.
    writeTitles();
    await follower.follow(readGuide("python"));
  },
  { timeout },
);

after(() => follower?.close());

test("Python finds the documents that the engine finds, in its order", { timeout }, () => {
  const [python, engine] = ["python nearest.py", "npx querytune search"].map((begin) => {
    const [, output] = [...follower.printed].find(([command]) => command.startsWith(begin));
    return output;
  });
  const { delivered, tuned, base } = JSON.parse(engine);
  assert.equal(delivered, "tuned");
  const ids = (list) => list.map(({ id }) => id);
  const found = python
    .trim()
    .split("\n")
    .map((line) => line.split("\t")[0]);
  assert.deepEqual(found, ids(tuned));
  assert.notDeepEqual(found, ids(base));
});
