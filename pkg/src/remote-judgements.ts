/** Relevance judgements, kept by the worker. */

import type { Id, RemoteJudgements } from "./crossing.js";
import { Handle, type Link } from "./link.js";
import { idOf, readTexts, remoteTexts } from "./remote-texts.js";
import type {
  Judgements,
  JudgementsCoverage,
  JudgementsInput,
  JudgementsReading,
  JudgementsSummary,
  Texts,
} from "./types.js";

export class RemoteJudgementsHandle extends Handle implements Judgements {
  readonly reading: JudgementsReading;
  readonly summary: JudgementsSummary;

  constructor(link: Link, made: { id: Id; reading: JudgementsReading; summary: JudgementsSummary }) {
    super(link, made.id);
    this.reading = made.reading;
    this.summary = made.summary;
  }

  async coverage(queries: Texts, documents: Texts): Promise<JudgementsCoverage> {
    const [log, corpus] = [readTexts(this.link, queries), readTexts(this.link, documents)];
    return this.link.settle(this.link.service.coverage(this.id, log, corpus));
  }
}

/** Judgements as the worker takes them. */
export function remoteJudgements(link: Link, { qrels, queries }: JudgementsInput): RemoteJudgements {
  return {
    qrels: qrels instanceof RemoteJudgementsHandle ? idOf(link, qrels) : { input: qrels as Blob | Uint8Array },
    queries: queries && remoteTexts(link, queries, "queries"),
  };
}
