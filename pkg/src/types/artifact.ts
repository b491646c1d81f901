/** A download that is used again. */

import type { EngineInfo } from "./device.js";
import type { Reader } from "./reader.js";
import type { Report } from "./report.js";
import type { Embeddings, Index } from "./search.js";
import type { Texts, TextsInput } from "./texts.js";
import type { LoadOptions } from "./tuner.js";
import type { Watch } from "./watch.js";

/** On which device a download's model runs; as of `LoadOptions`. */
export interface ArtifactOptions extends Pick<LoadOptions, "device" | "dtype" | "threads">, Watch {}

/**
 * Which of a download's models:
 * - `delivered` (the default): the one that the run decided for;
 * - `base`: the one that it started from;
 * - `trained`: the one that it trained, even if nothing was gained by it.
 *
 * One that was not delivered is made ready when it is first asked for.
 */
export type ArtifactModel = "delivered" | "base" | "trained";

/** What calls of a `TunedModel` take. */
export interface ArtifactCall extends Watch {
  /** Default `delivered`. */
  model?: ArtifactModel;
}

/** A download's model, without a cross-encoder. Calls may overlap: they run one after the other. */
export interface TunedModel extends Pick<Reader, "readDocuments"> {
  /** What runs, and where. Of models there is the encoder that documents go through. */
  readonly info: EngineInfo;
  /** The report of the run that made the download. */
  readonly report: Report;
  /** Whether the trained model was delivered, not the base model. */
  readonly isTuned: boolean;
  /** Vectors of queries, of length 1. */
  embedQueries(texts: readonly string[], options?: ArtifactCall): Promise<Embeddings>;
  /** Vectors of documents, of length 1; the nearest documents of a query have the highest dot products. */
  embedDocuments(texts: readonly string[], options?: ArtifactCall): Promise<Embeddings>;
  /**
   * Makes documents ready to be searched. Their vectors are kept in the store as soon as they are finished, so that an
   * index of the same documents costs nothing the next time.
   */
  index(documents: TextsInput | Texts, options?: ArtifactCall): Promise<Index>;
  /** Frees the model, and ends the worker where the model owns it. */
  dispose(): void;
}
