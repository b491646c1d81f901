// Embedding and scoring on WebGPU.
import { say } from "../../lib/terminal.mjs";
import { Tab } from "../tabs.mjs";
import { takeTurns, variant } from "../turns.mjs";

async function adapterOf(tab) {
  return tab.evaluate(async () => {
    const { info } = (await navigator.gpu?.requestAdapter()) ?? {};
    return info ? [info.vendor, info.architecture, info.description].filter(Boolean).join(" ") : null;
  });
}

/** Speeds by work; null where the browser has no adapter. */
export async function measureWebgpu({ browser, server }, works) {
  const peer = await Tab.open(browser, server.address, { host: "isolated" });
  const alone = await Tab.open(browser, server.address, { host: "isolated" });
  const own = await Tab.open(browser, server.address, { host: "plain" });
  try {
    const adapter = await adapterOf(peer);
    if (!adapter) {
      say("\nWebGPU: there is no adapter");
      return { adapter: null, works: null };
    }
    // onnxruntime fuses less for WebGPU by itself: it gets the graph that is fused already.
    const gpu = { device: "webgpu", dtype: "fp32", file: "model_fused" };
    await peer.load("fp32", "./transformers.js", gpu);
    await alone.load("fp32", "./onnxruntime.js", { ...gpu, library: "ort.webgpu.min.mjs", binary: ".asyncify" });
    const models = { encoder: "../models/encoder/", crossEncoder: "../models/crossEncoder/" };
    await own.load("fp32", "./querytune.js", { entry: "../pkg/index.js", options: { ...models, device: "webgpu" } });
    const variants = [
      variant("transformers.js fp32", "peer", peer, { engine: "fp32" }),
      variant("querytune", "querytune", own, { engine: "fp32", counts: true }),
      variant("onnxruntime-web fp32", "peer", alone, { engine: "fp32" }),
    ];
    return { adapter, works: await takeTurns(`WebGPU, ${adapter}`, works, variants) };
  } finally {
    await Promise.all([peer, alone, own].map((tab) => tab.close()));
  }
}
