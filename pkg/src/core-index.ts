/** Documents ready to be searched, held by the engine. */

import { QuerytuneError } from "./errors.js";
import { checkText, checkTopK } from "./lists.js";
import { Handle, type Thread } from "./thread.js";
import type { Index, IndexSearchOptions, Pair, SearchHit, Watch } from "./types.js";
import type * as engine from "./wasm/querytune.js";

/** The logits of pairs. */
export type Score = (pairs: readonly Pair[], watch: Watch) => Promise<Float32Array>;

export class CoreIndex extends Handle<engine.Index> implements Index {
  readonly length: number;
  readonly #score: Score | undefined;

  /** `score`: by the cross-encoder, where there is one. */
  constructor(thread: Thread, index: engine.Index, score?: Score) {
    super(thread, index);
    this.length = index.length;
    this.#score = score;
  }

  async search(query: string, { topK, rerank, ...watch }: IndexSearchOptions = {}): Promise<SearchHit[]> {
    const [index, score] = [this.engine, this.#score];
    const text = checkText(query, "query");
    const most = checkTopK(topK) ?? 10;
    if (rerank && !score) {
      throw new QuerytuneError(
        "option",
        "There is no cross-encoder to rerank by; search in an index of a tuner with one.",
      );
    }
    const hits: SearchHit[] = await this.thread.long(watch, (host) => index.search(text, most, host));
    if (!rerank || !score) return hits;
    const logits = await score(
      hits.map((hit): Pair => [text, hit.text]),
      watch,
    );
    const scored = hits.map((hit, i) => ({ ...hit, logit: logits[i] as number }));
    return scored.sort((a, b) => b.logit - a.logit);
  }
}
