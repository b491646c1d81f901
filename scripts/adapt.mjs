// `npm run adapt`: makes the machine ready, builds, and runs one job through the npm package in headless Chromium
// (or in Node). Exit codes: 0 done, 1 failed, 2 the command line makes no sense, 130 cancelled.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Interrupt } from "../pkg/cli/interrupt.mjs";
import { noteTaker } from "../pkg/cli/notes.mjs";
import { ProgressView } from "../pkg/cli/progress.mjs";
import { reportLines } from "../pkg/cli/report.mjs";
import { Results } from "../pkg/cli/results.mjs";
import { explain } from "../pkg/cli/terminal.mjs";
import { unpackScores } from "../pkg/cli/unpack.mjs";
import { readZip } from "../pkg/cli/zip.mjs";
import { build } from "./build.mjs";
import { readOptions, usage, workingFolder } from "./lib/options.mjs";
import { duration, elapsed, Failure, main, say } from "./lib/terminal.mjs";
import { setup } from "./setup.mjs";

const outputs = ["artifact.zip", "report.json"];

/** npm that is told to end does not tell its scripts: they see it by their parent. */
function whenNpmEnds(work) {
  if (process.env.npm_lifecycle_event !== "adapt") return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    work();
  }, 500);
  watch.unref();
}

async function adapt(options) {
  const view = new ProgressView();
  const interrupt = new Interrupt(() => {
    view.end();
    say("\nStopping; what is scored is kept. (Once more to stop at once.)");
  });
  whenNpmEnds(() => interrupt.stop());
  // What still comes while the work is stopping would begin a new line.
  const progress = (event) => {
    if (interrupt.code === undefined) view.event(event);
  };
  const from = elapsed();
  const { files, synthesize, fit, device, dtype, runtime, out, store } = options;
  const results = new Results(out);
  const job = {
    files,
    models: { encoder: options.encoder, crossEncoder: options.crossEncoder },
    device,
    dtype,
    synthesize,
    fit,
  };
  const { runInBrowser } = await import("./runner/browser.mjs");
  const { runInNode } = await import("./runner/node.mjs");
  const run = runtime === "node" ? runInNode : runInBrowser;
  say(`\n${options.sample ? "The sample job" : "The job"}, in ${runtime === "node" ? "Node" : "headless Chromium"}:`);
  let report;
  try {
    const target = { out: results.folder, outputs, store, signal: interrupt.signal };
    report = await run(job, { ...target, progress, note: noteTaker(view, say) });
  } catch (error) {
    view.end();
    results.discard();
    if (interrupt.code !== undefined) {
      say("Cancelled. The same command resumes the job: nothing is scored twice.");
      return interrupt.code;
    }
    throw error.code ? new Failure(explain(error)) : error;
  }
  view.end();
  if (interrupt.code !== undefined) say("The job was finished already: nothing was left to stop.");
  const unpacked = readZip(readFileSync(join(results.folder, "artifact.zip")));
  const hasScores = unpackScores(unpacked, results.folder, (message) => say(`  Warning: ${message}`));
  const written = [...outputs, "scores.tsv"];
  results.take(written);
  say();
  for (const line of reportLines(report)) say(line);
  say();
  for (const name of written) {
    if (hasScores || name !== "scores.tsv") say(relative(workingFolder, join(out, name)));
  }
  say(`Done in ${duration(elapsed() - from)} (with set-up and build ${duration(elapsed())}).`);
  return 0;
}

await main(async () => {
  const options = readOptions(process.argv.slice(2));
  if (!options) return say(usage);
  await setup();
  await build({ page: false });
  return adapt(options);
});
