/**
 * Adapts a search model to one's own domain, in a worker, so that the page stays responsive.
 *
 * ```ts
 * import { load } from "querytune";
 * const tuner = await load({ device: "auto", onProgress });
 * const relations = await tuner.synthesize(queries, documents, { onProgress, signal });
 * const run = await tuner.fit(relations, { onProgress, signal });
 * const zip = await run.saveArtifact();
 * ```
 *
 * @module querytune
 */

import { carryErrors } from "./crossing.js";
import { RemoteSession } from "./remote-session.js";
import type { ArtifactOptions, LoadOptions, OpenOptions, Session, TunedModel, Tuner } from "./types.js";

export { cachedModels, clearCache, isCached } from "./cached.js";
export type { ErrorCode, Position } from "./errors.js";
export { isAbort, QuerytuneError } from "./errors.js";
export type * from "./types.js";

carryErrors();

/** Starts the engine in a worker of its own, before any model is there. */
export async function open(options: OpenOptions = {}): Promise<Session> {
  return RemoteSession.open(options);
}

/** Starts the engine in a worker of its own and loads two models. Disposing of the tuner ends the worker. */
export async function load(options: OpenOptions & LoadOptions = {}): Promise<Tuner> {
  const session = await RemoteSession.open(options);
  try {
    return await session.loadOwning(options);
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/**
 * Starts the engine in a worker of its own and loads the model of a download, the zip of a run's `saveArtifact`.
 * Disposing of the model ends the worker.
 */
export async function loadArtifact(
  zip: Blob | Uint8Array,
  options: OpenOptions & ArtifactOptions = {},
): Promise<TunedModel> {
  const session = await RemoteSession.open(options);
  try {
    return await session.loadArtifactOwning(zip, options);
  } catch (error) {
    session.dispose();
    throw error;
  }
}
