/** Quick judging across the worker's border, seen from the main thread. */

import type { Judging, JudgingAnswer, JudgingItem, JudgingOptions, JudgingVerdict, Relevance } from "./judging.js";
import type { Id } from "./remote.js";
import type { Report, Watch } from "./types.js";

/** What the worker does for it; `call` numbers a long call. */
export interface JudgingService {
  judging(
    call: number,
    run: Id,
    options: Omit<JudgingOptions, keyof Watch>,
  ): Promise<{ id: Id; items: readonly JudgingItem[] }>;
  judgingAnswers(id: Id): Promise<JudgingAnswer[]>;
  judgingAnswer(id: Id, query: number, document: number, relevance: Relevance | null): Promise<void>;
  judgingVerdict(id: Id): Promise<{ verdict: JudgingVerdict; report: Report }>;
  judgingToQrels(id: Id): Promise<string>;
}

/** The worker, as far as it is needed. */
interface Link {
  readonly service: Omit<JudgingService, "judging">;
  settle<T>(answer: Promise<T>): Promise<T>;
  dispose(id: Id): void;
}

export class RemoteJudging implements Judging {
  readonly items: readonly JudgingItem[];
  readonly #link: Link;
  readonly #id: Id;
  readonly #reported: (report: Report) => void;

  /** `reported` receives the run's report whenever it has changed. */
  constructor(link: Link, made: { id: Id; items: readonly JudgingItem[] }, reported: (report: Report) => void) {
    this.#link = link;
    this.#id = made.id;
    this.#reported = reported;
    this.items = made.items;
  }

  answers(): Promise<JudgingAnswer[]> {
    return this.#link.settle(this.#link.service.judgingAnswers(this.#id));
  }

  answer(query: number, document: number, relevance: Relevance | null): Promise<void> {
    return this.#link.settle(this.#link.service.judgingAnswer(this.#id, query, document, relevance));
  }

  async verdict(): Promise<JudgingVerdict> {
    const { verdict, report } = await this.#link.settle(this.#link.service.judgingVerdict(this.#id));
    this.#reported(report);
    return verdict;
  }

  toQrels(): Promise<string> {
    return this.#link.settle(this.#link.service.judgingToQrels(this.#id));
  }

  dispose(): void {
    this.#link.dispose(this.#id);
  }
}
