/** Quick judging across the worker's border, seen from the worker. */

import { CoreJudging } from "./core-judging.js";
import { CoreRun } from "./core-run.js";
import type { Id } from "./crossing.js";
import type { JudgingService } from "./service.js";
import type { Watch } from "./types.js";

/** What the worker keeps under numbers. */
export interface Kept {
  keep(object: CoreJudging): Id;
  get<T extends CoreJudging | CoreRun>(id: Id, kind: new (...args: never[]) => T): T;
  watched<T>(call: number, work: (watch: Watch) => Promise<T>): Promise<T>;
}

/** The worker's functions. */
export function judgingService({ keep, get, watched }: Kept): JudgingService {
  return {
    judging: (call, run, options) =>
      watched(call, async (watch) => {
        const judging = await get(run, CoreRun).judging({ ...options, ...watch });
        return { id: keep(judging), items: judging.items };
      }),
    judgingAnswers: async (id) => get(id, CoreJudging).answers(),
    judgingAnswer: async (id, query, document, relevance) => get(id, CoreJudging).answer(query, document, relevance),
    judgingVerdict: async (id) => get(id, CoreJudging).decide(),
    judgingToQrels: async (id) => get(id, CoreJudging).toQrels(),
  };
}
