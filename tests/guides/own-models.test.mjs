// The guide to own models: what sentence-transformers saves is loaded, hashes are checked, what is kept is deleted.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { preparePythonOf } from "../../scripts/lib/interop.mjs";
import { models } from "../../scripts/lib/paths.mjs";
import { Follower, readGuide } from "./support/guide.mjs";

const timeout = 30 * 60_000;
let follower;

before(
  async () => {
    const python = await preparePythonOf("6.2");
    const env = { HF_HUB_OFFLINE: "1", CUDA_VISIBLE_DEVICES: "", TQDM_DISABLE: "1" };
    follower = await Follower.open({ programs: [dirname(python)], env });
    // For the hub's model there is a folder here: to sentence-transformers a path is as good as an id.
    const steps = readGuide("own-models").map((step) => {
      if (step.path !== "save.py") return step;
      return { ...step, text: step.text.replace("sentence-transformers/all-MiniLM-L6-v2", models.encoder) };
    });
    await follower.follow(steps);
  },
  { timeout },
);

after(() => follower?.close());

test("the hash of the weights is told", () => {
  const hash = createHash("sha256").update(readFileSync(follower.path("models", "my-encoder", "model.safetensors")));
  assert.match(follower.printed.get("sha256sum models/my-encoder/model.safetensors"), new RegExp(hash.digest("hex")));
});

test("a model that sentence-transformers has saved is loaded, and refused with a wrong hash", () => {
  const lines = follower.printed.get("node check.mjs").trim().split("\n");
  assert.equal(lines[0], "my-encoder 6 layers, 384 dimensions, up to 256 tokens");
  // The value of the model's card is .6660.
  assert.equal(lines[1], "cosine 0.666");
  assert.equal(lines[2], "refused: model-integrity");
});

test("what is kept is listed and deleted", () => {
  const lines = follower.printed.get("node kept.mjs").trim().split("\n");
  // The default models at the very commits that this version was made with.
  const kept = (name) => lines.find((line) => line.match(`^https://huggingface.co/${name}/resolve/[0-9a-f]{40}/`));
  assert.match(kept("sentence-transformers/all-MiniLM-L6-v2"), / 9\d MB complete$/);
  assert.match(kept("cross-encoder/ms-marco-MiniLM-L-12-v2"), / 3\d MB complete$/);
  assert.deepEqual(lines.slice(-2), ["true", "false"]);
});
