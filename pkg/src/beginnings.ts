/** Beginnings of files whose download broke off, or whose page or process ended meanwhile: kept in parts as they come. */

import type { FileCache } from "./file-cache.js";
import { beginningOf } from "./model-cache.js";
import { sha256 } from "./sha256.js";

/** Bytes from which on the beginning of a file is kept. */
const WORTH_KEEPING = 1_000_000;
/** Bytes after which a part is kept while a file comes. */
const PART = 16 * 2 ** 20;

/** Headers of a part: where it begins in the file, and the size of the whole, if known. */
const FROM = "x-querytune-from";
const SIZE = "x-querytune-size";

/** The beginning of a file, and which file that was. */
export interface Beginning {
  bytes: Uint8Array<ArrayBuffer>;
  etag: string;
  /** Of the whole file, if known. */
  size: number | undefined;
  /** How many parts it is made of. */
  parts: number;
}

/** What is kept of a file that has not come to its end. */
export async function readBeginning(cache: FileCache, url: URL): Promise<Beginning | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let etag: string | null = null;
  let size: number | undefined;
  for (;;) {
    const kept = await cache.match(beginningOf(url, parts.length)).catch(() => undefined);
    const tag = kept?.headers.get("etag");
    // Another tab, or process, may have left parts of its own.
    const follows = Number(kept?.headers.get(FROM) ?? 0) === length && (etag === null || tag === etag);
    if (!kept || !tag || !follows) break;
    etag = tag;
    const whole = kept.headers.get(SIZE);
    if (whole) size = Number(whole);
    parts.push(kept.bytes);
    length += kept.bytes.length;
  }
  return etag === null ? undefined : { bytes: joined(parts), etag, size, parts: parts.length };
}

export async function dropBeginning(cache: FileCache, url: URL): Promise<void> {
  const first = beginningOf(url, 0).href;
  const parts = (await cache.list()).filter(({ url }) => url.startsWith(first));
  await Promise.all(parts.map(({ url }) => cache.delete(new URL(url))));
}

/** Keeps a file's bytes while they come. Where that fails, as on a full disk, the download goes on without. */
export class Recorder {
  readonly #cache: FileCache;
  readonly #url: URL;
  readonly #model: string;
  readonly #headers: Headers;
  #waiting: Uint8Array[] = [];
  #length = 0;
  #part: number;
  #from: number;
  #ended = false;

  /** `beginning`: what is kept already, and what comes follows it. */
  private constructor(cache: FileCache, url: URL, model: string, headers: Headers, beginning: Beginning | undefined) {
    this.#cache = cache;
    this.#url = url;
    this.#model = model;
    this.#headers = headers;
    this.#part = beginning?.parts ?? 0;
    this.#from = beginning?.bytes.length ?? 0;
  }

  /** Only what is known by a tag can be recognised the next time. */
  static of(
    cache: FileCache | undefined,
    url: URL,
    model: string,
    response: Response,
    beginning: Beginning | undefined,
    size: number | undefined,
  ): Recorder | undefined {
    const etag = response.headers.get("etag");
    if (!cache || !etag || response.headers.get("content-encoding")) return undefined;
    const headers = new Headers({ etag });
    if (size !== undefined) headers.set(SIZE, String(size));
    return new Recorder(cache, url, model, headers, beginning);
  }

  /** Whether any part of the file is kept. */
  get hasKept(): boolean {
    return this.#part > 0;
  }

  async add(chunk: Uint8Array): Promise<void> {
    if (this.#ended) return;
    this.#waiting.push(chunk);
    this.#length += chunk.length;
    if (this.#length >= PART) await this.#keep();
  }

  /** No more comes, though the file is not whole. */
  async end(): Promise<void> {
    if (!this.#ended && this.#from + this.#length >= WORTH_KEEPING && this.#length > 0) await this.#keep();
  }

  async #keep(): Promise<void> {
    const bytes = joined(this.#waiting);
    [this.#waiting, this.#length] = [[], 0];
    try {
      const hash = await sha256(bytes);
      if (!hash) throw new Error("There are no hashes on this page.");
      const headers = new Headers(this.#headers);
      headers.set(FROM, String(this.#from));
      await this.#cache.put(beginningOf(this.#url, this.#part), { bytes, headers, sha256: hash, model: this.#model });
      this.#part += 1;
      this.#from += bytes.length;
    } catch {
      this.#ended = true;
    }
  }
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
