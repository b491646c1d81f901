/** Vectors, logits and nearest documents. */

import type { Watch } from "./watch.js";

/** Vectors, row after row. */
export interface Embeddings {
  /** `dims[0] * dims[1]` numbers, row-major. */
  data: Float32Array;
  /** Texts, dimensions. */
  dims: [number, number];
}

/** How texts are embedded, and what watches it. */
export interface EmbedOptions extends Watch {
  /**
   * What the texts are, `"document"` by default. It makes a difference with encoders that put a prompt of their own
   * before queries or documents; the default encoder has none.
   */
  kind?: "query" | "document";
}

/** A query and a document. */
export type Pair = readonly [query: string, document: string];

/** A document's place in a reranking. */
export interface Reranked {
  /** Its place in the list that was given. */
  index: number;
  /** The cross-encoder's output. */
  logit: number;
  /** `1 / (1 + exp(-logit))`. */
  score: number;
}

/** How documents are reranked. */
export interface RerankOptions extends Watch {
  /** How many are kept, from the best: a whole number from 1. Default: all. */
  topK?: number;
}

/** A document that was found. */
export interface SearchHit {
  /** Its number among the documents, from 0. */
  document: number;
  /** Its id, or its number from 1 where there are no ids. */
  id: string;
  /** Its title alone, where there is one. */
  title?: string;
  /** What was encoded: title and text joined by one space. */
  text: string;
  /** Cosine. */
  score: number;
  /** The cross-encoder's output; there after a search with `rerank`. */
  logit?: number;
}

/** How many results. */
export interface SearchOptions extends Watch {
  /** A whole number from 1. Default 10. */
  topK?: number;
}

/** How an index is searched. */
export interface IndexSearchOptions extends SearchOptions {
  /**
   * Whether the documents that are found, `topK` of them, are put in the order of the cross-encoder's logit; hits have it as
   * `logit`. Of indexes of a tuner with a cross-encoder, and of its runs. Default false.
   */
  rerank?: boolean;
}

/** Documents ready to be searched. */
export interface Index {
  /** Number of documents. */
  readonly length: number;
  /** The documents nearest to the query, best first. */
  search(query: string, options?: IndexSearchOptions): Promise<SearchHit[]>;
  /** Frees the memory. */
  dispose(): void;
}
