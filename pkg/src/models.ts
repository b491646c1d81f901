/** Model sources: turns a hub id, a folder's URL, files or bytes into the bytes of the files a model needs. */

import { QuerytuneError } from "./errors.js";
import { FolderCache } from "./folder-cache.js";
import { isNode, nodeFiles } from "./node.js";
import type { DownloadProgress, ModelSource } from "./types.js";

/** A model's files by relative path, such as `1_Pooling/config.json`. */
export interface ModelFiles {
  id: string;
  files: Record<string, Uint8Array>;
  /** In hexadecimal, of files whose hash is known. */
  sha256?: Record<string, string>;
}

export const DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2";
export const DEFAULT_CROSS_ENCODER = "cross-encoder/ms-marco-MiniLM-L-12-v2";

const HUB_HOST = "https://huggingface.co";
const CACHE = "querytune-models";
/** Bytes from which on the beginning of a file is kept. */
const WORTH_KEEPING = 1_000_000;

const REQUIRED = ["config.json", "tokenizer.json", "model.safetensors"];
const OPTIONAL = {
  encoder: [
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
  ],
  crossEncoder: ["tokenizer_config.json", "special_tokens_map.json"],
};

/**
 * SHA-256 of files that this version was tested with. A hub may have newer ones, so that others are worth a word, but no
 * failure.
 */
const TESTED: Record<string, Record<string, string>> = {
  [DEFAULT_ENCODER]: {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
  },
};

type Kind = DownloadProgress["model"];

export interface ResolveOptions {
  onProgress?: (progress: DownloadProgress) => void;
  onWarning: (message: string) => void;
  signal?: AbortSignal;
}

/** The files of a model, downloaded if need be. Their buffers belong to the caller. */
export async function resolveModel(source: ModelSource, kind: Kind, options: ResolveOptions): Promise<ModelFiles> {
  options.signal?.throwIfAborted();
  const place = locate(source);
  const files = place.base ? await download(place.base, place.immutable, kind, options) : await pick(place.files, kind);
  for (const path of REQUIRED) {
    if (!files[path]) {
      throw new QuerytuneError(
        "model-file-missing",
        `The model ${place.id} has no ${path}. A model folder needs ${REQUIRED.join(", ")}` +
          (path === "model.safetensors" ? "; convert other weight formats to safetensors first." : "."),
      );
    }
  }
  const sha256 = await hashes(files, ["model.safetensors", "tokenizer.json"]);
  const tested = place.base && place.immutable ? TESTED[place.id] : undefined;
  for (const [path, hash] of Object.entries(tested ?? {})) {
    if (sha256 && sha256[path] !== hash) {
      options.onWarning(
        `${path} of ${place.id} is another than this version was tested with (SHA-256 ${sha256[path]}).`,
      );
    }
  }
  return { id: place.id, files, sha256 };
}

/** SHA-256 by the browser, which has instructions for it; nothing on insecure origins, where there is none. */
async function hashes(files: Record<string, Uint8Array>, paths: string[]): Promise<Record<string, string> | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return undefined;
  const entries = paths.map(async (path) => {
    const hash = await subtle.digest("SHA-256", files[path] as Uint8Array<ArrayBuffer>);
    const digits = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0"));
    return [path, digits.join("")];
  });
  return Object.fromEntries(await Promise.all(entries));
}

type Place =
  | { id: string; base: URL; immutable: boolean }
  | { id: string; base?: undefined; files: Map<string, Blob | Uint8Array> };

function locate(source: ModelSource): Place {
  if (typeof source === "string") {
    return /^[./]|:\/\//.test(source) ? folder(new URL(source, here())) : hub(source);
  }
  if (source instanceof URL) return folder(source);
  if (isFiles(source)) return pickedFolder(Array.from(source));
  if ("hub" in source && typeof source.hub === "string") {
    return hub(source.hub, source.revision as string | undefined, source.host as string | undefined);
  }
  const files = new Map(Object.entries(source as Readonly<Record<string, Uint8Array>>));
  return { id: "custom-model", files: new Map([...files].map(([path, bytes]) => [path, new Uint8Array(bytes)])) };
}

function isFiles(source: object): source is FileList | readonly File[] {
  return Array.isArray(source) || (typeof FileList !== "undefined" && source instanceof FileList);
}

function here(): string {
  if (globalThis.location) return globalThis.location.href;
  const { process } = globalThis as { process?: { cwd(): string } };
  return process ? `file://${process.cwd()}/` : "file:///";
}

function hub(id: string, revision = "main", host = HUB_HOST): Place {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(id)) {
    throw new QuerytuneError(
      "option",
      `"${id}" is not a hub id such as ${DEFAULT_ENCODER}. For a folder give its URL.`,
    );
  }
  const base = new URL(`${id}/resolve/${encodeURIComponent(revision)}/`, host.endsWith("/") ? host : `${host}/`);
  return { id, base, immutable: true };
}

function folder(url: URL): Place {
  const base = new URL(url);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const name = decodeURIComponent(base.pathname.split("/").filter(Boolean).at(-1) ?? base.host);
  return { id: name, base, immutable: false };
}

/** Files of a folder picker carry the folder's name in front of their paths; files picked one by one do not. */
function pickedFolder(list: File[]): Place {
  const files = new Map<string, Blob>();
  let id = "chosen-files";
  for (const file of list) {
    const [top, ...rest] = file.webkitRelativePath.split("/");
    if (top && rest.length > 0) id = top;
    const path = rest.length > 0 ? rest.join("/") : file.name;
    if (files.has(path)) {
      throw new QuerytuneError("option", `Two files are named ${path}. Choose the model's folder, not its files.`);
    }
    files.set(path, file);
  }
  return { id, files };
}

async function pick(available: Map<string, Blob | Uint8Array>, kind: Kind): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  const take = async (path: string) => {
    const found = available.get(path);
    if (found) files[path] = found instanceof Uint8Array ? found : new Uint8Array(await found.arrayBuffer());
  };
  for (const path of [...REQUIRED, ...OPTIONAL[kind]]) await take(path);
  for (const path of moduleConfigs(files["modules.json"])) await take(path);
  return files;
}

/** The config files of a sentence encoder's modules, such as `1_Pooling/config.json`. */
function moduleConfigs(modules: Uint8Array | undefined): string[] {
  if (!modules) return [];
  let list: unknown;
  try {
    list = JSON.parse(new TextDecoder().decode(modules));
  } catch (cause) {
    throw new QuerytuneError("model-config", "The model's modules.json is not valid JSON.", { cause });
  }
  if (!Array.isArray(list)) return [];
  return list
    .filter((m): m is { path: string; type?: string } => typeof m?.path === "string" && m.path !== "")
    .filter((m) => !String(m.type).endsWith(".Normalize"))
    .map((m) => `${m.path}/config.json`);
}

async function download(
  base: URL,
  immutable: boolean,
  kind: Kind,
  options: ResolveOptions,
): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  const fetcher = new Fetcher(base, immutable, kind, options);
  const take = async (paths: string[], required: boolean) => {
    const bodies = await Promise.all(paths.map((path) => fetcher.open(path, required)));
    await Promise.all(
      bodies.map(async (body, i) => {
        if (body) files[paths[i] as string] = await fetcher.read(body);
      }),
    );
  };
  try {
    // What the model is made of comes first: a wrong folder is found before its weights are on their way.
    await take(["config.json"], true);
    await take(OPTIONAL[kind], false);
    await take(moduleConfigs(files["modules.json"]), true);
    await take(["tokenizer.json", "model.safetensors"], true);
  } finally {
    fetcher.stop();
  }
  return files;
}

/** What the browser's cache storage and a folder in Node have in common. */
interface FileCache {
  match(url: URL): Promise<Response | undefined>;
  put(url: URL, response: Response): Promise<void>;
  delete(url: URL): Promise<boolean>;
}

/** Absent on insecure origins, and where it is forbidden. */
async function openCache(): Promise<FileCache | undefined> {
  try {
    return isNode() ? await FolderCache.open() : await globalThis.caches?.open(CACHE);
  } catch {
    return undefined;
  }
}

/** Where the beginning of a file is kept whose download broke off. */
function beginningOf(url: URL): URL {
  const place = new URL(url);
  place.searchParams.set("querytune", "beginning");
  return place;
}

/** The beginning of a file, and which file that was. */
interface Beginning {
  bytes: Uint8Array;
  etag: string;
}

interface Body {
  url: URL;
  response: Response;
  /** What was here before; the response has the rest. */
  beginning?: Uint8Array;
  /** Bytes, if known. */
  size: number | undefined;
  cached: boolean;
}

/**
 * Fetches a model's files through a cache and counts their bytes. A download that breaks off, or is cancelled, goes on
 * where it was the next time, if the server has the same file still.
 */
class Fetcher {
  readonly #base: URL;
  readonly #immutable: boolean;
  readonly #kind: Kind;
  readonly #options: ResolveOptions;
  readonly #cache: Promise<FileCache | undefined>;
  /** Ends the other downloads when one fails. */
  readonly #failed = new AbortController();
  readonly #signal: AbortSignal;
  #loaded = 0;
  #total = 0;
  #reported = 0;

  constructor(base: URL, immutable: boolean, kind: Kind, options: ResolveOptions) {
    this.#base = base;
    this.#immutable = immutable;
    this.#kind = kind;
    this.#options = options;
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#failed.signal]) : this.#failed.signal;
    this.#cache = base.protocol.startsWith("http") ? openCache() : Promise.resolve(undefined);
  }

  stop(): void {
    this.#failed.abort();
  }

  /** The file's response, or undefined where an optional file is not there. */
  async open(path: string, required: boolean): Promise<Body | undefined> {
    const url = new URL(path, this.#base);
    const cached = await (await this.#cache)?.match(url).catch(() => undefined);
    if (cached && (this.#immutable || (await this.#fresh(url, cached)))) return this.#counted(url, cached, true);
    let response: Response | undefined;
    const beginning = await this.#beginning(url);
    try {
      if (beginning) {
        const rest = await this.#rest(url, beginning);
        if (rest) return this.#counted(url, rest, false, beginning.bytes);
      }
      response = url.protocol === "file:" ? await readFile(url) : await fetch(url, { signal: this.#signal });
    } catch (cause) {
      if (this.#signal.aborted) throw this.#signal.reason;
      throw failure(url, "it could not be reached", cause);
    }
    // Servers of single-page applications answer with a page where a file is missing.
    const missing = !response || response.status === 404 || response.headers.get("content-type")?.includes("text/html");
    if (response && !missing && response.ok) return this.#counted(url, response, false);
    // Some hosts answer 401 or 403 for files that are not there.
    if (!required && (missing || response?.status === 401 || response?.status === 403)) return undefined;
    if (missing) {
      throw new QuerytuneError("model-file-missing", `There is no ${path} at ${this.#base}. Check the id or address.`);
    }
    throw failure(url, `the server answered ${response?.status}`);
  }

  /** Whether a kept file is still what the server has; yes if the server cannot be asked. */
  async #fresh(url: URL, cached: Response): Promise<boolean> {
    try {
      const now = await fetch(url, { method: "HEAD", signal: this.#signal });
      const same = (name: string) => now.headers.get(name) === cached.headers.get(name);
      return now.ok && same("etag") && same("last-modified") && same("content-length");
    } catch {
      if (this.#signal.aborted) throw this.#signal.reason;
      return true;
    }
  }

  async #beginning(url: URL): Promise<Beginning | undefined> {
    const kept = await (await this.#cache)?.match(beginningOf(url)).catch(() => undefined);
    const etag = kept?.headers.get("etag");
    return kept && etag ? { etag, bytes: new Uint8Array(await kept.arrayBuffer()) } : undefined;
  }

  /** What follows the beginning; undefined where the server does not send it, or has another file by now. */
  async #rest(url: URL, { bytes, etag }: Beginning): Promise<Response | undefined> {
    const response = await fetch(url, { headers: { range: `bytes=${bytes.length}-` }, signal: this.#signal });
    const follows = response.headers.get("content-range")?.startsWith(`bytes ${bytes.length}-`) ?? true;
    if (response.status === 206 && response.headers.get("etag") === etag && follows) return response;
    await response.body?.cancel();
    return undefined;
  }

  #counted(url: URL, response: Response, cached: boolean, beginning?: Uint8Array): Body {
    // The length of a compressed body says nothing about the file's.
    const length = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
    const size = length === null ? undefined : Number(length) + (beginning?.length ?? 0);
    this.#total += size ?? 0;
    return { url, response, size, cached, beginning };
  }

  async read({ url, response, size, cached, beginning }: Body): Promise<Uint8Array> {
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
      if (!cached) await this.#keepBeginning(url, response, joined(chunks));
      if (this.#signal.aborted) throw this.#signal.reason;
      throw failure(url, "the download broke off", cause);
    }
    const bytes = joined(chunks);
    if (size !== undefined && length !== size) {
      if (length < size && !cached) await this.#keepBeginning(url, response, bytes);
      throw failure(url, `it broke off after ${length} of ${size} bytes`);
    }
    this.#report();
    if (!cached) await this.#keep(url, response, bytes);
    if (beginning) await (await this.#cache)?.delete(beginningOf(url)).catch(() => {});
    return bytes;
  }

  /** Only what is known by a tag can be recognised the next time. */
  async #keepBeginning(url: URL, response: Response, bytes: Uint8Array): Promise<void> {
    const etag = response.headers.get("etag");
    if (!etag || response.headers.get("content-encoding") || bytes.length < WORTH_KEEPING) return;
    const kept = new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { etag } });
    await (await this.#cache)?.put(beginningOf(url), kept).catch(() => {});
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
  async #keep(url: URL, response: Response, bytes: Uint8Array): Promise<void> {
    const cache = await this.#cache;
    if (!cache) return;
    const headers = new Headers({ "content-length": String(bytes.length) });
    for (const name of ["etag", "last-modified", "content-type"]) {
      const value = response.headers.get(name);
      if (value) headers.set(name, value);
    }
    try {
      await cache.put(url, new Response(bytes as Uint8Array<ArrayBuffer>, { headers }));
    } catch (error) {
      this.#options.onWarning(`The model could not be kept for the next time (${String(error)}). Free disk space.`);
    }
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
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

/** Both models of a tuner, fetched side by side; when one fails the other's download ends. */
export async function resolveModels(
  sources: { encoder?: ModelSource; crossEncoder?: ModelSource },
  options: ResolveOptions,
): Promise<{ encoder: ModelFiles; crossEncoder: ModelFiles }> {
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  try {
    const [encoder, crossEncoder] = await Promise.all([
      resolveModel(sources.encoder ?? DEFAULT_ENCODER, "encoder", { ...options, signal }),
      resolveModel(sources.crossEncoder ?? DEFAULT_CROSS_ENCODER, "crossEncoder", { ...options, signal }),
    ]);
    return { encoder, crossEncoder };
  } catch (error) {
    failed.abort();
    throw error;
  }
}
