// The options that all commands share which run a job: how files are read, and what is done with them.
import { basename } from "node:path";
import { LORA, TRAINING } from "../src/training-names.js";
import { given, nearest } from "./arguments.mjs";
import { findDownload } from "./download.mjs";

export const inputTable = [
  ["queries", "FILE", "search log: CSV, TSV, JSONL, or one query a line"],
  ["documents", "FILE", "documents, with or without titles"],
  ["test-queries", "FILE", "queries to judge by (default: the log's own)"],
  ["qrels", "FILE", "judgements: query id, document id, relevance"],
  ["continue", "PATH", "earlier run to go on from: its folder, or artifact.zip"],
];

/** Options of one of the files, named after what it holds; without them those of all files are in force. */
const ownTable = (role, plural) => [
  [`${role}-format`, "FORMAT", `of the ${plural}: csv, jsonl or lines`],
  [`${role}-delimiter`, "CHAR", `of the ${plural}, instead of --delimiter`],
  [`${role}-encoding`, "LABEL", `of the ${plural}, instead of --encoding`],
  [`${role}-header`, "yes|no", `of the ${plural}, instead of --header`],
  [`${role}-quotes`, "yes|no", `of the ${plural}, instead of --quotes`],
];

const documentTable = [
  ["text-column", "NAME", "text of a document"],
  ["title-column", "NAME", "title of a document"],
  ["id-column", "NAME", "id of a document"],
  ...ownTable("document", "documents"),
];

const sharedTable = (files) => [
  ["delimiter", "CHAR", `one character, or tab, comma, semicolon, pipe; ${files}`],
  ["encoding", "LABEL", `${files}, such as utf-8 or windows-1252`],
  ["header", "yes|no", `whether the first row names the columns, ${files}`],
  ["quotes", "yes|no", `whether " encloses fields, ${files}`],
];

/** Judgements look like no other file: the options of all files are not theirs. */
const judgementsTable = [
  ["qrels-query-column", "NAME", "query id of a judgement"],
  ["qrels-document-column", "NAME", "document id of a judgement"],
  ["qrels-relevance-column", "NAME", "relevance of a judgement"],
  ["qrels-delimiter", "CHAR", "of the judgements: as --delimiter, or space"],
  ["qrels-encoding", "LABEL", "of the judgements"],
  ["qrels-header", "yes|no", "whether their first row names the columns"],
  ["qrels-quotes", "yes|no", 'whether " encloses their fields'],
];

export const readingTable = [
  ["How queries and documents are read; found by itself if not given. Columns by header, or by number from 1"],
  ["query-column", "NAME", "text of a query"],
  ["query-id-column", "NAME", "id of a query"],
  ["count-column", "NAME", "how often a query was asked"],
  ...ownTable("query", "queries"),
  ["test-query-column", "NAME", "text of a test query"],
  ["test-query-id-column", "NAME", "id of a test query"],
  ["test-query-count-column", "NAME", "how often a test query was asked"],
  ...ownTable("test-query", "test queries"),
  ...documentTable,
  ...judgementsTable,
  ...sharedTable("of all files but judgements"),
];

export const documentReadingTable = [
  ["How the documents are read; found by itself if not given. Columns by header, or by number from 1"],
  ...documentTable,
  ...sharedTable("of the documents"),
];

/** What can be trained. */
const methods = ["query-head", "head", "lora"];

/** In which numbers the models compute. */
export const dtypeTable = [["dtype", "KIND", "int16 (default on the CPU), int8 (faster, less exact) or fp32"]];

/** What was chosen of `dtypeTable`. */
export const dtypeOf = (args) => args.oneOf("dtype", ["int16", "int8", "fp32"]);

export const jobTable = [
  ["candidates", "N", "documents retrieved for each query (default 100)"],
  ["depth", "N", "how many of them are scored, however long it takes (default 20)"],
  ["budget-minutes", "N", "that scoring may take; while they last it goes deeper than --depth"],
  ["bm25", "N", "documents found by their words that are scored besides (default 0)"],
  ["method", "METHOD", "what is trained: query-head (default), head or lora"],
  ["seed", "N", "of all random choices (default 0)"],
  ["fit", "JSON", 'options of the training, or a .json file with them: {"loss": "mnrl"}'],
];

/** The download of the run that is to be gone on from. */
function earlierRun(args) {
  const path = args.path("continue");
  if (path === undefined) return undefined;
  args.existing(path, "--continue", "any");
  const zip = findDownload(path);
  if (!zip) throw args.wrong(`--continue: there is no artifact.zip in ${path}.`);
  return zip;
}

/** The files of a job, by what they are. */
export function inputFiles(args) {
  const files = {
    queries: args.file("queries"),
    documents: args.file("documents"),
    testQueries: args.file("test-queries"),
    qrels: args.file("qrels"),
    previous: earlierRun(args),
  };
  if (!files.queries !== !files.documents) {
    throw args.wrong(`--${files.queries ? "documents" : "queries"} is missing: a job needs queries and documents.`);
  }
  if (!files.queries && (files.testQueries || files.qrels || files.previous))
    throw args.wrong("--queries and --documents are missing.");
  if (files.testQueries && !files.qrels) {
    throw args.wrong("--test-queries needs --qrels: there is nothing to judge them by.");
  }
  return files;
}

const formats = ["csv", "jsonl", "lines"];

const delimiters = { tab: "\t", "\\t": "\t", comma: ",", semicolon: ";", pipe: "|" };

function isYes(args, name) {
  const answer = args.oneOf(name, ["yes", "no"]);
  return answer && answer === "yes";
}

/** The character that is written, or named. */
function delimiterOf(args, name, names = delimiters) {
  const written = args.get(name);
  const delimiter = names[written] ?? written;
  if (delimiter !== undefined && [...delimiter].length !== 1) {
    const all = Object.keys(names).filter((name) => name !== "\\t");
    throw args.wrong(`--${name} must be one character, or one of ${all.join(", ")}.`);
  }
  return delimiter;
}

/** How the files of that role are read: by their own options, else by those of all files. */
function ownReading(args, role) {
  const name = (what) => (args.get(`${role}-${what}`) === undefined ? what : `${role}-${what}`);
  return {
    format: args.oneOf(`${role}-format`, formats),
    delimiter: delimiterOf(args, name("delimiter")),
    encoding: args.get(name("encoding")),
    hasHeader: isYes(args, name("header")),
    quotes: isYes(args, name("quotes")),
  };
}

/** How judgements are read, as the package's `ReadJudgementsOptions`. */
export function judgementsReading(args) {
  return given({
    delimiter: delimiterOf(args, "qrels-delimiter", { ...delimiters, space: " " }),
    encoding: args.get("qrels-encoding"),
    hasHeader: isYes(args, "qrels-header"),
    quotes: isYes(args, "qrels-quotes"),
    queryColumn: args.get("qrels-query-column"),
    documentColumn: args.get("qrels-document-column"),
    relevanceColumn: args.get("qrels-relevance-column"),
  });
}

/** How documents are read, as the package's `ReadOptions`. */
export function documentReading(args) {
  return given({
    ...ownReading(args, "document"),
    textColumn: args.get("text-column"),
    titleColumn: args.get("title-column"),
    idColumn: args.get("id-column"),
  });
}

/** The same for queries. */
export function queryReading(args) {
  return given({
    ...ownReading(args, "query"),
    textColumn: args.get("query-column"),
    idColumn: args.get("query-id-column"),
    countColumn: args.get("count-column"),
  });
}

/** The same for test queries, whose file need not look like the log. */
export function testQueryReading(args) {
  return given({
    ...ownReading(args, "test-query"),
    textColumn: args.get("test-query-column"),
    idColumn: args.get("test-query-id-column"),
    countColumn: args.get("test-query-count-column"),
  });
}

/** The package refuses names that it does not know, but only when all is scored. */
function checkNames(args, options, names, within = "") {
  const known = Object.keys(names);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    const hint = meant ? ` Do you mean ${within}${meant}?` : "";
    throw args.wrong(`--fit: there is no training option ${within}${name}.${hint}`);
  }
}

/** What `fit` is told; what has an option of its own is taken from there. */
function trainingOptions(args) {
  const training = args.object("fit") ?? {};
  checkNames(args, training, TRAINING);
  checkNames(args, training.lora ?? {}, LORA, "lora.");
  return { ...training, ...given({ method: args.oneOf("method", methods), seed: args.whole("seed", 0) }) };
}

/** What `synthesize` and `fit` are told. */
export function jobOptions(args) {
  const candidates = args.whole("candidates", 1);
  const depth = args.whole("depth", 1);
  if (depth > (candidates ?? 100))
    throw args.wrong(`--depth ${depth} is more than the ${candidates ?? 100} candidates.`);
  const minutes = args.whole("budget-minutes", 1);
  const budgetSeconds = minutes && 60 * minutes;
  return {
    synthesize: given({ candidates, depth, budgetSeconds, bm25: args.whole("bm25", 0) }),
    fit: trainingOptions(args),
  };
}

/** A job's files by what they are, from their paths, each with how it is read: `{ name, path, options }`. */
export function jobFiles(args, paths) {
  const options = {
    queries: queryReading(args),
    testQueries: testQueryReading(args),
    documents: documentReading(args),
    qrels: judgementsReading(args),
  };
  const given = Object.entries(paths).filter(([, path]) => path);
  return Object.fromEntries(
    given.map(([role, path]) => [role, { name: basename(path), path, options: options[role] }]),
  );
}
