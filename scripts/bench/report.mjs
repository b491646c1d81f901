// From what the stages measured to bench.json, and to the table on the terminal.
import { duration } from "../lib/terminal.mjs";
import { AS_LOADED, ratios, ratiosAsLoaded, ratiosByWork } from "./ratios.mjs";
import { figure, table, withSpread } from "./table.mjs";

/** Median speeds under `STAGE.WORK.VARIANT`. */
function medians(stages) {
  const found = {};
  for (const [stage, works] of Object.entries(stages)) {
    for (const [work, variants] of Object.entries(works)) {
      for (const { name, perSecond } of variants) found[`${stage}.${work}.${name}`] = perSecond.median;
    }
  }
  return found;
}

/** How many times as fast all processors are as one, by work. */
function scaling(stages) {
  const [one, all] = [stages["cpu.1"], stages["cpu.all"]];
  if (!one || !all) return null;
  return Object.fromEntries(
    Object.keys(one).map((work) => {
      const names = [AS_LOADED, `${AS_LOADED} int8`, "transformers.js q8"].filter((name) =>
        one[work].some((variant) => variant.name === name),
      );
      const speedOf = (works, name) => works[work].find((variant) => variant.name === name).perSecond.median;
      return [work, Object.fromEntries(names.map((name) => [name, speedOf(all, name) / speedOf(one, name)]))];
    }),
  );
}

/** All of bench.json. `measured`: results by part; `stages`: speeds by stage, work and variant. */
export function summarise({ stages, measured, ...context }) {
  const ofStages = (what) => Object.fromEntries(Object.entries(stages).map(([stage, works]) => [stage, what(works)]));
  const [byWork, asLoaded] = [ofStages(ratiosByWork), ofStages(ratiosAsLoaded)];
  const { roofline, topk, cold, size, memory, growth } = measured;
  return {
    ...context,
    ratios: ratios(byWork),
    ratios_by_work: byWork,
    ratios_as_loaded: ratios(asLoaded),
    ratios_as_loaded_by_work: asLoaded,
    medians: medians(stages),
    scaling: scaling(stages),
    kernel_share: roofline?.share ?? null,
    roofline: roofline ?? null,
    top_k: topk ?? null,
    cold_start_ms: cold ?? null,
    wire_bytes: size ? Object.fromEntries(Object.entries(size).map(([name, { bytes }]) => [name, bytes])) : null,
    wire_files: size ? Object.fromEntries(Object.entries(size).map(([name, { files }]) => [name, files])) : null,
    memory: memory || growth ? { tabs: memory ?? null, growth: growth ?? null } : null,
    stages,
  };
}

const mebibytes = (bytes) => figure(bytes === undefined ? undefined : bytes / 2 ** 20);

function speedRows({ stages, ratios_by_work: byWork, ratios_as_loaded_by_work: asLoaded }) {
  const rows = [["texts or pairs a second (jobs: a second)", "", "best peer", "times as fast", ""]];
  for (const [stage, works] of Object.entries(byWork)) {
    for (const [work, ratio] of Object.entries(works)) {
      const of = (name) => withSpread(stages[stage][work].find((variant) => variant.name === name).perSecond);
      const both = [ratio, asLoaded[stage][work]].filter(
        (one, i) => i === 0 || (one && one.querytune !== ratio.querytune),
      );
      for (const one of both) {
        const names = `${one.querytune}, ${one.peer}`;
        rows.push([`${stage} ${work}`, of(one.querytune), of(one.peer), withSpread(one), names]);
      }
    }
  }
  return rows;
}

/** The report as lines. */
export function reportLines(report) {
  const lines = [];
  const { machine, versions, ratios: keyed, ratios_as_loaded: loaded, scaling: scaled, seconds } = report;
  lines.push(`${machine.processor}, ${machine.processors} processors; Chromium ${versions.browser}`);
  lines.push(
    `querytune ${versions.querytune} (${versions.commit}), transformers.js ${versions["@huggingface/transformers"]}`,
  );
  if (speedRows(report).length > 1) lines.push("", ...table(speedRows(report)));
  if (scaled) {
    const rows = Object.entries(scaled).map(([work, by]) => [work, ...Object.values(by).map(figure)]);
    lines.push("", ...table([["all processors over one", ...Object.keys(Object.values(scaled)[0])], ...rows]));
  }
  const { roofline, top_k: topK, cold_start_ms: cold, wire_bytes: wire, memory } = report;
  if (roofline) {
    lines.push("", `Matrix kernel (${roofline.dtype}): ${figure(roofline.peakGflops)} GFLOP/s; encoding reaches`);
    lines[lines.length - 1] += ` ${figure(roofline.encodingGflops)}, ${figure(roofline.share * 100)} % of it`;
  }
  if (topK)
    lines.push(
      "",
      `Top ${topK.count}, ${topK.queries} queries, ${topK.documents} vectors: ${withSpread(topK.seconds)} s`,
    );
  if (cold) {
    const rows = Object.entries(cold).map(([name, { first, again }]) => [name, withSpread(first), withSpread(again)]);
    lines.push("", ...table([["cold start, ms", "first visit", "again"], ...rows]));
  }
  if (wire) {
    const rows = Object.entries(wire).map(([name, bytes]) => [name, figure(bytes / 1e6)]);
    lines.push("", ...table([["over the wire, brotli", "MB"], ...rows]));
  }
  if (memory?.tabs) {
    const rows = Object.entries(memory.tabs).map(([name, size]) => [name, mebibytes(size?.peak), mebibytes(size?.now)]);
    lines.push("", ...table([["memory of a tab, MiB", "peak", "in the end"], ...rows]));
  }
  if (memory?.growth) {
    const { bytes, batches, flat } = memory.growth;
    const sizes = bytes.map((size) => figure(size / 2 ** 20)).join(", ");
    lines.push("", `The engine's memory after ${batches.join(", ")} batches: ${sizes} MiB${flat ? "" : ": IT GROWS"}`);
  }
  const rows = Object.entries(keyed).map(([key, ratio]) => [key, figure(ratio), figure(loaded[key])]);
  const title = "times as fast as the best peer (the lowest of the key's works)";
  lines.push("", ...table([[title, "fastest", "as loaded"], ...rows]));
  lines.push("", `Measured in ${duration(seconds.total)}.`);
  return lines;
}
