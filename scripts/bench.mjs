// `npm run bench`: querytune and its peers in turn, on the same texts, in one headless Chromium. A table on the
// terminal, all figures in out/bench.json; docs/performance.md says what is measured, and how.
import { relative, resolve } from "node:path";
import { prepareEngine } from "./bench/engine.mjs";
import { machine, versions } from "./bench/machine.mjs";
import { preparePeerModels } from "./bench/models.mjs";
import { readOptions, usage } from "./bench/options.mjs";
import { preparePeers, tokenCounter } from "./bench/peers.mjs";
import { reportLines, summarise } from "./bench/report.mjs";
import { measureColdStart, measureSize } from "./bench/stages/cold-start.mjs";
import { measureCpu } from "./bench/stages/cpu.mjs";
import { measureGrowth, measureRoofline, measureTopK } from "./bench/stages/inside.mjs";
import { measureTabs } from "./bench/stages/memory.mjs";
import { measureSynthesize } from "./bench/stages/synthesize.mjs";
import { measureWebgpu } from "./bench/stages/webgpu.mjs";
import { serveBench } from "./bench/tabs.mjs";
import { describe, makeWorks } from "./bench/works.mjs";
import { hasGpu, launchBrowser } from "./lib/browser.mjs";
import { writeWhole } from "./lib/hash.mjs";
import { models, root } from "./lib/paths.mjs";
import { elapsed, main, say } from "./lib/terminal.mjs";
import { setup } from "./setup.mjs";

/** All that was asked for, one stage after the other, into `found`. */
async function measure(bench, { parts, quick }, all, tokens, { stages, measured, seconds }) {
  const { works, job, turns } = all;
  const timed = async (name, work) => {
    const from = elapsed();
    const result = await work();
    seconds[name] = elapsed() - from;
    return result;
  };
  const wants = (part) => parts.includes(part);
  const chosen = Object.fromEntries(Object.entries(works).filter(([, { kind }]) => wants(kind)));
  const { documents, queries, abstracts } = works;
  if (Object.keys(chosen).length) {
    stages["cpu.1"] = await timed("cpu.1", () => measureCpu(bench, chosen, 1));
    stages["cpu.all"] = await timed("cpu.all", () => measureCpu(bench, chosen, 0));
  }
  if (wants("synthesize")) {
    stages.synthesize = await timed("synthesize", () => measureSynthesize(bench, job, quick ? 1 : 3));
  }
  if (wants("topk")) measured.topk = await timed("topk", () => measureTopK(bench, all.topK));
  if (wants("roofline")) {
    measured.roofline = await timed("roofline", () => measureRoofline(bench, documents.slices[0], tokens));
  }
  if (wants("cold")) measured.cold = await timed("cold", () => measureColdStart(bench, quick ? 1 : turns - 1));
  if (wants("size")) measured.size = await timed("size", () => measureSize(bench));
  if (wants("memory")) {
    measured.memory = await timed("memory", () => measureTabs(bench, documents.slices[0], abstracts.slices[0]));
    const grow = () => measureGrowth(bench, queries.slices[0], documents.slices[0], all.growth);
    measured.growth = await timed("growth", grow);
  }
  if (wants("webgpu") && bench.webgpu) {
    const given = bench.webgpu === "hardware" ? works : all.webgpu;
    const { adapter, works: found } = await timed("webgpu", () => measureWebgpu(bench, given));
    measured.adapter = adapter;
    if (found) stages.webgpu = found;
  }
}

async function bench(options) {
  const { quick, publish, out } = options;
  const tokens = await tokenCounter(models.encoder);
  const all = makeWorks(tokens, { quick });
  const choice = options.webgpu ?? (hasGpu() ? "hardware" : "software");
  const webgpu = choice === "off" ? false : choice;
  const server = await serveBench();
  let browser;
  try {
    const before = machine();
    browser = await launchBrowser({ webgpu });
    const found = { stages: {}, measured: {}, seconds: {} };
    const from = elapsed();
    // What was measured before a failure is kept, with the failure.
    const failure = await measure({ browser, server, webgpu }, options, all, tokens, found).catch((error) => error);
    found.seconds.total = elapsed() - from;
    const report = summarise({
      created: new Date().toISOString(),
      failure: failure ? failure.message : null,
      machine: { ...before, webgpu: found.measured.adapter ?? null },
      versions: await versions(browser.version()),
      settings: { parts: options.parts, quick, published: publish },
      works: describe(all),
      ...found,
    });
    writeWhole(resolve(root, out), `${JSON.stringify(report, null, 2)}\n`);
    say();
    for (const line of reportLines(report)) say(line);
    say(relative(process.cwd(), resolve(root, out)));
    if (failure) throw failure;
  } finally {
    await browser?.close();
    await server.close();
  }
}

await main(async () => {
  const options = readOptions(process.argv.slice(2));
  if (!options) return say(usage);
  await setup();
  await preparePeers();
  await preparePeerModels();
  await prepareEngine(options);
  return bench(options);
});
