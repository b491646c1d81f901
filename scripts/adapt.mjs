// `npm run adapt`: makes the machine ready, builds, and runs one job through the npm package in headless Chromium
// (or in Node). Exit codes: 0 done, 1 failed, 2 the command line makes no sense, 130 cancelled.
import { mkdirSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { build } from "./build.mjs";
import { readOptions, usage, workingFolder } from "./lib/options.mjs";
import { ProgressView } from "./lib/progress.mjs";
import { readingLines, reportLines } from "./lib/report.mjs";
import { duration, elapsed, Failure, main, say } from "./lib/terminal.mjs";
import { setup } from "./setup.mjs";

const outputs = ["artifact.zip", "report.json", "scores.tsv"];

/** What the job tells between its stages. */
function noteTo(view) {
  return (kind, data) => {
    view.end();
    if (kind === "reading") for (const line of readingLines(data)) say(line);
    if (kind === "judgements") {
      say(`  ${data.file}: ${data.judgements} judgements, ${data.relevant} relevant, of ${data.queries} queries`);
      for (const { line, reason } of data.skipped.slice(0, 3)) say(`    line ${line}: ${reason}`);
    }
    if (kind === "engine") {
      const { device, models } = data;
      say(`  ${models.encoder.id} and ${models.crossEncoder.id} on ${device.kind}: ${device.reason}`);
    }
    if (kind === "relations") {
      say(
        `  data set: ${data.rows} rows of ${data.queries} queries, ${data.scored} pairs scored (${data.cached} from the store)`,
      );
    }
    if (kind === "warning") process.stderr.write(`  ${data}\n`);
  };
}

/** Errors of the package, which say what to do; anything else keeps its stack. */
function explain(error) {
  if (!error.code || error instanceof Failure) return error;
  const { file, line, column } = error.position ?? {};
  const place = file
    ? ` at ${[file, line > 0 && `line ${line}`, column > 0 && `column ${column}`].filter(Boolean).join(", ")}`
    : "";
  return new Failure(`${error.message} [${error.code}${place}]`);
}

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
  const controller = new AbortController();
  const view = new ProgressView();
  let interrupted = false;
  const interrupt = () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    view.end();
    say("\nStopping; what is scored is kept. (Once more to stop at once.)");
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  whenNpmEnds(interrupt);
  const from = elapsed();
  const { files, queryOptions, documentOptions, synthesize, fit, device, runtime, out, store } = options;
  mkdirSync(out, { recursive: true });
  const readAs = { queries: queryOptions, testQueries: queryOptions, documents: documentOptions, qrels: {} };
  const job = {
    files: {},
    models: { encoder: options.encoder, crossEncoder: options.crossEncoder },
    device,
    synthesize,
    fit,
  };
  for (const [role, path] of Object.entries(files)) {
    if (path) job.files[role] = { name: basename(path), path, options: readAs[role] };
  }
  const { runInBrowser } = await import("./runner/browser.mjs");
  const { runInNode } = await import("./runner/node.mjs");
  const run = runtime === "node" ? runInNode : runInBrowser;
  say(`\n${options.sample ? "The sample job" : "The job"}, in ${runtime === "node" ? "Node" : "headless Chromium"}:`);
  let report;
  try {
    const target = { out, outputs, store, signal: controller.signal };
    report = await run(job, { ...target, progress: (event) => view.event(event), note: noteTo(view) });
  } catch (error) {
    view.end();
    if (interrupted) {
      say("Cancelled. The same command resumes the job: nothing is scored twice.");
      return 130;
    }
    throw explain(error);
  }
  view.end();
  say();
  for (const line of reportLines(report)) say(line);
  say();
  for (const name of outputs) say(relative(workingFolder, join(out, name)));
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
