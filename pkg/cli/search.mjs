// `querytune search`: documents ranked for a query by the base model and by the tuned one, side by side.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Arguments, optionLines } from "./arguments.mjs";
import { Interrupt } from "./interrupt.mjs";
import { DEFAULT_CROSS_ENCODER, findModel } from "./models.mjs";
import { documentReading, documentReadingTable } from "./options.mjs";
import { ProgressView } from "./progress.mjs";
import { rankingLines } from "./rankings.mjs";
import { readingLines } from "./report.mjs";
import { FolderStore, usualStore } from "./store.mjs";
import { applyHead, nearestRows, normalizeRows, openTuned } from "./tuned.mjs";
import { VectorStore } from "./vectors.mjs";

const table = [
  ["Options"],
  ["top", "N", "documents that are shown (default 10)"],
  ["json", undefined, "the rankings as one JSON document on stdout"],
  ["help", undefined, "this text"],
  ["threads", "N", "that share the work (default one a processor, at most 8)"],
  ["store", "DIR", "where the documents' vectors are kept (default: the system's cache)"],
  ["cross-encoder", "MODEL", "folder or hub id (default: what the model was adapted with)"],
  ...documentReadingTable,
];

export const help = [
  'Usage: querytune search MODEL DOCUMENTS "QUERY" [options]',
  "",
  "Searches documents with a tuned model and, next to it, with the model it was made from. MODEL is the",
  "artifact.zip or the folder that querytune adapt wrote; DOCUMENTS a file as adapt reads it.",
  "",
  '  querytune search tuned docs.csv "surfing lessons"',
  '  querytune search tuned/artifact.zip docs.csv "surfing lessons" --top 3 --json',
  ...optionLines(table),
  "",
  "Documents are encoded once: their vectors are kept, and the next query is answered at once.",
].join("\n");

/** The cross-encoder that `adapt` used, by what it has left beside the model. */
function formerCrossEncoder(model) {
  for (const folder of [model, dirname(model)]) {
    const path = join(folder, "models.json");
    if (!existsSync(path)) continue;
    try {
      const { crossEncoder } = JSON.parse(readFileSync(path, "utf8"));
      if (typeof crossEncoder === "string") return crossEncoder;
    } catch {
      // Not ours.
    }
  }
  return undefined;
}

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
    crossEncoder: findModel(args, "cross-encoder", formerCrossEncoder(path) ?? DEFAULT_CROSS_ENCODER),
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

async function allItems(texts) {
  const items = [];
  while (items.length < texts.length) items.push(...(await texts.items(items.length, 10_000)));
  return items;
}

/** Runs the command; resolves to an exit code. */
export async function run(given, { say, stream, print }) {
  const options = readOptions(given);
  if (!options) {
    print(help);
    return 0;
  }
  const tuned = openTuned(options.model);
  const view = new ProgressView(stream);
  const interrupt = new Interrupt(() => view.end());
  const store = openStore(options.store ?? (await usualStore()), say);
  try {
    const found = await search(options, tuned, { view, say, store, signal: interrupt.signal });
    show(found, options, tuned, { stream, say, print });
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

async function search(options, tuned, { view, say, store, signal }) {
  const { open } = await import("../dist/core.js");
  const warn = (message) => {
    view.end();
    say(`  Warning: ${message}`);
  };
  const session = await open({ store: "memory", onWarning: warn });
  try {
    const bytes = new Uint8Array(readFileSync(options.documents));
    const texts = await session.readDocuments(bytes, { ...options.reading, file: basename(options.documents) });
    for (const line of readingLines(texts.reading)) say(line);
    const items = await allItems(texts);
    const watch = { signal, onProgress: (event) => event.stage !== "encode" && view.event(event) };
    const models = { encoder: tuned.encoder, crossEncoder: options.crossEncoder.source };
    // Others would have their models only when this thread alone is done with a few documents.
    const threads = options.threads ?? (items.length < 300 ? 1 : undefined);
    const tuner = await session.load({ ...models, device: "cpu", threads, ...watch });
    const { encoder } = tuner.info.models;
    const vectors = new VectorStore(store, `search-${encoder.sha256}-${tuner.info.device.dtype}`, encoder.dims);
    const documents = await vectors.of(
      items.map(({ text }) => text),
      {
        keyOf: (text) => createHash("sha256").update(text).digest().subarray(0, 16),
        embed: async (some) => normalizeRows((await tuner.embed(some, { signal })).data, encoder.dims),
        progress: (event) => view.event({ stage: "encode", ...event }),
      },
    );
    view.end();
    // With the prompt for queries, if the encoder has one: `embed` is for documents.
    const query = normalizeRows(await tuner.work("encode-queries", [options.query], { signal }), encoder.dims);
    const data = documents.data;
    const hits = (vector, matrix) =>
      nearestRows(vector, matrix, options.top).map(({ row, score }, i) => {
        const { ids, title, text } = items[row];
        return { rank: i + 1, id: ids[0], ...(title && { title }), text, score };
      });
    return {
      query: options.query,
      documents: { total: items.length, fromStore: documents.cached },
      base: hits(query, data),
      tuned: hits(applyHead(tuned.query, query), tuned.document ? applyHead(tuned.document, data) : data),
    };
  } finally {
    session.dispose();
  }
}

function show(found, { json, model }, { report }, { say, print }) {
  const delivered = report?.fit?.delivered;
  if (json) {
    print(JSON.stringify({ model, ...(delivered && { delivered }), ...found }, null, 2));
    return;
  }
  if (delivered === "base") {
    say(
      "  Nothing had beaten the base model on held-out queries, so the base model was delivered. The trained head is",
    );
    say("  used here all the same, to look at.");
  }
  say();
  const width = process.stdout.isTTY ? process.stdout.columns : 100;
  for (const line of rankingLines(found, width)) print(line);
}
