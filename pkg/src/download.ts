/** The files of a model from the network, or from where they are kept since the last time. */

import { type Beginning, dropBeginning, joined, Recorder, readBeginning } from "./beginnings.js";
import { QuerytuneError } from "./errors.js";
import type { FileCache, KeptFile } from "./file-cache.js";
import { type Contents, openCache, readContents, writeContents } from "./model-cache.js";
import { nodeFiles } from "./node.js";
import { report } from "./progress.js";
import { sha256 } from "./sha256.js";
import type { DownloadProgress } from "./types.js";

/** Who knows that nothing is kept. */
const told = new WeakSet<(message: string) => void>();

/** A model's folder on a server, or on the disk. */
export interface Folder {
  base: URL;
  /** Whether its files never change. */
  immutable: boolean;
  /** The SHA-256 that files must have, by path. */
  sha256?: Readonly<Record<string, string>>;
}

export interface DownloadOptions {
  /** Of hub ids that come without one. */
  host?: string;
  onProgress?: (progress: DownloadProgress) => void;
  onWarning: (message: string) => void;
  signal?: AbortSignal;
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
  beginning?: Beginning;
  /** Bytes of the whole file, if known. */
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
  /** Of all files that are open. */
  #total = 0;
  /** Files under way whose size is not known. */
  #unforeseen = 0;
  #allOpen = false;
  #reported = 0;

  constructor(folder: Folder, kind: DownloadProgress["model"], options: DownloadOptions) {
    this.#folder = folder;
    this.#kind = kind;
    this.#options = options;
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#failed.signal]) : this.#failed.signal;
    this.#cache = folder.base.protocol.startsWith("http") ? this.#openCache() : Promise.resolve(undefined);
    this.#contents = this.#cache.then((cache) => cache && readContents(cache, folder.base)).catch(() => undefined);
  }

  /**
   * The bytes of files by path; optional ones that the model has not are left out. `last`: no more are fetched, so that
   * their sizes are those of the model.
   */
  async fetch(paths: readonly string[], required: boolean, last = false): Promise<Record<string, Uint8Array>> {
    const bodies = await Promise.all(paths.map((path) => this.#open(path, required)));
    this.#allOpen ||= last;
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

  /** Says once to whoever listens that nothing is kept, so that a slow start the next time is no riddle. */
  async #openCache(): Promise<FileCache | undefined> {
    const cache = await openCache();
    const { onWarning } = this.#options;
    if (!cache && !told.has(onWarning)) {
      told.add(onWarning);
      onWarning(
        "There is no place to keep models in: they are downloaded anew each time. Serve the page over https, or from " +
          "localhost, and allow it to store data.",
      );
    }
    return cache;
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
        if (rest) return this.#coming(path, rest, beginning);
      }
      response = url.protocol === "file:" ? await readFile(url) : await fetch(url, { signal: this.#signal });
    } catch (cause) {
      if (this.#signal.aborted) throw this.#signal.reason;
      if (knownAbsent) return undefined;
      throw failure(url, "it could not be reached", cause);
    }
    // Servers of single-page applications answer with a page where a file is missing.
    const missing = !response || response.status === 404 || response.headers.get("content-type")?.includes("text/html");
    if (response && !missing && response.ok) {
      if (beginning) await this.#dropBeginning(url);
      return this.#coming(path, response);
    }
    // Some hosts answer 401 or 403 for files that are not there.
    const refused = response?.status === 401 || response?.status === 403;
    if (!required && (missing || refused)) return undefined;
    if (refused) {
      throw new QuerytuneError(
        "model-file-missing",
        `The server refuses ${url} (${response?.status}): there is no such model, or it is private or gated. Check the ` +
          "id or address; download what needs a login by other means, and load it from a folder.",
      );
    }
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
    const cache = await this.#cache;
    return cache && readBeginning(cache, url);
  }

  /** What follows the beginning, to the file's end; undefined where the server does not send it. */
  async #rest(url: URL, beginning: Beginning): Promise<Response | undefined> {
    const { bytes, etag } = beginning;
    let response: Response;
    try {
      response = await fetch(url, { headers: { range: `bytes=${bytes.length}-` }, signal: this.#signal });
    } catch {
      if (this.#signal.aborted) throw this.#signal.reason;
      // A host may allow other pages whole files alone: then the browser refuses the request.
      return undefined;
    }
    const sameFile = response.status === 206 && response.headers.get("etag") === etag;
    if (sameFile && reachesEnd(response, beginning)) return response;
    await response.body?.cancel();
    return undefined;
  }

  #coming(path: string, response: Response, beginning?: Beginning): Coming {
    const size = sizeOf(response, beginning);
    this.#total += size ?? 0;
    if (size === undefined) this.#unforeseen += 1;
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
    if (body.size === undefined) this.#unforeseen -= 1;
    this.#report();
    const hash = await this.#checked(body.path, url, bytes);
    if (hash) {
      this.sha256[body.path] = hash;
      await this.#keep(url, body.response, bytes, hash);
    }
    return bytes;
  }

  /** All of a file that is on its way. */
  async #receive(url: URL, { response, beginning, size }: Coming): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = beginning ? [beginning.bytes] : [];
    let length = beginning?.bytes.length ?? 0;
    this.#count(length, size === undefined);
    const recorder = Recorder.of(await this.#cache, url, this.#folder.base.href, response, beginning, size);
    try {
      const reader = response.body?.getReader();
      for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
        if (this.#signal.aborted) throw this.#signal.reason;
        chunks.push(next.value);
        length += next.value.length;
        this.#count(next.value.length, size === undefined);
        await recorder?.add(next.value);
      }
    } catch (cause) {
      await recorder?.end();
      if (this.#signal.aborted) throw this.#signal.reason;
      throw failure(url, "the download broke off", cause);
    }
    if (size !== undefined && length !== size) {
      if (length < size) await recorder?.end();
      throw failure(url, `it broke off after ${length} of ${size} bytes`);
    }
    // Before the whole is kept: the disk need not have room for both.
    if (recorder?.hasKept) await this.#dropBeginning(url);
    return joined(chunks);
  }

  /** The file's hash; fails if it is not the one that was asked for. */
  async #checked(path: string, url: URL, bytes: Uint8Array): Promise<string | undefined> {
    const hash = await sha256(bytes);
    const wanted = this.#wanted(path);
    if (wanted === undefined || hash === wanted) return hash;
    throw new QuerytuneError(
      "model-integrity",
      hash
        ? `${url} has the SHA-256 ${hash}, but ${wanted} was asked for. Check the address and the hash; it was not kept.`
        : `The SHA-256 of ${url} cannot be computed on this page. Serve it over https, or from localhost.`,
    );
  }

  async #dropBeginning(url: URL): Promise<void> {
    const cache = await this.#cache;
    if (cache) await dropBeginning(cache, url).catch(() => {});
  }

  #count(bytes: number, unforeseen: boolean): void {
    this.#loaded += bytes;
    if (unforeseen) this.#total += bytes;
    if (performance.now() - this.#reported >= 100) this.#report();
  }

  #report(): void {
    this.#reported = performance.now();
    const loaded = this.#loaded;
    const total = this.#allOpen && this.#unforeseen === 0 ? this.#total : 0;
    report(this.#options.onProgress, { stage: "download", model: this.#kind, loaded, total });
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

/** `bytes FROM-TO/SIZE` of a part; other hosts' pages may not be shown it. */
function rangeOf(response: Response): { from: number; to: number; size: number | undefined } | undefined {
  const [, from, to, size] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (from === undefined) return undefined;
  return { from: Number(from), to: Number(to), size: size === "*" ? undefined : Number(size) };
}

/** Bytes of the body, if they are those of the file. */
function lengthOf({ headers }: Response): number | undefined {
  // The length of a compressed body says nothing about the file's.
  const length = headers.get("content-encoding") ? null : headers.get("content-length");
  return length === null ? undefined : Number(length);
}

/** Bytes of the whole file, if known. */
function sizeOf(response: Response, beginning?: Beginning): number | undefined {
  if (!beginning) return lengthOf(response);
  const length = lengthOf(response);
  return (
    rangeOf(response)?.size ?? beginning.size ?? (length === undefined ? undefined : length + beginning.bytes.length)
  );
}

/** Whether a part begins where the beginning ends and goes to the end of the file, as far as can be told. */
function reachesEnd(response: Response, { bytes, size }: Beginning): boolean {
  const [range, length] = [rangeOf(response), lengthOf(response)];
  if (range && range.from !== bytes.length) return false;
  const whole = range?.size ?? size;
  if (whole === undefined) return true;
  const end = range ? range.to + 1 : length === undefined ? whole : bytes.length + length;
  return end === whole && (size === undefined || size === whole);
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
