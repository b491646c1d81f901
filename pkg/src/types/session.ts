/** The engine: how it is started, and what it keeps. */

import type { ArtifactOptions, TunedModel } from "./artifact.js";
import type { WasmSource } from "./device.js";
import type { Reader } from "./reader.js";
import type { LoadOptions, Tuner } from "./tuner.js";

/**
 * Append-only logs of bytes that outlive a job, so that a cancelled or crashed one goes on where it was.
 * Chunks are numbered from 0 in the order they were appended.
 */
export interface Store {
  /** How many chunks the log holds; 0 for a log never written. */
  count(log: string): Promise<number>;
  /** The chunk of that number. */
  read(log: string, chunk: number): Promise<Uint8Array>;
  /** Adds a chunk at the end; it is kept once the promise resolves. The bytes belong to the store. */
  append(log: string, bytes: Uint8Array): Promise<void>;
}

/** How a session is opened. */
export interface OpenOptions {
  /** The WebAssembly binary; by default the one beside the package's modules. */
  wasm?: WasmSource;
  /**
   * Where finished vectors and scores are kept: `"indexeddb"` (the default where it is there), `"memory"`, where all of
   * them stay until the session ends, or a store of your own.
   */
  store?: "indexeddb" | "memory" | Store;
  /**
   * Where hub ids are downloaded from, the default models' too, unless a `HubSource` names another. Default
   * `https://huggingface.co`. `isCached` and `clearCache` are told by a `HubSource`.
   */
  host?: string;
  /** Receives what is worth knowing but stops nothing, such as a full disk. Default: `console.warn`. */
  onWarning?: (message: string) => void;
  /** Ends the start; the promise is then rejected with the signal's reason. */
  signal?: AbortSignal;
}

/** The engine, before any model is there. */
export interface Session extends Reader {
  /** Loads two models. Several tuners may share a session; they run one call at a time. */
  load(options?: LoadOptions): Promise<Tuner>;
  /** Loads the model of a download, the zip of a run's `saveArtifact`. */
  loadArtifact(zip: Blob | Uint8Array, options?: ArtifactOptions): Promise<TunedModel>;
  /** Ends the session and all that belongs to it; pending calls are rejected. */
  dispose(): void;
}
