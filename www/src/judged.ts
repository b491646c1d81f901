/** How many of the judgements are of queries and documents that were read. */

import { computed, effect, signal } from "@preact/signals";
import type { Texts } from "querytune";
import { documents, previous, qrels, queries, testQueries } from "./data.js";
import { type JudgedPairs, judgedPairs } from "./qrels-ids.js";

/** What is known of the ids of one side. */
export interface Side {
  /** The name of the file whose ids they should be. */
  file: string;
  /** The first ids that the judgements name, and the first that the file has. */
  judged: string[];
  had: string[];
  /** How many of the named ones the file has. */
  known: number;
}

export interface Judged {
  judgements: number;
  /** Of these, how many are of a query and a document that were read. */
  known: number;
  queries: Side;
  documents: Side;
  /** Whether queries of an earlier run are joined, whose ids are not looked at. */
  isJoined: boolean;
}

/** Undefined while there is nothing to compare, or while it is compared. */
export const judged = signal<Judged | undefined>(undefined);

/** Whether a job could not be judged by what was chosen. */
export const strangers = computed(() => {
  const found = judged.value;
  if (!found || found.known > 0) return false;
  return found.documents.known === 0 || !found.isJoined;
});

let turn = 0;
effect(() => {
  const [judgements, file] = [qrels.content.value, qrels.file.value];
  const own = testQueries.content.value ? testQueries : queries;
  const [log, corpus] = [own.content.value?.texts, documents.content.value?.texts];
  const names = [own.file.value?.name ?? "", documents.file.value?.name ?? ""] as const;
  const isJoined = own === queries && previous.content.value !== undefined;
  turn += 1;
  const asked = turn;
  judged.value = undefined;
  if (!judgements || !file || !log || !corpus) return;
  const { summary } = judgements;
  compare(file, log, corpus, names)
    .then((found) => {
      // Read in another way than by the engine, the ids say nothing.
      if (asked !== turn || found.judgements !== summary.judgements) return;
      judged.value = { ...found, isJoined };
    })
    // The session ended meanwhile: it is done again once the files are read again.
    .catch(() => {});
});

async function compare(file: File, log: Texts, corpus: Texts, [logName, corpusName]: readonly [string, string]) {
  const pairs = await judgedPairs(file);
  const named = { queries: new Set(pairs.keys()), documents: new Set([...pairs.values()].flatMap((set) => [...set])) };
  const [queries, documents] = await Promise.all([
    side(log, named.queries, logName),
    side(corpus, named.documents, corpusName),
  ]);
  return { ...counts(pairs, queries.found, documents.found), queries: queries.side, documents: documents.side };
}

function counts(pairs: JudgedPairs, queries: Set<string>, documents: Set<string>) {
  let [judgements, known] = [0, 0];
  for (const [query, set] of pairs) {
    judgements += set.size;
    if (queries.has(query)) for (const document of set) if (documents.has(document)) known += 1;
  }
  return { judgements, known };
}

const SHOWN = 3;
/** Texts that are looked through at a time. */
const CHUNK = 2000;

/** Looks for ids in a file, no further than to the last one that is named. */
async function side(texts: Texts, named: Set<string>, file: string): Promise<{ found: Set<string>; side: Side }> {
  const found = new Set<string>();
  const had: string[] = [];
  for (let from = 0; from < texts.length && found.size < named.size; from += CHUNK) {
    for (const { ids } of await texts.items(from, CHUNK)) {
      if (had.length < SHOWN && ids[0] !== undefined) had.push(ids[0]);
      for (const id of ids) if (named.has(id)) found.add(id);
    }
  }
  return { found, side: { file, judged: [...named].slice(0, SHOWN), had, known: found.size } };
}
