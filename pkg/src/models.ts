/** Model sources: turns a hub id, a folder's URL, files or bytes into the bytes of the files a model needs. */

import { type DownloadOptions, Fetcher, type Folder } from "./download.js";
import { QuerytuneError } from "./errors.js";
import { sha256 } from "./sha256.js";
import type { DownloadProgress, HubSource, LoadOptions, ModelSource, UrlSource } from "./types.js";

/** A model's files by relative path, such as `1_Pooling/config.json`. */
export interface ModelFiles {
  id: string;
  files: Record<string, Uint8Array>;
  /** In hexadecimal, of files whose hash is known. */
  sha256?: Record<string, string>;
}

/** The models of a tuner. */
export interface TunerModels {
  encoder: ModelFiles;
  crossEncoder?: ModelFiles;
}

/** Where and how models run. */
export type Choice = Pick<LoadOptions, "device" | "dtype" | "threads">;

/** Bytes of all files. */
export function sizeOf({ encoder, crossEncoder }: TunerModels): number {
  const files = [encoder, crossEncoder].flatMap((model) => Object.values(model?.files ?? {}));
  return files.reduce((sum, file) => sum + file.byteLength, 0);
}

export const DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2";
export const DEFAULT_CROSS_ENCODER = "cross-encoder/ms-marco-MiniLM-L-12-v2";

const HUB_HOST = "https://huggingface.co";

/**
 * The revisions of the default models on the hub, so that a new one there changes nobody's results. Other hosts may not
 * have every revision: there it is `main`, as of all other models.
 */
const PINNED: Record<string, string> = {
  [DEFAULT_ENCODER]: "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
  [DEFAULT_CROSS_ENCODER]: "7b0235231ca2674cb8ca8f022859a6eba2b1c968",
};

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
 * SHA-256 of files that this version was tested with. Another host or revision may have others, which are worth a word,
 * but no failure.
 */
const TESTED: Record<string, Record<string, string>> = {
  [DEFAULT_ENCODER]: {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
  },
};

type Kind = DownloadProgress["model"];

/** The files of a model by path, and the SHA-256 of those whose hash is known. */
type Found = Pick<ModelFiles, "files"> & { sha256: Record<string, string> };

/** The files of a model, downloaded if need be. Their buffers belong to the caller. */
export async function resolveModel(source: ModelSource, kind: Kind, options: DownloadOptions): Promise<ModelFiles> {
  options.signal?.throwIfAborted();
  const place = locate(source, options.host);
  const { files, sha256 } = place.base ? await download(place, kind, options) : await pick(place.files, kind);
  for (const path of REQUIRED) {
    if (!files[path]) {
      throw new QuerytuneError(
        "model-file-missing",
        `The model ${place.id} has no ${path}. A model folder needs ${REQUIRED.join(", ")}` +
          (path === "model.safetensors" ? "; convert other weight formats to safetensors first." : "."),
      );
    }
  }
  const tested = place.base && place.immutable ? TESTED[place.id] : undefined;
  for (const [path, hash] of Object.entries(tested ?? {})) {
    if (sha256[path] && sha256[path] !== hash) {
      options.onWarning(
        `${path} of ${place.id} is another than this version was tested with (SHA-256 ${sha256[path]}).`,
      );
    }
  }
  return { id: place.id, files, sha256 };
}

type Place = ({ id: string } & Folder) | { id: string; base?: undefined; files: Map<string, Blob | Uint8Array> };

/** Where a model's files are. `host`: of hub ids that come without one. */
export function locate(source: ModelSource, host?: string): Place {
  if (typeof source === "string") {
    return /^[./]|:\/\//.test(source) ? folder(toUrl(source, here())) : hub(source, undefined, host);
  }
  if (source instanceof URL) return folder(source);
  if (isFiles(source)) return pickedFolder(Array.from(source));
  if ("hub" in source && typeof source.hub === "string") {
    const { revision, host: own = host, sha256 } = source as HubSource;
    return { ...hub(source.hub, revision, own), sha256 };
  }
  if ("url" in source && !(source.url instanceof Uint8Array)) {
    const { url, sha256 } = source as UrlSource;
    return { ...folder(toUrl(url, here())), sha256 };
  }
  const files = new Map(Object.entries(source as Readonly<Record<string, Uint8Array>>));
  return { id: "custom-model", files: new Map([...files].map(([path, bytes]) => [path, new Uint8Array(bytes)])) };
}

function isFiles(source: object): source is FileList | readonly File[] {
  return Array.isArray(source) || (typeof FileList !== "undefined" && source instanceof FileList);
}

/** An address; one without a host only where there is a `base`. */
export function toUrl(address: string | URL, base?: string): URL {
  try {
    return new URL(address, base);
  } catch (cause) {
    throw new QuerytuneError("option", `"${address}" is not an address such as https://example.com/models/.`, {
      cause,
    });
  }
}

function here(): string {
  if (globalThis.location) return globalThis.location.href;
  const { process } = globalThis as { process?: { cwd(): string; platform?: string } };
  return process ? folderAddress(process.cwd(), process.platform === "win32") : "file:///";
}

/** The address of a folder of the local disk: Node's own function for it cannot be imported without waiting. */
function folderAddress(path: string, windows: boolean): string {
  const parts = (windows ? path.replaceAll("\\", "/") : path).replace(/\/$/, "");
  const escaped = encodeURI(parts).replace(/[?#]/g, encodeURIComponent);
  // Windows has shares, `//server/share`, and drives, `C:/`.
  if (windows) return `file:${escaped.startsWith("//") ? "" : "///"}${escaped}/`;
  return `file://${escaped}/`;
}

function hub(id: string, revision?: string, host = HUB_HOST): { id: string } & Folder {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(id)) {
    throw new QuerytuneError(
      "option",
      `"${id}" is not a hub id such as ${DEFAULT_ENCODER}. For a folder give its URL.`,
    );
  }
  const place = toUrl(host.endsWith("/") ? host : `${host}/`);
  const pinned = place.href === `${HUB_HOST}/` ? PINNED[id] : undefined;
  const base = new URL(`${id}/resolve/${encodeURIComponent(revision ?? pinned ?? "main")}/`, place);
  return { id, base, immutable: true };
}

function folder(url: URL): { id: string } & Folder {
  const base = new URL(url);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  // A percent sign that escapes nothing is meant as it is, as in "/models/50%/".
  base.pathname = base.pathname.replace(/%(?![\da-f]{2})/gi, "%25");
  const name = base.pathname.split("/").filter(Boolean).at(-1);
  return { id: name === undefined ? base.host : decoded(name), base, immutable: false };
}

/** A part of an address as people write it; one that is no UTF-8 stays as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Files of a folder picker carry the folder's name in front of their paths; files picked one by one do not. */
function pickedFolder(list: File[]): Place {
  const files = new Map<string, Blob>();
  let id = "chosen-files";
  for (const file of list) {
    // Node's files have no such path.
    const [top, ...rest] = (file.webkitRelativePath ?? "").split("/");
    if (top && rest.length > 0) id = top;
    const path = rest.length > 0 ? rest.join("/") : file.name;
    if (files.has(path)) {
      throw new QuerytuneError("option", `Two files are named ${path}. Choose the model's folder, not its files.`);
    }
    files.set(path, file);
  }
  return { id, files };
}

async function pick(available: Map<string, Blob | Uint8Array>, kind: Kind): Promise<Found> {
  const files: Record<string, Uint8Array> = {};
  const take = async (path: string) => {
    const found = available.get(path);
    if (found) files[path] = found instanceof Uint8Array ? found : new Uint8Array(await found.arrayBuffer());
  };
  for (const path of [...REQUIRED, ...OPTIONAL[kind]]) await take(path);
  for (const path of moduleConfigs(files["modules.json"])) await take(path);
  return { files, sha256: await hashesOf(files) };
}

/** The SHA-256 of a model's large files: the engine takes many times as long for them. */
export async function hashesOf(files: ModelFiles["files"]): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const path of ["model.safetensors", "tokenizer.json"]) {
    const hash = files[path] && (await sha256(files[path]));
    if (hash) hashes[path] = hash;
  }
  return hashes;
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

/** Fails where a hash is given for what is not read: a misspelt path would leave the file unchecked. */
function checkHashes({ base, sha256 = {} }: Folder, paths: readonly string[]): void {
  const strange = Object.keys(sha256).find((path) => !paths.includes(path));
  if (strange === undefined) return;
  throw new QuerytuneError(
    "option",
    `sha256 has "${strange}", which is no file that is read of the model at ${base}. Those are ${paths.join(", ")}.`,
  );
}

async function download(folder: Folder, kind: Kind, options: DownloadOptions): Promise<Found> {
  const fetcher = new Fetcher(folder, kind, options);
  try {
    // What the model is made of comes first: a wrong folder is found before its weights are on their way.
    const files = await fetcher.fetch(["config.json"], true);
    Object.assign(files, await fetcher.fetch(OPTIONAL[kind], false));
    Object.assign(files, await fetcher.fetch(moduleConfigs(files["modules.json"]), true));
    const large = ["tokenizer.json", "model.safetensors"];
    checkHashes(folder, [...Object.keys(files), ...large]);
    Object.assign(files, await fetcher.fetch(large, true, true));
    await fetcher.finish();
    return { files, sha256: fetcher.sha256 };
  } finally {
    fetcher.stop();
  }
}

/** A tuner's models, fetched side by side; when one fails the other's download ends. */
export async function resolveModels(
  sources: { encoder?: ModelSource; crossEncoder?: ModelSource | false },
  options: DownloadOptions,
): Promise<TunerModels> {
  const { crossEncoder: source = DEFAULT_CROSS_ENCODER } = sources;
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  try {
    const [encoder, crossEncoder] = await Promise.all([
      resolveModel(sources.encoder ?? DEFAULT_ENCODER, "encoder", { ...options, signal }),
      source === false ? undefined : resolveModel(source, "crossEncoder", { ...options, signal }),
    ]);
    return { encoder, crossEncoder };
  } catch (error) {
    failed.abort();
    throw error;
  }
}
