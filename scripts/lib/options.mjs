// The command line of `npm run adapt`.
import { existsSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { Arguments, optionLines } from "../../pkg/cli/arguments.mjs";
import {
  dtypeOf,
  dtypeTable,
  inputFiles,
  inputTable,
  jobFiles,
  jobOptions,
  jobTable,
  readingTable,
} from "../../pkg/cli/options.mjs";
import { models, root } from "./paths.mjs";

/** Name, what stands for its value in the help, and what it does. Lines without a name are headings. */
const table = [
  ["Input; the sample in examples/sample if none is given"],
  ...inputTable,
  ...readingTable,
  ["The job"],
  ...jobTable,
  ["encoder", "DIR", "folder of the sentence encoder (default all-MiniLM-L6-v2)"],
  ["cross-encoder", "DIR", "folder of the cross-encoder (default ms-marco-MiniLM-L-12-v2)"],
  ["device", "auto|webgpu|cpu", "where the models run (default auto)"],
  ...dtypeTable,
  ["runtime", "browser|node", "headless Chromium or Node; Node has the CPU only (default browser)"],
  ["Output"],
  ["out", "DIR", "folder for artifact.zip, report.json, scores.tsv (default out/ and a name)"],
  ["store", "DIR", "where finished scores are kept, to resume (default OUT/store)"],
];

export const usage = [
  "Usage: npm run adapt -- [options]",
  "",
  "Adapts a search model to your documents, from queries alone. Without options it runs the sample job.",
  ...optionLines([...table, ["help", undefined, "this text"]]),
  "",
  "Ctrl-C stops a job; the same command resumes it.",
].join("\n");

/** npm runs scripts in the root; paths are meant from where the person was. */
export const workingFolder =
  process.env.npm_lifecycle_event === "adapt" ? (process.env.INIT_CWD ?? process.cwd()) : process.cwd();

function inputs(args) {
  const files = inputFiles(args);
  if (files.queries) return { files, sample: false };
  const sample = join(root, "examples", "sample");
  const here = (name) => [join(sample, name)].find(existsSync);
  const found = {
    queries: here("queries.csv"),
    documents: here("documents.csv"),
    testQueries: here("test-queries.csv"),
    qrels: here("qrels.tsv"),
  };
  if (!found.queries || !found.documents) {
    throw args.wrong(`The sample is not in ${sample}; give --queries and --documents.`);
  }
  return { files: found, sample: true };
}

/** The command line as a job; `undefined` if help was asked for. Throws a `UsageError` that says what is wrong. */
export function readOptions(given) {
  const args = new Arguments(table, { help: "npm run adapt -- --help", folder: workingFolder }).read(given);
  if (args.get("help")) return undefined;
  // npm takes options for its own that stand before the dashes.
  if (given.length === 0 && (process.env.npm_config_queries || process.env.npm_config_documents)) {
    throw args.wrong("The options have to follow two dashes: npm run adapt -- --queries FILE --documents FILE");
  }
  const { files, sample } = inputs(args);
  const device = args.oneOf("device", ["auto", "webgpu", "cpu"], "auto");
  const runtime = args.oneOf("runtime", ["browser", "node"], "browser");
  if (runtime === "node" && device === "webgpu") {
    throw args.wrong("--runtime node has no WebGPU: use --runtime browser, or --device cpu.");
  }
  const name = sample ? "sample" : basename(files.queries, extname(files.queries));
  const out = args.path("out") ?? resolve(workingFolder, "out", name);
  return {
    files: jobFiles(args, files),
    sample,
    ...jobOptions(args),
    encoder: args.modelFolder("encoder") ?? models.encoder,
    crossEncoder: args.modelFolder("cross-encoder") ?? models.crossEncoder,
    device,
    dtype: dtypeOf(args),
    runtime,
    out,
    store: args.path("store") ?? join(out, "store"),
  };
}
