// The command line of `npm run adapt`.
import { existsSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { models, root } from "./paths.mjs";
import { UsageError } from "./terminal.mjs";

/** Name, what stands for its value in the help, and what it does. Lines without a name are headings. */
const table = [
  ["Input; the sample in examples/sample if none is given"],
  ["queries", "FILE", "search log: CSV, TSV, JSONL, or one query a line"],
  ["documents", "FILE", "documents, with or without titles"],
  ["test-queries", "FILE", "queries to judge by; by default the log's own"],
  ["qrels", "FILE", "judgements: query id, document id, relevance"],
  ["How the files are read; found by themselves if not given. Columns by header, or by number from 1"],
  ["query-column", "NAME", "text of a query"],
  ["query-id-column", "NAME", "id of a query"],
  ["count-column", "NAME", "how often a query was asked"],
  ["text-column", "NAME", "text of a document"],
  ["title-column", "NAME", "title of a document"],
  ["id-column", "NAME", "id of a document"],
  ["query-format", "csv|jsonl|lines", "format of the queries"],
  ["document-format", "csv|jsonl|lines", "format of the documents"],
  ["delimiter", "CHAR", "between columns, in all files: , ; or tab"],
  ["encoding", "LABEL", "of all files, such as utf-8 or windows-1252"],
  ["header", "yes|no", "whether the first row holds the names of the columns"],
  ["The job"],
  ["candidates", "N", "documents retrieved for each query (default 100)"],
  ["depth", "N", "how many of them are scored (default 20)"],
  ["method", "METHOD", "what is trained: query-head (default), head or lora"],
  ["seed", "N", "of all random choices"],
  ["encoder", "DIR", "folder of the sentence encoder (default all-MiniLM-L6-v2)"],
  ["cross-encoder", "DIR", "folder of the cross-encoder (default ms-marco-MiniLM-L-12-v2)"],
  ["device", "auto|webgpu|cpu", "where the models run (default auto)"],
  ["runtime", "browser|node", "headless Chromium or Node; Node has the CPU only (default browser)"],
  ["Output"],
  ["out", "DIR", "folder for artifact.zip, report.json, scores.tsv (default out/ and a name)"],
  ["store", "DIR", "where finished scores are kept, to resume (default OUT/store)"],
];

const named = table.filter((line) => line.length === 3);

export const usage = [
  "Usage: npm run adapt -- [options]",
  "",
  "Adapts a search model to your documents, from queries alone. Without options it runs the sample job.",
  ...table.map(([name, value, text]) =>
    text === undefined ? `\n${name}:` : `  ${`--${name} ${value}`.padEnd(34)} ${text}`,
  ),
  `  ${"--help".padEnd(34)} this text`,
  "",
  "Ctrl-C stops a job; the same command resumes it.",
].join("\n");

/** Changes of one letter that lead from one word to the other. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

function wrong(message) {
  return new UsageError(`${message}\nSee npm run adapt -- --help`);
}

function unknownOption(given) {
  const name = given.replace(/^-+/, "").replace(/=.*/s, "");
  const [nearest] = named.map(([one]) => one).sort((a, b) => distance(name, a) - distance(name, b));
  const hint = distance(name, nearest) <= Math.max(2, name.length / 3) ? ` Do you mean --${nearest}?` : "";
  return wrong(`There is no option ${given.replace(/=.*/s, "")}.${hint}`);
}

function parse(args) {
  const options = { help: { type: "boolean", short: "h" } };
  for (const [name] of named) options[name] = { type: "string" };
  const { values, tokens } = parseArgs({ args, options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") throw wrong(`"${token.value}" belongs to no option.`);
    if (token.kind !== "option") continue;
    if (!(token.name in options)) throw unknownOption(token.rawName);
    if (token.name === "help") continue;
    const value = token.value;
    if (value === undefined || value === "" || (!token.inlineValue && value.startsWith("--"))) {
      throw wrong(`--${token.name} needs a value.`);
    }
  }
  return values;
}

function whole(values, name, least) {
  if (values[name] === undefined) return undefined;
  const number = Number(values[name]);
  if (!/^\d+$/.test(values[name]) || !Number.isSafeInteger(number) || number < least) {
    throw wrong(`--${name} must be a whole number, at least ${least}; it is "${values[name]}".`);
  }
  return number;
}

function oneOf(values, name, choices, otherwise) {
  const value = values[name] ?? otherwise;
  if (value !== undefined && !choices.includes(value)) {
    throw wrong(`--${name} must be one of ${choices.join(", ")}; it is "${value}".`);
  }
  return value;
}

/** npm runs scripts in the root; paths are meant from where the person was. */
export const workingFolder =
  process.env.npm_lifecycle_event === "adapt" ? (process.env.INIT_CWD ?? process.cwd()) : process.cwd();

function existing(values, name, kind) {
  if (values[name] === undefined) return undefined;
  const path = resolve(workingFolder, values[name]);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw wrong(`--${name}: there is no ${path}.`);
  if (kind === "file" ? !found.isFile() : !found.isDirectory()) throw wrong(`--${name}: ${path} is not a ${kind}.`);
  if (kind === "folder" && !existsSync(join(path, "config.json"))) {
    throw wrong(`--${name}: ${path} has no config.json; it must be the folder of a model.`);
  }
  return path;
}

function delimiter(values) {
  const given = { tab: "\t", "\\t": "\t", comma: ",", semicolon: ";" }[values.delimiter] ?? values.delimiter;
  if (given !== undefined && [...given].length !== 1) throw wrong("--delimiter must be one character, or tab.");
  return given;
}

/** Without what was not given. */
function given(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function inputs(values) {
  const files = {
    queries: existing(values, "queries", "file"),
    documents: existing(values, "documents", "file"),
    testQueries: existing(values, "test-queries", "file"),
    qrels: existing(values, "qrels", "file"),
  };
  if (!files.queries !== !files.documents) {
    throw wrong(`--${files.queries ? "documents" : "queries"} is missing: a job needs queries and documents.`);
  }
  if (files.queries) {
    if (files.testQueries && !files.qrels)
      throw wrong("--test-queries needs --qrels: there is nothing to judge them by.");
    return { files, sample: false };
  }
  if (files.testQueries || files.qrels) throw wrong("--queries and --documents are missing.");
  const sample = join(root, "examples", "sample");
  const here = (name) => [join(sample, name)].find(existsSync);
  const found = {
    queries: here("queries.csv"),
    documents: here("documents.csv"),
    testQueries: here("test-queries.csv"),
    qrels: here("qrels.tsv"),
  };
  if (!found.queries || !found.documents)
    throw wrong(`The sample is not in ${sample}; give --queries and --documents.`);
  return { files: found, sample: true };
}

/** The command line as a job; `undefined` if help was asked for. Throws a `UsageError` that says what is wrong. */
export function readOptions(args) {
  const values = parse(args);
  if (values.help) return undefined;
  // npm takes options for its own that stand before the dashes.
  if (args.length === 0 && (process.env.npm_config_queries || process.env.npm_config_documents)) {
    throw wrong("The options have to follow two dashes: npm run adapt -- --queries FILE --documents FILE");
  }
  const { files, sample } = inputs(values);
  const header = oneOf(values, "header", ["yes", "no"]);
  const shared = {
    delimiter: delimiter(values),
    encoding: values.encoding,
    hasHeader: header && header === "yes",
  };
  const formats = ["csv", "jsonl", "lines"];
  const queryOptions = given({
    ...shared,
    format: oneOf(values, "query-format", formats),
    textColumn: values["query-column"],
    idColumn: values["query-id-column"],
    countColumn: values["count-column"],
  });
  const documentOptions = given({
    ...shared,
    format: oneOf(values, "document-format", formats),
    textColumn: values["text-column"],
    titleColumn: values["title-column"],
    idColumn: values["id-column"],
  });
  const candidates = whole(values, "candidates", 1);
  const depth = whole(values, "depth", 1);
  if (depth > (candidates ?? 100)) {
    throw wrong(`--depth ${depth} is more than the ${candidates ?? 100} candidates.`);
  }
  const device = oneOf(values, "device", ["auto", "webgpu", "cpu"], "auto");
  const runtime = oneOf(values, "runtime", ["browser", "node"], "browser");
  if (runtime === "node" && device === "webgpu") {
    throw wrong("--runtime node has no WebGPU: use --runtime browser, or --device cpu.");
  }
  const name = sample ? "sample" : basename(files.queries, extname(files.queries));
  const out = resolve(workingFolder, values.out ?? join("out", name));
  return {
    files,
    sample,
    queryOptions,
    documentOptions,
    synthesize: given({ candidates, depth }),
    fit: given({ method: oneOf(values, "method", ["query-head", "head", "lora"]), seed: whole(values, "seed", 0) }),
    encoder: existing(values, "encoder", "folder") ?? models.encoder,
    crossEncoder: existing(values, "cross-encoder", "folder") ?? models.crossEncoder,
    device,
    runtime,
    out,
    store: values.store === undefined ? join(out, "store") : resolve(workingFolder, values.store),
  };
}
