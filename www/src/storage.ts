/** What this page has stored in the browser, how large it is, and how to be rid of it. */

import { signal } from "@preact/signals";
import { cachedModels, clearCache } from "querytune";
import { closeDatabase, DATABASE } from "./database.js";
import { busy, scoresDeleted } from "./job.js";
import { forgetScores, jobs, keptBytes, loadJobs } from "./jobs.js";
import { refuseElsewhere } from "./locks.js";
import { forgetSpeed } from "./measurement.js";
import { dropPage, isShell } from "./offline.js";

export interface Stored {
  /** Of this page's origin, as far as the browser says. */
  usage: number | undefined;
  quota: number | undefined;
  /** Whether the browser promised not to clear it away on its own. */
  persisted: boolean;
  models: { files: number; bytes: number };
  shell: { files: number; bytes: number };
  /** The files of jobs that are not finished. */
  files: number;
  /** Of databases: scores, vectors, jobs; not said by every browser. */
  databases: number | undefined;
}

export const stored = signal<Stored | undefined>(undefined);

const BLOCKED =
  "Another tab of this page holds on to what is to be deleted. It goes as soon as that tab is closed; if it is still here then, delete again.";

/** The package keeps scores and vectors in this database. */
const SCORES = "querytune";

async function keptModels(): Promise<{ files: number; bytes: number }> {
  const sum = { files: 0, bytes: 0 };
  for (const { files, bytes } of await cachedModels()) {
    sum.files += files;
    sum.bytes += bytes;
  }
  return sum;
}

async function keptPage(): Promise<{ files: number; bytes: number }> {
  const sum = { files: 0, bytes: 0 };
  for (const name of ((await globalThis.caches?.keys()) ?? []).filter(isShell)) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      const length = response?.headers.get("content-length");
      sum.files += 1;
      sum.bytes += length ? Number(length) : 0;
    }
  }
  return sum;
}

/** Opening a cache that is being deleted would make it again. */
let deleting = false;

/** Looks again. */
export async function look(): Promise<void> {
  if (deleting) return;
  const storage = navigator.storage;
  const told: StorageEstimate & { usageDetails?: { indexedDB?: number } } = (await storage?.estimate?.()) ?? {};
  const [persisted, models, shell, files] = await Promise.all([
    storage?.persisted?.() ?? false,
    keptModels(),
    keptPage(),
    keptBytes(),
  ]);
  const databases = told.usageDetails?.indexedDB;
  stored.value = { usage: told.usage, quota: told.quota, persisted, models, shell, files, databases };
}

/** Milliseconds that other tabs have to close a database that is to be deleted. */
const PATIENCE = 5000;

function deleteDatabase(name: string): Promise<void> {
  if (typeof indexedDB === "undefined") return Promise.resolve();
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    let timer: ReturnType<typeof setTimeout> | undefined;
    request.onsuccess = () => {
      clearTimeout(timer);
      resolve();
    };
    request.onerror = () => {
      clearTimeout(timer);
      reject(request.error);
    };
    // Others close it as soon as what they have begun on it is done, and then it is deleted after all.
    request.onblocked = () => {
      timer = setTimeout(() => reject(new Error(BLOCKED)), PATIENCE);
    };
  });
}

export function deleteModels(): Promise<void> {
  return clearCache();
}

/** The engine's store. The session closes it of its own accord and goes on, so that a result stays usable. */
export async function deleteScores(): Promise<void> {
  if (busy.value) throw new Error("A job is running. Cancel it first.");
  await refuseElsewhere();
  await deleteDatabase(SCORES);
  await forgetScores();
  scoresDeleted();
}

/** Jobs with their files. */
export async function deleteJobs(): Promise<void> {
  await refuseElsewhere();
  await closeDatabase();
  await deleteDatabase(DATABASE);
  jobs.value = [];
  await loadJobs();
}

export const deletePage = dropPage;

/** All of it, small notes included. */
export async function deleteAll(): Promise<void> {
  deleting = true;
  try {
    await deleteScores();
    await Promise.all([deleteModels(), deleteJobs(), deletePage()]);
  } finally {
    deleting = false;
  }
  forgetSpeed();
  for (const key of Object.keys(localStorage)) if (key.startsWith("querytune.")) localStorage.removeItem(key);
}

/** Asks the browser not to clear it away on its own. */
export async function persist(): Promise<void> {
  await navigator.storage?.persist?.();
  await look();
}
