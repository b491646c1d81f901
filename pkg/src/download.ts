/** The files of a model from the network, or from where they are kept since the last time. */

import { QuerytuneError } from "./errors.js";
import {
  beginningOf,
  type Contents,
  type FileCache,
  type KeptFile,
  openCache,
  readContents,
  writeContents,
} from "./model-cache.js";
import { nodeFiles } from "./node.js";
import { sha256 } from "./sha256.js";
import type { DownloadProgress } from "./types.js";

/** Bytes from which on the beginning of a file is kept. */
const WORTH_KEEPING = 1_000_000;

/** A model's folder on a server, or on the disk. */
export interface Folder {
  base: URL;
  /** Whether its files never change. */
  immutable: boolean;
  /** The SHA-256 that files must have, by path. */
  sha256?: Readonly<Record<string, string>>;
}

export interface DownloadOptions {
  onProgress?: (progress: DownloadProgress) => void;
  onWarning: (message: string) => void;
  signal?: AbortSignal;
}

/** The beginning of a file, and which file that was. */
interface Beginning {
  bytes: Uint8Array;
  etag: string;
}

/** A file that was kept. */
interface Kept {
  path: string;
  kept: KeptFile;
}

/** A file on its way. */
interface Coming {
  path: string;
  kept?: undefined;
  response: Response;
  /** What was here before; the response has the rest. */
  beginning?: Uint8Array;
  /** Bytes, if known. */
  size: number | undefined;
}

/**
 * Fetches a model's files through a cache and counts their bytes. A download that breaks off, or is cancelled, goes on
 * where it was the next time, if the server has the same file still.
 */
export class Fetcher {
  /** SHA-256 in hexadecimal of what was read, by path; empty on insecure origins. */
  readonly sha256: Record<string, string> = {};
  readonly #folder: Folder;
  readonly #kind: DownloadProgress["model"];
  readonly #options: DownloadOptions;
  readonly #cache: Promise<FileCache | undefined>;
  /** What the model had the last time. */
  readonly #contents: Promise<Contents | undefined>;
  readonly #found: Contents = { present: [], absent: [] };
  /** Ends the other downloads when one fails. */
  readonly #failed = new AbortController();
  readonly #signal: AbortSignal;
  #loaded = 0;
  #total = 0;
  #reported = 0;

  constructor(folder: Folder, kind: DownloadProgress["model"], options: DownloadOptions) {
    this.#folder = folder;
    this.#kind = kind;
    this.#options = options;
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#failed.signal]) : this.#failed.signal;
    this.#cache = folder.base.protocol.startsWith("http") ? openCache() : Promise.resolve(undefined);
    this.#contents = this.#cache.then((cache) => cache && readContents(cache, folder.base)).catch(() => undefined);
  }

  /** The bytes of files by path; optional ones that the model has not are left out. */
  async fetch(paths: readonly string[], required: boolean): Promise<Record<string, Uint8Array>> {
    const bodies = await Promise.all(paths.map((path) => this.#open(path, required)));
    const files: Record<string, Uint8Array> = {};
    await Promise.all(
      bodies.map(async (body) => {
        if (body) files[body.path] = await this.#read(body);
      }),
    );
    return files;
  }

  /** All files are here: what they were is known the next time. */
  async finish(): Promise<void> {
    const [cache, before] = await Promise.all([this.#cache, this.#contents]);
    if (!cache) return;
    const { present, absent } = this.#found;
    const all = new Set([...(before?.present ?? []), ...present].filter((path) => !absent.includes(path)));
    const none = new Set([...(before?.absent ?? []), ...absent].filter((path) => !all.has(path)));
    const contents = { present: [...all].sort(), absent: [...none].sort() };
    if (JSON.stringify(contents) === JSON.stringify(before)) return;
    await writeContents(cache, this.#folder.base, contents).catch(() => {});
  }

  /** Ends what is still on its way. */
  stop(): void {
    this.#failed.abort();
  }

  /** The file, kept or on its way, or undefined where an optional file is not there. */
  async #open(path: string, required: boolean): Promise<Kept | Coming | undefined> {
    const url = new URL(path, this.#folder.base);
    const body = await this.#find(path, url, required);
    if (body) this.#found.present.push(path);
    else this.#found.absent.push(path);
    return body;
  }

  async #find(path: string, url: URL, required: boolean): Promise<Kept | Coming | undefined> {
    const { base, immutable } = this.#folder;
    const kept = await this.#kept(path, url);
    if (kept && (immutable || (await this.#fresh(url, kept)))) {
      this.#total += kept.bytes.length;
      return { path, kept };
    }
    const knownAbsent = !required && (await this.#contents)?.absent.includes(path);
    if (knownAbsent && immutable) return undefined;
    let response: Response | undefined;
    const beginning = await this.#beginning(url);
    try {
      if (beginning) {
        const rest = await this.#rest(url, beginning);
        if (rest) return this.#coming(path, rest, beginning.bytes);
      }
      response = url.protocol === "file:" ? await readFile(url) : await fetch(url, { signal: this.#signal });
    } catch (cause) {
      if (this.#signal.aborted) throw this.#signal.reason;
      if (knownAbsent) return undefined;
      throw failure(url, "it could not be reached", cause);
    }
    // Servers of single-page applications answer with a page where a file is missing.
    const missing = !response || response.status === 404 || response.headers.get("content-type")?.includes("text/html");
    if (response && !missing && response.ok) return this.#coming(path, response);
    // Some hosts answer 401 or 403 for files that are not there.
    if (!required && (missing || response?.status === 401 || response?.status === 403)) return undefined;
    if (missing) {
      throw new QuerytuneError("model-file-missing", `There is no ${path} at ${base}. Check the id or address.`);
    }
    throw failure(url, `the server answered ${response?.status}`);
  }

  /** The kept file, unless another one is asked for. */
  async #kept(path: string, url: URL): Promise<KeptFile | undefined> {
    const kept = await (await this.#cache)?.match(url).catch(() => undefined);
    const wanted = this.#wanted(path);
    return wanted === undefined || kept?.sha256 === wanted ? kept : undefined;
  }

  #wanted(path: string): string | undefined {
    return this.#folder.sha256?.[path]?.toLowerCase();
  }

  /** Whether a kept file is still what the server has; yes if the server cannot be asked. */
  async #fresh(url: URL, { bytes, headers }: KeptFile): Promise<boolean> {
    try {
      const now = await fetch(url, { method: "HEAD", signal: this.#signal });
      const same = (name: string) => now.headers.get(name) === headers.get(name);
      const length = now.headers.get("content-encoding") ? null : now.headers.get("content-length");
      const sameLength = length === null || Number(length) === bytes.length;
      const tagged = length !== null || headers.has("etag") || headers.has("last-modified");
      return now.ok && tagged && same("etag") && same("last-modified") && sameLength;
    } catch {
      if (this.#signal.aborted) throw this.#signal.reason;
      return true;
    }
  }

  async #beginning(url: URL): Promise<Beginning | undefined> {
    const kept = await (await this.#cache)?.match(beginningOf(url)).catch(() => undefined);
    const etag = kept?.headers.get("etag");
    return kept && etag ? { etag, bytes: kept.bytes } : undefined;
  }

  /** What follows the beginning; undefined where the server does not send it, or has another file by now. */
  async #rest(url: URL, { bytes, etag }: Beginning): Promise<Response | undefined> {
    const response = await fetch(url, { headers: { range: `bytes=${bytes.length}-` }, signal: this.#signal });
    const follows = response.headers.get("content-range")?.startsWith(`bytes ${bytes.length}-`) ?? true;
    if (response.status === 206 && response.headers.get("etag") === etag && follows) return response;
    await response.body?.cancel();
    return undefined;
  }

  #coming(path: string, response: Response, beginning?: Uint8Array): Coming {
    // The length of a compressed body says nothing about the file's.
    const length = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
    const size = length === null ? undefined : Number(length) + (beginning?.length ?? 0);
    this.#total += size ?? 0;
    return { path, response, size, beginning };
  }

  async #read(body: Kept | Coming): Promise<Uint8Array> {
    if (body.kept) {
      this.sha256[body.path] = body.kept.sha256;
      this.#count(body.kept.bytes.length, false);
      this.#report();
      return body.kept.bytes;
    }
    const url = new URL(body.path, this.#folder.base);
    const bytes = await this.#receive(url, body);
    this.#report();
    const hash = await this.#checked(body.path, url, bytes);
    if (hash) {
      this.sha256[body.path] = hash;
      await this.#keep(url, body.response, bytes, hash);
    }
    if (body.beginning) await this.#dropBeginning(url);
    return bytes;
  }

  /** All of a file that is on its way. */
  async #receive(url: URL, { response, beginning, size }: Coming): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = beginning ? [beginning] : [];
    let length = beginning?.length ?? 0;
    this.#count(length, size === undefined);
    try {
      const reader = response.body?.getReader();
      for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
        if (this.#signal.aborted) throw this.#signal.reason;
        chunks.push(next.value);
        length += next.value.length;
        this.#count(next.value.length, size === undefined);
      }
    } catch (cause) {
      await this.#keepBeginning(url, response, joined(chunks));
      if (this.#signal.aborted) throw this.#signal.reason;
      throw failure(url, "the download broke off", cause);
    }
    const bytes = joined(chunks);
    if (size !== undefined && length !== size) {
      if (length < size) await this.#keepBeginning(url, response, bytes);
      throw failure(url, `it broke off after ${length} of ${size} bytes`);
    }
    return bytes;
  }

  /** The file's hash; fails if it is not the one that was asked for. */
  async #checked(path: string, url: URL, bytes: Uint8Array): Promise<string | undefined> {
    const hash = await sha256(bytes);
    const wanted = this.#wanted(path);
    if (wanted === undefined || hash === wanted) return hash;
    await this.#dropBeginning(url);
    throw new QuerytuneError(
      "model-integrity",
      hash
        ? `${url} has the SHA-256 ${hash}, but ${wanted} was asked for. Check the address and the hash; it was not kept.`
        : `The SHA-256 of ${url} cannot be computed on this page. Serve it over https, or from localhost.`,
    );
  }

  /** Only what is known by a tag can be recognised the next time. */
  async #keepBeginning(url: URL, response: Response, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const etag = response.headers.get("etag");
    if (!etag || response.headers.get("content-encoding") || bytes.length < WORTH_KEEPING) return;
    const hash = await sha256(bytes);
    if (!hash) return;
    const kept = { bytes, headers: new Headers({ etag }), sha256: hash, model: this.#folder.base.href };
    await (await this.#cache)?.put(beginningOf(url), kept).catch(() => {});
  }

  async #dropBeginning(url: URL): Promise<void> {
    await (await this.#cache)?.delete(beginningOf(url)).catch(() => {});
  }

  #count(bytes: number, unforeseen: boolean): void {
    this.#loaded += bytes;
    if (unforeseen) this.#total += bytes;
    if (performance.now() - this.#reported >= 100) this.#report();
  }

  #report(): void {
    this.#reported = performance.now();
    this.#options.onProgress?.({
      stage: "download",
      model: this.#kind,
      loaded: this.#loaded,
      total: this.#total,
    });
  }

  /** Keeps a file for the next time. A full disk is no failure: the model is here already. */
  async #keep(url: URL, response: Response, bytes: Uint8Array<ArrayBuffer>, hash: string): Promise<void> {
    const cache = await this.#cache;
    if (!cache) return;
    const headers = new Headers();
    for (const name of ["etag", "last-modified", "content-type"]) {
      const value = response.headers.get(name);
      if (value) headers.set(name, value);
    }
    try {
      await cache.put(url, { bytes, headers, sha256: hash, model: this.#folder.base.href });
    } catch (error) {
      this.#options.onWarning(`The model could not be kept for the next time (${String(error)}). Free disk space.`);
    }
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function failure(url: URL, what: string, cause?: unknown): QuerytuneError {
  return new QuerytuneError(
    "model-download",
    `${url} was not downloaded: ${what}. Check the connection, or load the model from a folder.`,
    { cause },
  );
}

/** A file of the local disk, in Node. */
async function readFile(url: URL): Promise<Response | undefined> {
  const fs = await nodeFiles();
  try {
    const bytes = await fs.readFile(url);
    return new Response(bytes, { headers: { "content-length": String(bytes.length) } });
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
