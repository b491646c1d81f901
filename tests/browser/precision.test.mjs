// Which jobs' scores are of use on which device: they are kept by the numbers they were computed in.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bundle } from "./support/part-page.mjs";

let isAsPrecise;

before(async () => {
  const script = await bundle('export { isAsPrecise } from "./www/src/precision.ts";');
  ({ isAsPrecise } = await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`));
});

/** Lets the browser have WebGPU, or not. */
function haveGpu(has) {
  Object.defineProperty(globalThis, "navigator", { value: has ? { gpu: {} } : {}, configurable: true });
}

const job = (device, rest = {}) => ({ settings: { device }, ...rest });

test("what was noted decides, whatever was chosen then", () => {
  haveGpu(true);
  assert.ok(isAsPrecise(job("auto", { dtype: "int16" }), { device: "cpu" }));
  assert.ok(isAsPrecise(job("auto", { dtype: "fp32" }), { device: "webgpu" }));
  assert.equal(isAsPrecise(job("auto", { dtype: "int16" }), { device: "webgpu" }), false);
  assert.equal(isAsPrecise(job("cpu", { dtype: "int16" }), { device: "webgpu" }), false);
});

test("older records count as what their report says, or what their device computes in", () => {
  haveGpu(true);
  assert.ok(isAsPrecise(job("auto", { report: { device: { kind: "webgpu", dtype: "fp32" } } }), { device: "webgpu" }));
  assert.ok(isAsPrecise(job("cpu"), { device: "cpu" }));
  assert.equal(isAsPrecise(job("cpu"), { device: "webgpu" }), false);
  assert.equal(isAsPrecise(job("webgpu"), { device: "cpu" }), false);
});

test("what the engine will choose is known only where there is no choice, or where it chose before", () => {
  haveGpu(true);
  assert.equal(isAsPrecise(job("cpu", { dtype: "int16" }), { device: "auto" }), false);
  assert.ok(isAsPrecise(job("auto", { dtype: "int16" }), { device: "auto" }));
  assert.ok(isAsPrecise(job("auto"), { device: "auto" }));
  haveGpu(false);
  assert.ok(isAsPrecise(job("cpu"), { device: "auto" }));
  assert.equal(isAsPrecise(job("webgpu", { dtype: "fp32" }), { device: "auto" }), false);
});
