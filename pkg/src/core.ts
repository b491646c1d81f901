/**
 * The package without a worker of its own: the engine runs in the thread that calls it. For a worker of one's own, and
 * for Node, where other threads help with the models' work.
 *
 * ```ts
 * import { load } from "querytune/core";
 * const tuner = await load({
 *   encoder: new URL("file:///models/all-MiniLM-L6-v2/"),
 *   crossEncoder: new URL("file:///models/ms-marco-MiniLM-L-12-v2/"),
 *   device: "cpu",
 * });
 * const { data, dims } = await tuner.embed(["surfing lessons"]);
 * ```
 *
 * All sessions of a thread share one engine: a defect that stops it stops them all, and only a new thread helps.
 *
 * @module querytune/core
 */

import { CoreSession } from "./core-session.js";
import { recruitingInNode } from "./node-threads.js";
import type { ArtifactOptions, LoadOptions, OpenOptions, Session, TunedModel, Tuner } from "./types.js";

export { cachedModels, clearCache, isCached } from "./cached.js";
export type { ErrorCode, Position } from "./errors.js";
export { isAbort, QuerytuneError } from "./errors.js";
export { IndexedDbStore, MemoryStore } from "./store.js";
export type * from "./types.js";

/** Starts the engine, before any model is there. */
export async function open(options: OpenOptions = {}): Promise<Session> {
  return CoreSession.open(options, await recruitingInNode());
}

/** Starts the engine and loads two models. Disposing of the tuner ends the threads that help it. */
export async function load(options: OpenOptions & LoadOptions = {}): Promise<Tuner> {
  const session = await open(options);
  return session.load(options);
}

/**
 * Starts the engine and loads the model of a download, the zip of a run's `saveArtifact`. Disposing of the model ends the
 * threads that help it.
 */
export async function loadArtifact(
  zip: Blob | Uint8Array,
  options: OpenOptions & ArtifactOptions = {},
): Promise<TunedModel> {
  const session = await open(options);
  return session.loadArtifact(zip, options);
}
