/** Two models on a device, and what is done with them. */

import type { DeviceChoice, DtypeChoice, EngineInfo } from "./device.js";
import type { ModelSource } from "./models.js";
import type { Reader } from "./reader.js";
import type { Relations, SynthesizeOptions } from "./relations.js";
import type { Run } from "./run.js";
import type { Embeddings, EmbedOptions, Index, Pair, Reranked, RerankOptions } from "./search.js";
import type { Texts, TextsInput } from "./texts.js";
import type { FitOptions } from "./training.js";
import type { Watch } from "./watch.js";

/** Which models, on which device. */
export interface LoadOptions extends Watch {
  /** The sentence encoder to adapt. Default: `sentence-transformers/all-MiniLM-L6-v2` from the hub. */
  encoder?: ModelSource;
  /**
   * The cross-encoder that teaches. Default: `cross-encoder/ms-marco-MiniLM-L-12-v2` from the hub. `false`: none is
   * loaded; texts can be encoded and searched then, but nothing scored and nothing trained.
   */
  crossEncoder?: ModelSource | false;
  /** Default `auto`. */
  device?: DeviceChoice;
  /** Default `auto`. */
  dtype?: DtypeChoice;
  /**
   * Workers that share the models' work on the CPU, each with the models in its own memory (some 370 MB with the default
   * two). Default: one for each processor, as far as half of the memory has room for these models, and in a browser 8 at
   * most. Half of them share a training with LoRA, too, which takes about as much memory again in each. What comes out does
   * not depend on it. In `querytune/core` the calling thread is one of them; there are others in
   * Node only.
   */
  threads?: number;
}

/**
 * Two models on a device, or the encoder alone: then `score`, `rerank`, `synthesize` and `fit` are refused with the code
 * `option`. Calls may overlap: they run one after the other.
 */
export interface Tuner extends Reader {
  /** The models, and the device that they run on with the reason why. */
  readonly info: EngineInfo;
  /** Vectors of texts, of length 1, by the base encoder: of documents, unless `kind` says that they are queries. */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Embeddings>;
  /** The cross-encoder's logit of each pair, in their order: for many queries at once. They are not kept in the store. */
  score(pairs: readonly Pair[], watch?: Watch): Promise<Float32Array>;
  /** Documents by the cross-encoder's logit for the query, best first. */
  rerank(query: string, documents: readonly string[], options?: RerankOptions): Promise<Reranked[]>;
  /** Retrieves candidates for each query, scores them, and makes the data set. */
  synthesize(
    queries: TextsInput | Texts,
    documents: TextsInput | Texts,
    options?: SynthesizeOptions,
  ): Promise<Relations>;
  /** Trains the adapter and compares it with the base model. */
  fit(relations: Relations, options?: FitOptions): Promise<Run>;
  /** Searches documents with the base model. */
  index(documents: TextsInput | Texts, watch?: Watch): Promise<Index>;
  /** Frees the models; calls under way are rejected where the tuner owns its worker. */
  dispose(): void;
}
