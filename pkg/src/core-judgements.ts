/** Relevance judgements, held by the engine. */

import { CoreTexts } from "./core-texts.js";
import { QuerytuneError } from "./errors.js";
import { Handle, type Thread } from "./thread.js";
import type { Judgements, JudgementsCoverage, JudgementsReading, JudgementsSummary, Texts } from "./types.js";
import type * as engine from "./wasm/querytune.js";

export class CoreJudgements extends Handle<engine.Qrels> implements Judgements {
  readonly reading: JudgementsReading;
  readonly summary: JudgementsSummary;

  constructor(thread: Thread, qrels: engine.Qrels) {
    super(thread, qrels);
    this.reading = qrels.reading();
    this.summary = qrels.summary();
  }

  async coverage(queries: Texts, documents: Texts): Promise<JudgementsCoverage> {
    if (!(queries instanceof CoreTexts && documents instanceof CoreTexts)) {
      throw new QuerytuneError("option", "Give what readQueries and readDocuments gave.");
    }
    return this.thread.short(() => this.engine.coverage(queries.engine, documents.engine));
  }
}
