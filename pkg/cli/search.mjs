// `querytune search`: documents ranked for a query by the base model and by the tuned one, side by side.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Arguments, optionLines } from "./arguments.mjs";
import { findDownload } from "./download.mjs";
import { Interrupt } from "./interrupt.mjs";
import { documentReading, documentReadingTable } from "./options.mjs";
import { ProgressView } from "./progress.mjs";
import { rankingLines } from "./rankings.mjs";
import { readingLines } from "./report.mjs";
import { FolderStore, usualStore } from "./store.mjs";
import { Failure } from "./terminal.mjs";

const table = [
  ["Options"],
  ["top", "N", "documents that are shown (default 10)"],
  ["json", undefined, "the rankings as one JSON document on stdout"],
  ["help", undefined, "this text"],
  ["threads", "N", "that share the work (default one a processor, as far as memory allows)"],
  ["store", "DIR", "where the documents' vectors are kept (default: the system's cache)"],
  ...documentReadingTable,
];

export const help = [
  'Usage: querytune search MODEL DOCUMENTS "QUERY" [options]',
  "",
  "Searches documents with a tuned model and, next to it, with the model it was made from. MODEL is an",
  "artifact.zip, or the folder that querytune adapt wrote, whose zip is taken; DOCUMENTS a file as adapt reads",
  "it.",
  "",
  '  querytune search tuned docs.csv "surfing lessons"',
  '  querytune search tuned/artifact.zip docs.csv "surfing lessons" --top 3 --json',
  ...optionLines(table),
  "",
  "Documents are encoded once: their vectors are kept, and the next query is answered at once.",
].join("\n");

function readOptions(given) {
  const args = new Arguments(table, { help: "querytune search --help" }).read(given, 3);
  if (args.get("help")) return undefined;
  const [model, documents, query] = args.positionals;
  for (const [value, what] of [
    [model, "MODEL"],
    [documents, "DOCUMENTS"],
    [query?.trim(), "QUERY"],
  ]) {
    if (!value) throw args.wrong(`${what} is missing: querytune search MODEL DOCUMENTS "QUERY"`);
  }
  const path = args.existing(model, "MODEL", "any");
  return {
    model: path,
    documents: args.existing(documents, "DOCUMENTS", "file"),
    query: query.trim(),
    reading: documentReading(args),
    top: args.whole("top", 1) ?? 10,
    threads: args.whole("threads", 1),
    store: args.path("store"),
    json: args.get("json") === true,
  };
}

/** The store, or nothing where another command uses it: a search can do without. */
function openStore(folder, say) {
  try {
    return new FolderStore(folder);
  } catch (error) {
    say(`  Warning: ${error.message} The documents' vectors are not kept this time.`);
    return undefined;
  }
}

/** Runs the command; resolves to an exit code. */
export async function run(given, { say, stream, print }) {
  const options = readOptions(given);
  if (!options) {
    print(help);
    return 0;
  }
  const zip = findDownload(options.model);
  if (!zip) {
    throw new Failure(
      `${options.model} holds no artifact.zip. Give the zip, or the folder that querytune adapt wrote.`,
    );
  }
  const view = new ProgressView(stream);
  const interrupt = new Interrupt(() => view.end());
  const store = openStore(options.store ?? (await usualStore()), say);
  try {
    const found = await search(options, zip, { view, say, store, signal: interrupt.signal });
    show(found, options, { say, print });
    return 0;
  } catch (error) {
    view.end();
    if (interrupt.code === undefined) throw error;
    say("Stopped. The vectors that were finished are kept.");
    if (options.json) print(JSON.stringify({ error: { code: "cancelled", message: "Stopped by a signal." } }, null, 2));
    return interrupt.code;
  } finally {
    interrupt.release();
    store?.close();
  }
}

async function search(options, zip, { view, say, store, signal }) {
  const { open } = await import("../dist/core.js");
  const warn = (message) => {
    view.end();
    say(`  Warning: ${message}`);
  };
  const session = await open({ store: store ?? "memory", onWarning: warn });
  try {
    const bytes = (path) => new Uint8Array(readFileSync(path));
    const watch = { signal, onProgress: (event) => view.event(event) };
    const texts = await session.readDocuments(bytes(options.documents), {
      ...options.reading,
      file: basename(options.documents),
      ...watch,
    });
    view.end();
    for (const line of readingLines(texts.reading)) say(line);
    // Others would have their models only when this thread alone is done with a few documents.
    const threads = options.threads ?? (texts.length < 300 ? 1 : undefined);
    const model = await session.loadArtifact(bytes(zip), { device: "cpu", threads, ...watch });
    const rank = async (which) => {
      let fromStore = 0;
      const onProgress = (event) => {
        if (event.stage === "encode") fromStore = event.cached;
        // What both models have in common is encoded once, and no news the second time.
        if (fromStore < texts.length) view.event(event);
      };
      const index = await model.index(texts, { model: which, signal, onProgress });
      const found = await index.search(options.query, { topK: options.top, signal });
      const hits = found.map(({ id, title, text, score }, i) => ({
        rank: i + 1,
        id,
        ...(title && { title }),
        text,
        score,
      }));
      return { hits, fromStore };
    };
    const [base, tuned] = [await rank("base"), await rank("trained")];
    view.end();
    return {
      delivered: model.report.fit?.delivered,
      query: options.query,
      documents: {
        total: texts.length,
        fromStore: Math.min(base.fromStore, tuned.fromStore),
        ...(texts.reading.notes?.length && { notes: texts.reading.notes }),
      },
      base: base.hits,
      tuned: tuned.hits,
    };
  } finally {
    session.dispose();
  }
}

function show(found, { json, model }, { say, print }) {
  if (json) {
    print(JSON.stringify({ model, ...found }, null, 2));
    return;
  }
  if (found.delivered === "base") {
    say(
      "  The run delivered the base model: its report says why. What was trained is used here all the same, to look at.",
    );
  }
  say();
  const width = process.stdout.isTTY ? process.stdout.columns : 100;
  for (const line of rankingLines(found, width)) print(line);
}
