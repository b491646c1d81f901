/** The jobs this browser remembers. Their scores are in the engine's own store and not in here. */

import { signal } from "@preact/signals";
import type { ReadOptions } from "querytune";
import { PLACES, type Place, type Slots } from "./data.js";
import { database, type Job } from "./database.js";
import { heldJobs, isHeldHere } from "./locks.js";
import { isAsPrecise } from "./precision.js";
import { modelsOf, type Settings } from "./settings.js";

export type { Job } from "./database.js";

/** Newest first; undefined until they are read. */
export const jobs = signal<Job[] | undefined>(undefined);

/** Reads what was kept. Where the browser keeps nothing there are those that were run since the page was opened. */
export async function loadJobs(): Promise<void> {
  try {
    const db = await database();
    // In this order, as a job is held before its files are kept, and in the list before it is let go of.
    const keys = await db.getAllKeys("files");
    const held = await heldJobs();
    const all = await db.getAll("jobs");
    const known = new Set([...held, ...all.filter((job) => job.files).map((job) => job.id)]);
    // The page may have been closed between a job's end and the deletion of its files.
    for (const key of keys) if (!known.has(key[0])) await db.delete("files", key);
    // This tab's own job, if one has begun meanwhile, is newer here than in what is stored.
    const own = (jobs.value ?? []).filter(({ id }) => isHeldHere(id));
    sort([...own, ...all.filter(({ id }) => !isHeldHere(id))]);
  } catch {
    jobs.value ??= [];
  }
}

/**
 * Jobs on the same files, read in the same way, with the same models in the same numbers, newest first: theirs are the
 * same scores.
 */
export function formerJobs(print: string, now: Settings): Job[] {
  const reads = ({ reading }: Settings) => JSON.stringify([reading.queries ?? {}, reading.documents ?? {}]);
  return (jobs.value ?? []).filter(
    (job) =>
      job.fingerprint === print &&
      modelsOf(job.settings) === modelsOf(now) &&
      reads(job.settings) === reads(now) &&
      isAsPrecise(job, now),
  );
}

/** Notes that no score is kept any more. */
export async function forgetScores(): Promise<void> {
  for (const job of jobs.value ?? []) if (job.total > 0) await remember({ ...job, scored: 0, total: 0 });
}

const filesOf = (id: string) => IDBKeyRange.bound([id], [id, []]);

function sort(all: Job[]): void {
  jobs.value = all.sort((a, b) => b.begun - a.begun);
}

/** Remembers a job, or what became of it. */
export async function remember(job: Job): Promise<void> {
  sort([job, ...(jobs.value ?? []).filter((other) => other.id !== job.id)]);
  try {
    await (await database()).put("jobs", job);
  } catch {
    // Only the account is lost, not the scores.
  }
}

/** Forgets a job with its files, both or none. */
export async function forget(id: string): Promise<void> {
  try {
    const transaction = (await database()).transaction(["jobs", "files"], "readwrite");
    await Promise.all([
      transaction.objectStore("jobs").delete(id),
      transaction.objectStore("files").delete(filesOf(id)),
      transaction.done,
    ]);
  } catch {
    // Nothing was kept.
  }
  jobs.value = (jobs.value ?? []).filter((job) => job.id !== id);
}

/** Keeps the files of a job, with the way they are read; false where there is no room. */
export async function keepFiles(id: string, slots: Slots): Promise<boolean> {
  try {
    const transaction = (await database()).transaction("files", "readwrite");
    const writes: Promise<unknown>[] = [transaction.store.delete(filesOf(id))];
    for (const place of PLACES) {
      const file = slots[place].file.peek();
      if (file) writes.push(transaction.store.put(file, [id, place]));
    }
    await Promise.all([...writes, transaction.done]);
    return true;
  } catch {
    await dropFiles(id);
    return false;
  }
}

export async function dropFiles(id: string): Promise<void> {
  try {
    await (await database()).delete("files", filesOf(id));
  } catch {
    // There are none.
  }
}

/** Puts the kept files of a job back to their places. */
export async function restoreFiles(
  job: Job,
  choose: (place: Place, file: File | undefined, options: ReadOptions) => Promise<void>,
): Promise<void> {
  const db = await database();
  await Promise.all(
    PLACES.map(async (place) => {
      const file = await db.get("files", [job.id, place]);
      await choose(place, file, job.settings.reading[place] ?? {});
    }),
  );
}

/** Sizes of all kept files, in bytes. */
export async function keptBytes(): Promise<number> {
  try {
    const files = await (await database()).getAll("files");
    return files.reduce((sum, file) => sum + file.size, 0);
  } catch {
    return 0;
  }
}

/** Up to this many bytes a file is hashed whole; of a larger one its ends and samples between them. */
const WHOLE = 8e6;
const SAMPLE = 64 * 1024;
const SAMPLES = 32;

function sampled(file: File): Blob {
  if (file.size <= WHOLE) return file;
  const step = (file.size - SAMPLE) / (SAMPLES - 1);
  const parts = Array.from({ length: SAMPLES }, (_, i) => {
    const from = Math.floor(i * step);
    return file.slice(from, from + SAMPLE);
  });
  return new Blob([`${file.size}\n`, ...parts]);
}

async function contentOf(file: File): Promise<ArrayBuffer> {
  try {
    return await sampled(file).arrayBuffer();
  } catch (cause) {
    throw new Error(`${file.name} was changed, moved or deleted since it was chosen. Choose it again.`, { cause });
  }
}

/** Tells two pairs of files apart: by content where the browser has the means, else by name and size. */
export async function fingerprint(files: File[]): Promise<string> {
  const parts = await Promise.all(
    files.map(async (file) => {
      if (!globalThis.crypto?.subtle) return `${file.name}:${file.size}`;
      const hash = await crypto.subtle.digest("SHA-256", await contentOf(file));
      return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }),
  );
  return parts.join("+");
}

/** A number for a new job; random ones by the browser exist on secure origins only. */
export function newId(): string {
  return globalThis.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.floor(Math.random() * 1e9)}`;
}
