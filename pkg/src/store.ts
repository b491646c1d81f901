/** Where finished vectors and scores are kept: append-only logs in IndexedDB, or in memory. */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Store } from "./types.js";

const DATABASE = "querytune";

interface Schema extends DBSchema {
  chunks: { key: [log: string, chunk: number]; value: Uint8Array };
}

/** Logs that last as long as the page. */
export class MemoryStore implements Store {
  readonly #logs = new Map<string, Uint8Array[]>();

  async count(log: string): Promise<number> {
    return this.#logs.get(log)?.length ?? 0;
  }

  async read(log: string, chunk: number): Promise<Uint8Array> {
    const bytes = this.#logs.get(log)?.[chunk];
    if (!bytes) throw new RangeError(`The log ${log} has no chunk ${chunk}.`);
    return bytes;
  }

  async append(log: string, bytes: Uint8Array): Promise<void> {
    const chunks = this.#logs.get(log);
    if (chunks) chunks.push(bytes);
    else this.#logs.set(log, [bytes]);
  }
}

/**
 * Logs that last until the browser's data are cleared. A chunk is added in one transaction, so that one cut short
 * is not there at all, and two tabs do not overwrite each other's.
 */
export class IndexedDbStore implements Store {
  readonly #database: IDBPDatabase<Schema>;
  readonly #onWarning: (message: string) => void;
  /** What no longer fits on the disk, behind the chunks that are there. */
  readonly #overflow = new Map<string, { from: number; chunks: Uint8Array[] }>();

  private constructor(database: IDBPDatabase<Schema>, onWarning: (message: string) => void) {
    this.#database = database;
    this.#onWarning = onWarning;
  }

  /** Opens the database, and makes it where there is none. `onWarning` hears of a full disk. */
  static async open(onWarning: (message: string) => void): Promise<IndexedDbStore> {
    const database = await openDB<Schema>(DATABASE, 1, {
      upgrade: (db) => {
        db.createObjectStore("chunks");
      },
      // A newer version of the page wants to change the database: let it.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase | null)?.close(),
    });
    return new IndexedDbStore(database, onWarning);
  }

  async count(log: string): Promise<number> {
    const overflow = this.#overflow.get(log);
    if (overflow) return overflow.from + overflow.chunks.length;
    return this.#database.count("chunks", range(log));
  }

  async read(log: string, chunk: number): Promise<Uint8Array> {
    const overflow = this.#overflow.get(log);
    const bytes =
      overflow && chunk >= overflow.from
        ? overflow.chunks[chunk - overflow.from]
        : await this.#database.get("chunks", [log, chunk]);
    if (!bytes) throw new RangeError(`The log ${log} has no chunk ${chunk}.`);
    return bytes;
  }

  async append(log: string, bytes: Uint8Array): Promise<void> {
    const overflow = this.#overflow.get(log);
    if (overflow) {
      overflow.chunks.push(bytes);
      return;
    }
    try {
      const transaction = this.#database.transaction("chunks", "readwrite");
      const added = transaction.store.count(range(log)).then((count) => transaction.store.add(bytes, [log, count]));
      await Promise.all([added, transaction.done]);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") throw error;
      this.#overflow.set(log, { from: await this.#database.count("chunks", range(log)), chunks: [bytes] });
      this.#onWarning(
        "The disk is full: what is scored from here on is lost when the page is closed. Free disk space.",
      );
    }
  }

  /** Lets others change or delete the database; the store cannot be used any more. */
  close(): void {
    this.#database.close();
  }
}

function range(log: string): IDBKeyRange {
  return IDBKeyRange.bound([log], [log, []]);
}

/** The store that was asked for; memory where the browser keeps nothing, as in some private windows. */
export async function openStore(
  choice: "indexeddb" | "memory" | Store | undefined,
  onWarning: (message: string) => void,
): Promise<Store> {
  // Not asked whether it is an object: a store of the main thread is a callable proxy in the worker.
  if (choice !== undefined && typeof choice !== "string") return choice;
  if (choice === "memory" || (choice === undefined && typeof indexedDB === "undefined")) return new MemoryStore();
  try {
    return await IndexedDbStore.open(onWarning);
  } catch (error) {
    onWarning(`The browser keeps no data for this page (${String(error)}): a job cannot be resumed after a reload.`);
    return new MemoryStore();
  }
}
