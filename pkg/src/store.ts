/** Where finished vectors and scores are kept: append-only logs in IndexedDB, or in memory. */

import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, openDB } from "idb";
import { QuerytuneError } from "./errors.js";
import type { Store } from "./types.js";

const DATABASE = "querytune";

/** What logs of a person's answers begin with. Unlike vectors and scores, nothing can compute these again. */
const ANSWERS = "judgements-";

interface Schema extends DBSchema {
  chunks: { key: [log: string, chunk: number]; value: Uint8Array };
}

/** Bytes that are read at once, where chunks are small as the CPU makes them: a log is read in its order. */
const AHEAD = 2 ** 20;
/** Chunks that are read at once at most. */
const MOST_AHEAD = 64;

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
  #database: Promise<IDBPDatabase<Schema>> | undefined;
  readonly #onWarning: (message: string) => void;
  /** Chunks behind the last one that was read, and its size. No chunk ever changes. */
  #ahead: { log: string; from: number; chunks: (Uint8Array | undefined)[]; bytes: number } | undefined;
  /** What no longer fits on the disk, behind the chunks that are there. */
  readonly #overflow = new Map<string, { from: number; chunks: Uint8Array[] }>();

  private constructor(onWarning: (message: string) => void) {
    this.#onWarning = onWarning;
  }

  /** Opens the database, and makes it where there is none. `onWarning` hears of a full disk. */
  static async open(onWarning: (message: string) => void): Promise<IndexedDbStore> {
    const store = new IndexedDbStore(onWarning);
    await store.#open();
    return store;
  }

  async count(log: string): Promise<number> {
    const overflow = this.#overflow.get(log);
    if (overflow) return overflow.from + overflow.chunks.length;
    return this.#use((database) => length(database.transaction("chunks").store, log));
  }

  async read(log: string, chunk: number): Promise<Uint8Array> {
    const overflow = this.#overflow.get(log);
    const bytes =
      overflow && chunk >= overflow.from ? overflow.chunks[chunk - overflow.from] : await this.#stored(log, chunk);
    if (!bytes) throw new RangeError(`The log ${log} has no chunk ${chunk}.`);
    return bytes;
  }

  /** A chunk of the database, with those behind it in view of the next calls. */
  async #stored(log: string, chunk: number): Promise<Uint8Array | undefined> {
    const known = this.#ahead?.log === log ? this.#ahead : undefined;
    let ahead = known;
    if (!ahead?.chunks[chunk - ahead.from]) {
      // Of a log that is not known yet one chunk alone: it may be large, and so may those behind it.
      const many = known ? Math.min(MOST_AHEAD, Math.max(1, Math.floor(AHEAD / known.bytes))) : 1;
      const behind = IDBKeyRange.bound([log, chunk], [log, chunk + many], false, true);
      const chunks = await this.#use((database) => database.getAll("chunks", behind));
      ahead = { log, from: chunk, chunks, bytes: AHEAD };
      this.#ahead = ahead;
    }
    const bytes = ahead.chunks[chunk - ahead.from];
    // It belongs to the caller from now on.
    ahead.chunks[chunk - ahead.from] = undefined;
    ahead.bytes = Math.max(1, bytes?.length ?? AHEAD);
    return bytes;
  }

  async append(log: string, bytes: Uint8Array): Promise<void> {
    const overflow = this.#overflow.get(log);
    if (overflow) {
      overflow.chunks.push(bytes);
      return;
    }
    try {
      await this.#use(async (database) => {
        const transaction = database.transaction("chunks", "readwrite");
        const added = length(transaction.store, log).then((chunk) => transaction.store.add(bytes, [log, chunk]));
        added.catch(() => {});
        // First, as it knows why it was aborted, such as by a full disk; what was asked of it knows only that it was.
        await transaction.done;
        await added;
      });
    } catch (error) {
      if (!isNamed(error, "QuotaExceededError")) throw error;
      if (log.startsWith(ANSWERS)) {
        throw new QuerytuneError(
          "store",
          "The disk is full: this answer counts, but is lost when the page is closed. Free disk space, then answer again.",
          { cause: error },
        );
      }
      const from = await this.count(log);
      this.#overflow.set(log, { from, chunks: [bytes] });
      this.#onWarning(
        "The disk is full: what is scored from here on is lost when the page is closed. Free disk space.",
      );
    }
  }

  /** Lets others change or delete the database; it is opened again when the store is next used. */
  close(): void {
    this.#ahead = undefined;
    this.#database?.then(
      (database) => database.close(),
      () => {},
    );
    this.#database = undefined;
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    const opening = openDB<Schema>(DATABASE, 1, {
      upgrade: (db) => {
        db.createObjectStore("chunks");
      },
      // A newer version of the page wants to change the database, or it is to be deleted: let it.
      blocking: (_current, blocked, event) => {
        (event.target as IDBDatabase | null)?.close();
        lost();
        // What lay behind chunks that are deleted has nothing in front of it any more.
        if (blocked === null) this.#overflow.clear();
      },
      terminated: () => lost(),
    });
    const lost = () => {
      if (this.#database !== opening) return;
      this.#database = undefined;
      this.#ahead = undefined;
    };
    this.#database = opening;
    opening.catch(lost);
    return opening;
  }

  /** Works on the database, opened again if it was closed meanwhile, as when another tab deletes it. */
  async #use<T>(work: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    try {
      return await work(await (this.#database ?? this.#open()));
    } catch (error) {
      // A transaction cannot be begun on a database that is closing, and the browser aborts those that are under way.
      const isClosing = isNamed(error, "InvalidStateError") && !this.#database;
      if (!isClosing && !isNamed(error, "AbortError")) throw error;
      return this.#again(work);
    }
  }

  /** Does work of which nothing was done, as its transaction was not begun, or was aborted; on the database opened anew. */
  async #again<T>(work: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    this.close();
    try {
      return await work(await this.#open());
    } catch (error) {
      if (!isNamed(error, "AbortError")) throw error;
      // By its own name it would be taken for a call that somebody has cancelled.
      throw new QuerytuneError(
        "store",
        "The browser ended the work on its database. Start again; what was kept before is still there.",
        { cause: error },
      );
    }
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof DOMException && error.name === name;
}

/**
 * How many chunks a log has: by its last one, as counting takes the longer the more there are. Not remembered either: another
 * tab may add some, and delete them.
 */
async function length(
  chunks: IDBPObjectStore<Schema, ["chunks"], "chunks", "readonly" | "readwrite">,
  log: string,
): Promise<number> {
  const last = await chunks.openKeyCursor(IDBKeyRange.bound([log], [log, []]), "prev");
  return last ? last.key[1] + 1 : 0;
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
