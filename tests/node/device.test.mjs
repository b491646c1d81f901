// The device in Node: the CPU, whether it is asked for or not.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "../../pkg/dist/core.js";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const place = new Workplace();
const models = {
  encoder: pathToFileURL(`${place.path("encoder")}/`),
  crossEncoder: pathToFileURL(`${place.path("cross")}/`),
};

before(() => {
  writeSmallModel(place.path("encoder"), "encoder", { hidden: 32, heads: 2, inner: 64 });
  writeSmallModel(place.path("cross"), "crossEncoder", { hidden: 32, heads: 2, inner: 64 });
});

after(() => place.remove());

test("without a device given, or with auto, Node computes on the CPU", { timeout }, async () => {
  for (const device of [undefined, "auto"]) {
    const tuner = await load({ ...models, store: "memory", threads: 1, device });
    assert.equal(tuner.info.device.kind, "cpu");
    tuner.dispose();
  }
});

test("WebGPU is refused in Node with what to do", { timeout }, async () => {
  const wanted = { ...models, store: "memory", threads: 1, device: "webgpu" };
  await assert.rejects(load(wanted), { code: "device-unavailable", message: /the CPU always is/ });
});
