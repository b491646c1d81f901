/** Quick judging, kept by the worker. */

import type { Id } from "./crossing.js";
import { Handle, type Link } from "./link.js";
import type { Judging, JudgingAnswer, JudgingItem, JudgingVerdict, Relevance, Report } from "./types.js";

export class RemoteJudging extends Handle implements Judging {
  readonly items: readonly JudgingItem[];
  readonly #reported: (report: Report) => void;

  /** `reported` receives the run's report whenever it has changed. */
  constructor(link: Link, made: { id: Id; items: readonly JudgingItem[] }, reported: (report: Report) => void) {
    super(link, made.id);
    this.#reported = reported;
    this.items = made.items;
  }

  answers(): Promise<JudgingAnswer[]> {
    return this.link.settle(this.link.service.judgingAnswers(this.id));
  }

  answer(query: number, document: number, relevance: Relevance | null): Promise<void> {
    return this.link.settle(this.link.service.judgingAnswer(this.id, query, document, relevance));
  }

  async verdict(): Promise<JudgingVerdict> {
    const { verdict, report } = await this.link.settle(this.link.service.judgingVerdict(this.id));
    this.#reported(report);
    return verdict;
  }

  toQrels(): Promise<string> {
    return this.link.settle(this.link.service.judgingToQrels(this.id));
  }
}
