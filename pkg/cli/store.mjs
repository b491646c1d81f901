// The score store in a folder: one file a log, to which chunks are only ever added. Each chunk is preceded by its
// length and a CRC-32 (4 bytes each, little-endian), so that a chunk cut short by a crash is noticed and dropped.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { crc32 } from "node:zlib";
import { Failure } from "./terminal.mjs";

const HEAD = 8;
/** Bytes that are read of a log at once: it may be larger than a buffer can be. */
const PIECE = 2 ** 20;

/** The folder that is used unless another one is named: one for all jobs, so that none pays for what is known. */
export async function usualStore() {
  const { cacheFolder } = await import("../dist/folder-cache.js");
  return join(await cacheFolder(), "store");
}

/** The checksum starts at 1, so that a stretch of zeros, as a power cut may leave it, is no chunk. */
const checksum = (bytes, sum = 1) => crc32(bytes, sum);

/** Fills `bytes` from that place of a file on; false where it ends before. */
function fill(descriptor, bytes, place) {
  let done = 0;
  while (done < bytes.length) {
    const read = readSync(descriptor, bytes, done, bytes.length - done, place + done);
    if (read === 0) return false;
    done += read;
  }
  return true;
}

/** The places of a log's whole chunks, and where the last one ends. */
function findChunks(descriptor) {
  const { size } = fstatSync(descriptor);
  const piece = Buffer.alloc(PIECE);
  /** What of the file is in `piece`. */
  const held = { from: 0, to: 0 };
  const bytesAt = (place, most) => {
    if (place < held.from || place + Math.min(most, HEAD) > held.to) {
      held.from = place;
      held.to = Math.min(size, place + PIECE);
      if (!fill(descriptor, piece.subarray(0, held.to - place), place)) held.to = place;
    }
    return piece.subarray(place - held.from, Math.min(held.to - held.from, place - held.from + most));
  };
  const sumOf = (start, length) => {
    let sum;
    for (let done = 0; done < length; ) {
      const bytes = bytesAt(start + done, length - done);
      if (bytes.length === 0) return undefined;
      sum = checksum(bytes, sum);
      done += bytes.length;
    }
    return sum ?? checksum(Buffer.alloc(0));
  };
  const chunks = [];
  let end = 0;
  while (end + HEAD <= size) {
    const head = bytesAt(end, HEAD);
    if (head.length < HEAD) break;
    const [length, sum] = [head.readUInt32LE(0), head.readUInt32LE(4)];
    const start = end + HEAD;
    if (start + length > size || sumOf(start, length) !== sum) break;
    chunks.push({ start, length });
    end = start + length;
  }
  return { chunks, end, size };
}

/** The locks that this process holds. */
const held = new Set();

/** Milliseconds that a process may take between making its lock and writing its number there. */
const UNNAMED = 1000;

/** What a lock file says; nothing if its process was killed before it had said anything, or has gone meanwhile. */
function said(lock) {
  const until = performance.now() + UNNAMED;
  for (;;) {
    let text = "";
    try {
      text = readFileSync(lock, "utf8");
    } catch (error) {
      if (error.code === "ENOENT") return "";
      throw error;
    }
    if (text !== "" || performance.now() > until) return text;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}

/** The process that a lock file names, if it still runs. */
function holder(lock) {
  const id = Number(said(lock));
  if (!Number.isInteger(id) || id <= 0) return undefined;
  // In containers the process that left it may well have had the number that this one has.
  if (id === process.pid && !held.has(lock)) return undefined;
  try {
    process.kill(id, 0);
    return id;
  } catch (error) {
    return error.code === "EPERM" ? id : undefined;
  }
}

/** Append-only logs of bytes, as the npm package's `Store`. One process at a time may use a folder. */
export class FolderStore {
  #folder;
  #lock;
  #logs = new Map();
  /** A process that ends while it writes leaves no lock. */
  #release = () => {
    rmSync(this.#lock, { force: true });
    held.delete(this.#lock);
  };

  /** Opens a folder's logs. Throws a `Failure` if another process has them open. */
  constructor(folder) {
    this.#folder = resolve(folder);
    mkdirSync(folder, { recursive: true });
    this.#lock = join(this.#folder, "lock");
    try {
      writeFileSync(this.#lock, String(process.pid), { flag: "wx" });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const other = holder(this.#lock);
      if (other !== undefined) {
        throw new Failure(
          `Process ${other} is using ${folder}. Wait for it to end, or choose another --store. If that process is not ` +
            `querytune, delete ${this.#lock}.`,
        );
      }
      // Left behind by a process that was killed.
      writeFileSync(this.#lock, String(process.pid));
    }
    held.add(this.#lock);
    process.on("exit", this.#release);
  }

  /** How many chunks the log holds; 0 for a log never written. */
  async count(log) {
    return this.#open(log).chunks.length;
  }

  /** The chunk of that number. */
  async read(log, chunk) {
    const { descriptor, chunks } = this.#open(log);
    const place = chunks[chunk];
    if (!place) throw new RangeError(`The log ${log} has no chunk ${chunk}.`);
    const bytes = new Uint8Array(place.length);
    if (!fill(descriptor, bytes, place.start)) {
      throw new RangeError(`The log ${log} was cut short while it was in use.`);
    }
    return bytes;
  }

  /** Adds a chunk at the end. */
  async append(log, bytes) {
    const opened = this.#open(log);
    const record = Buffer.alloc(HEAD + bytes.length);
    record.writeUInt32LE(bytes.length, 0);
    record.writeUInt32LE(checksum(bytes), 4);
    record.set(bytes, HEAD);
    let done = 0;
    while (done < record.length) {
      done += writeSync(opened.descriptor, record, done, record.length - done, opened.end + done);
    }
    opened.chunks.push({ start: opened.end + HEAD, length: bytes.length });
    opened.end += record.length;
  }

  /** Closes the files, and leaves them to others. */
  close() {
    for (const { descriptor } of this.#logs.values()) closeSync(descriptor);
    this.#logs.clear();
    process.off("exit", this.#release);
    this.#release();
  }

  /** Opens a log and finds its chunks; what follows the last whole one is cut off. */
  #open(log) {
    const known = this.#logs.get(log);
    if (known) return known;
    const path = join(this.#folder, `${encodeURIComponent(log).replaceAll("*", "%2A").replace(/^\./, "%2E")}.log`);
    const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT);
    const { chunks, end, size } = findChunks(descriptor);
    if (end < size) ftruncateSync(descriptor, end);
    const opened = { descriptor, chunks, end };
    this.#logs.set(log, opened);
    return opened;
  }
}
