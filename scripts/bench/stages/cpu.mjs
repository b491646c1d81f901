// Embedding and scoring on the CPU, with one thread and with all.
import { cpus } from "node:os";
import { Tab } from "../tabs.mjs";
import { takeTurns, variant } from "../turns.mjs";

const transformers = "./transformers.js";
const onnxruntime = "./onnxruntime.js";

/** All ways to do it with that many threads (0: as many as there are processors), each page open and loaded. */
async function openVariants({ browser, server }, threads) {
  const all = cpus().length;
  const [peers, alone, own] = [
    await Tab.open(browser, server.address, { host: "isolated" }),
    await Tab.open(browser, server.address, { host: "isolated" }),
    await Tab.open(browser, server.address, { host: "plain" }),
  ];
  const device = { device: "wasm", threads: threads || all };
  await peers.load("fp32", transformers, { ...device, dtype: "fp32" });
  const { threads: used, isolated } = await peers.load("q8", transformers, { ...device, dtype: "q8" });
  if (!isolated || used !== (threads || all)) throw new Error(`The peers have ${used} threads, isolated: ${isolated}.`);
  await alone.load("fp32", onnxruntime, { ...device, file: "model" });
  await alone.load("q8", onnxruntime, { ...device, file: "model_quantized" });
  if (await own.evaluate(() => globalThis.crossOriginIsolated))
    throw new Error("querytune's page must not be isolated.");
  const options = { encoder: "../models/encoder/", crossEncoder: "../models/crossEncoder/", device: "cpu" };
  for (const dtype of ["auto", "int8", "fp32"]) {
    const given = { ...options, dtype, ...(threads && { threads }) };
    await own.load(dtype, "./querytune.js", { entry: "../pkg/index.js", options: given });
  }
  const variants = [
    variant("transformers.js fp32", "peer", peers, { engine: "fp32" }),
    variant("querytune", "querytune", own, { engine: "auto", counts: true }),
    variant("transformers.js q8", "peer", peers, { engine: "q8", precision: "int8" }),
    variant("querytune int8", "querytune", own, { engine: "int8", precision: "int8", counts: true }),
    variant("querytune fp32", "querytune", own, { engine: "fp32" }),
    variant("onnxruntime-web fp32", "peer", alone, { engine: "fp32" }),
    variant("onnxruntime-web q8", "peer", alone, { engine: "q8", precision: "int8" }),
  ];
  return { variants, close: () => Promise.all([peers, alone, own].map((tab) => tab.close())) };
}

/** Speeds by work, with one thread or all (0). */
export async function measureCpu(bench, works, threads) {
  const { variants, close } = await openVariants(bench, threads);
  try {
    const title = threads ? "CPU, one thread" : `CPU, all ${cpus().length} processors`;
    return await takeTurns(title, works, variants);
  } finally {
    await close();
  }
}
