// What is measured inside the engine: the matrix kernel's peak and the share encoding reaches, the exact search, and
// whether memory stays flat. One thread, a build of its own.
import { say } from "../../lib/terminal.mjs";
import { operations } from "../operations.mjs";
import { median, spread } from "../statistics.mjs";
import { figure, withSpread } from "../table.mjs";
import { Tab } from "../tabs.mjs";

const models = { encoder: "../models/encoder/", crossEncoder: "../models/crossEncoder/" };

async function withEngine({ browser, server }, options, work) {
  const tab = await Tab.open(browser, server.address);
  try {
    return await work(tab, await tab.load("inside", "./inside.js", options));
  } finally {
    await tab.close();
  }
}

/** Of the matrix products that encoding is made of. */
const shapes = [
  [2048, 384, 384],
  [2048, 384, 1536],
  [2048, 1536, 384],
];

/** `tokens` counts those of a text. */
export function measureRoofline(bench, texts, tokens, { rounds = 3, seconds = 1 } = {}) {
  say("\nThe matrix kernel alone, and encoding, one thread");
  return withEngine(bench, { models }, async (tab, info) => {
    const dtype = info.device.dtype ?? "fp32";
    const sums = { linear: 0, attention: 0 };
    for (const text of texts) {
      const { linear, attention } = operations(info.models.encoder, tokens(text));
      sums.linear += linear;
      sums.attention += attention;
    }
    await tab.run("inside", "embed", texts.slice(0, 16));
    const kernel = {};
    const encoding = [];
    for (let round = 0; round < rounds; round++) {
      for (const shape of shapes) {
        const { result } = await tab.run("inside", "peak", dtype, shape, seconds);
        kernel[shape.join("x")] = [...(kernel[shape.join("x")] ?? []), result];
      }
      encoding.push((await tab.run("inside", "embed", texts)).seconds);
    }
    const fewerBits = (await tab.run("inside", "peak", "int8", shapes[1], 3 * seconds)).result;
    const peak = Math.max(...Object.values(kernel).map(median));
    const gflops = (operations) => operations / median(encoding) / 1e9;
    const share = gflops(sums.linear + sums.attention) / peak;
    say(`  ${dtype}: peak ${figure(peak)} GFLOP/s; encoding ${figure(share * 100)} % of it`);
    say(`  int8: ${figure(fewerBits)} GFLOP/s`);
    return {
      dtype,
      peakGflops: peak,
      int8Gflops: fewerBits,
      kernelGflops: Object.fromEntries(Object.entries(kernel).map(([shape, values]) => [shape, spread(values)])),
      encodingSeconds: spread(encoding),
      encodingGflops: gflops(sums.linear + sums.attention),
      linearGflops: gflops(sums.linear),
      share,
      texts: texts.length,
    };
  });
}

export function measureTopK(bench, work, turns = 3) {
  say("\nThe exact nearest neighbours, one thread");
  return withEngine(bench, {}, async (tab) => {
    const seconds = [];
    for (let turn = 0; turn < turns; turn++) seconds.push((await tab.run("inside", "topK", work)).result);
    const { queries, documents, count } = work;
    say(`  top ${count} of ${queries} queries in ${documents} vectors: ${withSpread(spread(seconds))} s`);
    return { ...work, seconds: spread(seconds) };
  });
}

/** The engine's memory after some batches and after many: short texts, and a long one in every batch. */
export function measureGrowth(bench, queries, documents, marks) {
  say("\nMemory of the engine over many batches");
  return withEngine(bench, { models }, async (tab) => {
    const batches = documents.slice(0, 8).map((document, i) => [document, ...queries.slice(4 * i, 4 * i + 4)]);
    const { result } = await tab.run("inside", "memory", batches, marks);
    for (const [i, bytes] of result.entries()) say(`  after ${marks[i]} batches ${figure(bytes / 2 ** 20)} MiB`);
    return { batches: marks, bytes: result, flat: result.at(-1) === result.at(-2) };
  });
}
