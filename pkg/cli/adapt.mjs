// `querytune adapt`: the whole job, from two files to a tuned model.
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Arguments, optionLines } from "./arguments.mjs";
import { Interrupt } from "./interrupt.mjs";
import { DEFAULT_CROSS_ENCODER, DEFAULT_ENCODER, findModel } from "./models.mjs";
import { noteTaker } from "./notes.mjs";
import {
  dtypeOf,
  dtypeTable,
  inputFiles,
  inputTable,
  jobFiles,
  jobOptions,
  jobTable,
  readingTable,
} from "./options.mjs";
import { ProgressView } from "./progress.mjs";
import { reportLines } from "./report.mjs";
import { Results } from "./results.mjs";
import { runInNode } from "./run.mjs";
import { usualStore } from "./store.mjs";
import { duration } from "./terminal.mjs";
import { unpackModel, unpackScores } from "./unpack.mjs";
import { readZip } from "./zip.mjs";

const table = [
  ["Input"],
  ...inputTable,
  ["Output"],
  ["out", "DIR", "folder for the results; made if it is not there"],
  ["json", undefined, "the result as one JSON document on stdout"],
  ["help", undefined, "this text"],
  ["The job"],
  ...jobTable,
  ["encoder", "MODEL", `folder or hub id[@revision] (default ${DEFAULT_ENCODER})`],
  ["cross-encoder", "MODEL", `folder or hub id[@revision] (default ${DEFAULT_CROSS_ENCODER})`],
  ["threads", "N", "that share the work (default one a processor, as far as memory allows)"],
  ...dtypeTable,
  ["store", "DIR", "where finished vectors and scores are kept (default: the system's cache)"],
  ...readingTable,
];

export const help = [
  "Usage: querytune adapt --queries FILE --documents FILE --out DIR [options]",
  "",
  "Adapts a search model to your documents, from the queries of your search log alone. Nothing leaves this",
  "computer: models are downloaded once, texts are not uploaded.",
  "",
  "  querytune adapt --queries log.csv --documents docs.csv --out tuned",
  "  querytune adapt --queries log.csv --documents docs.csv --out tuned --qrels judgements.tsv",
  "  querytune adapt --queries newer.csv --documents docs.csv --continue tuned --out tuned",
  ...optionLines(table),
  "",
  "What comes out, in the folder of --out:",
  "  artifact.zip   everything: model, adapter, data set, report, and how to load them",
  '  model/         for sentence-transformers: SentenceTransformer("DIR/model")',
  "  adapter/       what was trained, alone",
  "  report.json    every figure and every constant of the training",
  "  scores.tsv     every candidate of every query, with cosine and logit",
  "",
  "Ctrl-C stops a job and keeps what is scored; the same command goes on from there. Pairs that were scored",
  "once are never scored again, in other jobs neither, as long as the store is there.",
  "",
  "--fit takes the training options of the package's fit, which docs/methods.md in the repository describes, such",
  'as {"method": "lora", "lora": {"rank": 8}, "sampling": "traffic"}. --method and --seed go before them.',
  "",
  "--continue joins the newer log to that of an earlier run, trains on both, and compares with its model.",
  "Only new pairs are scored, on another computer too. It may be the very folder of --out.",
  "",
  "Without --qrels the figures are agreement with the cross-encoder on queries left out of training. That is",
  "what was trained for, and no measure of quality. If training does not raise it, you get the base model.",
].join("\n");

function readOptions(given) {
  const args = new Arguments(table, { help: "querytune adapt --help" }).read(given);
  if (args.get("help")) return undefined;
  const files = inputFiles(args);
  if (!files.queries) throw args.wrong("--queries and --documents are missing.");
  const out = args.path("out");
  if (!out) throw args.wrong("--out is missing: the folder for the results.");
  for (const name of ["model", "adapter"]) {
    if (existsSync(join(out, name)) && !existsSync(join(out, "report.json"))) {
      throw args.wrong(`--out: ${join(out, name)} is there, and not from querytune. Choose another folder.`);
    }
  }
  return {
    files: jobFiles(args, files),
    ...jobOptions(args),
    encoder: findModel(args, "encoder", DEFAULT_ENCODER),
    crossEncoder: findModel(args, "cross-encoder", DEFAULT_CROSS_ENCODER),
    threads: args.whole("threads", 1),
    dtype: dtypeOf(args),
    store: args.path("store"),
    out,
    json: args.get("json") === true,
  };
}

function jobOf({ files, encoder, crossEncoder, threads, dtype, synthesize, fit }) {
  return { files, models: { encoder, crossEncoder }, threads, dtype, synthesize, fit };
}

function resultLines(report, out, hasScores) {
  const shown = (name) => join(relative(process.cwd(), out) || ".", name);
  const files = [
    ["artifact.zip", "everything in one file"],
    ["model", "for sentence-transformers"],
    ["adapter", "what was trained, alone"],
    ["report.json", "every figure"],
    ...(hasScores ? [["scores.tsv", "every candidate with its score"]] : []),
  ];
  const width = Math.max(...files.map(([name]) => shown(name).length)) + 2;
  const folder = relative(process.cwd(), out) || ".";
  // As the person has called this command.
  const command = process.env.npm_command === "exec" ? "npx querytune" : "querytune";
  return [
    ...reportLines(report),
    "",
    ...files.map(([name, text]) => `${shown(name).padEnd(width)}${text}`),
    "",
    `Try it: ${command} search ${/\s/.test(folder) ? `"${folder}"` : folder} DOCUMENTS "a query"`,
  ];
}

/** Runs the command; resolves to an exit code. The terminal is that of `querytune.mjs`. */
export async function run(given, { say, stream, print }) {
  const options = readOptions(given);
  if (!options) {
    print(help);
    return 0;
  }
  const { out, json } = options;
  const from = performance.now();
  const view = new ProgressView(stream);
  const interrupt = new Interrupt(() => {
    view.end();
    say("\nStopping; what is scored is kept. (Once more to stop at once.)");
  });
  // What still comes while the work is stopping would begin a new line.
  const progress = (event) => {
    if (interrupt.code === undefined) view.event(event);
  };
  const results = new Results(out);
  let report;
  try {
    report = await runInNode(jobOf(options), {
      out: results.folder,
      store: options.store ?? (await usualStore()),
      signal: interrupt.signal,
      progress,
      note: noteTaker(view, say),
    });
  } catch (error) {
    view.end();
    results.discard();
    if (interrupt.code === undefined) throw error;
    say("Stopped. The same command goes on from here: nothing is scored twice.");
    if (json) print(JSON.stringify({ error: { code: "cancelled", message: "Stopped by a signal." } }, null, 2));
    return interrupt.code;
  } finally {
    interrupt.release();
  }
  view.end();
  // What came too late to stop anything: the results are there.
  if (interrupt.code !== undefined) say("The job was finished already: nothing was left to stop.");
  const unpacked = readZip(readFileSync(join(results.folder, "artifact.zip")));
  unpackModel(unpacked, results.folder);
  const hasScores = unpackScores(unpacked, results.folder, (message) => say(`  Warning: ${message}`));
  // The report first: by it the next job knows that the model is one of its own.
  results.take(["report.json", "model", "adapter", "scores.tsv", "artifact.zip"]);
  const seconds = (performance.now() - from) / 1000;
  if (json) {
    const names = { artifact: "artifact.zip", model: "model", adapter: "adapter" };
    const paths = { ...names, report: "report.json", ...(hasScores && { scores: "scores.tsv" }) };
    const files = Object.fromEntries(Object.entries(paths).map(([key, name]) => [key, join(out, name)]));
    const { delivered, reason, warnings } = report.fit;
    print(JSON.stringify({ delivered, reason, warnings, files, seconds, report }, null, 2));
  } else {
    say();
    for (const line of resultLines(report, out, hasScores)) print(line);
  }
  say(`Done in ${duration(seconds)}.`);
  return 0;
}
