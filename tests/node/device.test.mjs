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

test("8-bit integers say so where they are no faster than 16-bit ones", { timeout }, async () => {
  const wanted = { ...models, store: "memory", threads: 1, dtype: "int8" };
  const tuner = await load(wanted);
  assert.deepEqual([tuner.info.device.kind, tuner.info.device.dtype], ["cpu", "int8"]);
  // i32x4.relaxed_dot_i8x16_i7x16_add_s of nothing.
  const zero = [0xfd, 12, ...Array(16).fill(0)];
  const code = [0, ...zero, ...zero, ...zero, 0xfd, 0x93, 0x02, 0x1a, 0x0b];
  const module = [
    0,
    97,
    115,
    109,
    1,
    0,
    0,
    0,
    1,
    4,
    1,
    96,
    0,
    0,
    3,
    2,
    1,
    0,
    10,
    code.length + 2,
    1,
    code.length,
    ...code,
  ];
  const hasRelaxedSimd = WebAssembly.validate(new Uint8Array(module));
  assert.equal(/no relaxed SIMD/.test(tuner.info.device.reason), !hasRelaxedSimd);
  tuner.dispose();
});
