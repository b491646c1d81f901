/** Quick judging in the thread of the engine. */

import { Handle, type Thread } from "./thread.js";
import type { Judging, JudgingAnswer, JudgingItem, JudgingVerdict, Relevance, Report } from "./types.js";
import type * as engine from "./wasm/querytune.js";

export class CoreJudging extends Handle<engine.Judging> implements Judging {
  readonly items: readonly JudgingItem[];
  readonly #reported: (report: Report) => void;

  /** `reported` receives the run's report whenever it has changed. */
  constructor(thread: Thread, judging: engine.Judging, reported: (report: Report) => void) {
    super(thread, judging);
    this.#reported = reported;
    this.items = judging.items();
  }

  answers(): Promise<JudgingAnswer[]> {
    return this.#inTurn((judging) => judging.answers());
  }

  answer(query: number, document: number, relevance: Relevance | null): Promise<void> {
    return this.#inTurn((judging, host) => judging.answer(query, document, relevance, host));
  }

  async verdict(): Promise<JudgingVerdict> {
    return (await this.decide()).verdict;
  }

  /** The verdict, and the run's report with it. */
  async decide(): Promise<{ verdict: JudgingVerdict; report: Report }> {
    const made = await this.#inTurn((judging) => ({ verdict: judging.verdict(), report: judging.report() }));
    this.#reported(made.report);
    return made;
  }

  toQrels(): Promise<string> {
    return this.#inTurn((judging) => judging.toQrels());
  }

  /** Short as they are, these calls take their turn: what is asked after an answer is to know of it. */
  async #inTurn<T>(work: (judging: engine.Judging, host: engine.Host) => T | Promise<T>): Promise<T> {
    const judging = this.engine;
    return this.thread.long({}, async (host) => work(judging, host));
  }
}
