/** The synthetic data set, held by the engine. */

import { Handle, type Thread } from "./thread.js";
import type { CandidateRow, RelationRow, Relations, RelationsSummary, TextItem } from "./types.js";
import type * as engine from "./wasm/querytune.js";

export class CoreRelations extends Handle<engine.Relations> implements Relations {
  /** Whether the earlier run that they go on from, if any, delivered a model that goes through the encoder's layers. */
  readonly needsEncoder: boolean;
  readonly #summary: RelationsSummary;

  constructor(thread: Thread, relations: engine.Relations) {
    super(thread, relations);
    this.needsEncoder = relations.needsEncoder();
    this.#summary = relations.summary();
  }

  summary(): RelationsSummary {
    return this.#summary;
  }

  async rows(from: number, count: number): Promise<RelationRow[]> {
    return this.thread.short(() => this.engine.rows(from, count));
  }

  async queries(from: number, count: number): Promise<TextItem[]> {
    return this.thread.short(() => this.engine.queries(from, count));
  }

  async candidates(query: number): Promise<CandidateRow[]> {
    return this.thread.short(() => this.engine.candidates(query));
  }

  async toCsv(): Promise<string> {
    return this.thread.short(() => this.engine.toCsv());
  }

  async toGplTsv(): Promise<string> {
    return this.thread.short(() => this.engine.toGplTsv());
  }

  async toJsonl(): Promise<string> {
    return this.thread.short(() => this.engine.toJsonl());
  }

  async toScoresTsv(): Promise<string> {
    return this.thread.short(() => this.engine.toScoresTsv());
  }
}
