/** What the page itself keeps in this browser: jobs, and the files of those that are not finished. */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { AdapterFile, EngineInfo, Report } from "querytune";
import type { Place } from "./data.js";
import type { Settings } from "./settings.js";

export const DATABASE = "querytune-page";

/** A job as it is remembered. */
export interface Job {
  id: string;
  /** Of queries and documents together. */
  fingerprint: string;
  /** Milliseconds since 1970. */
  begun: number;
  ended?: number;
  /** `stopped` while there is something left to do. */
  state: "stopped" | "done";
  names: Partial<Record<Place, string>>;
  settings: Settings;
  scored: number;
  total: number;
  /** In which numbers the models computed; absent until they are loaded, and in records of earlier versions. */
  dtype?: EngineInfo["device"]["dtype"];
  /** Whether its files are kept, so that it goes on after a reload. */
  files: boolean;
  report?: Report;
  adapter?: AdapterFile[];
}

interface Schema extends DBSchema {
  jobs: { key: string; value: Job };
  files: { key: [job: string, place: string]; value: File };
}

let opening: Promise<IDBPDatabase<Schema>> | undefined;

/** The database; rejected where the browser keeps nothing. */
export function database(): Promise<IDBPDatabase<Schema>> {
  opening ??= openDB<Schema>(DATABASE, 1, {
    upgrade: (db) => {
      db.createObjectStore("jobs", { keyPath: "id" });
      db.createObjectStore("files");
    },
    // It is to be deleted or changed by another tab: let it, and open it anew when it is next needed.
    blocking: (_current, _blocked, event) => {
      (event.target as IDBDatabase | null)?.close();
      opening = undefined;
    },
    terminated: () => {
      opening = undefined;
    },
  });
  opening.catch(() => {
    opening = undefined;
  });
  return opening;
}

/** Closes it, to be opened again when it is next needed. */
export async function closeDatabase(): Promise<void> {
  const former = opening;
  opening = undefined;
  await former?.then(
    (db) => db.close(),
    () => {},
  );
}
