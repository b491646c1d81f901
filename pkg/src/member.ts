/** What a thread does that helps another one: it holds the same models and works on what it is given. */

import * as Comlink from "comlink";
import { QuerytuneError } from "./errors.js";
import type { MemberService } from "./remote.js";
import { CoreSession, type CoreTuner } from "./session.js";

/** Long calls under way, each under the caller's number, so that they can be cancelled from outside. */
export class Calls {
  readonly #running = new Map<number, AbortController>();

  async run<T>(call: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#running.set(call, controller);
    try {
      return await work(controller.signal);
    } finally {
      this.#running.delete(call);
    }
  }

  cancel(call: number): void {
    this.#running.get(call)?.abort();
  }
}

/**
 * The functions of a member, the same in a web worker and in a thread of Node's. `opened` receives its session, for
 * whoever has to end it when the engine fails.
 */
export function member(calls: Calls, opened?: (session: CoreSession) => void): MemberService {
  let tuner: CoreTuner | undefined;
  return {
    async enlist({ module, models, dtype }) {
      const session = await CoreSession.open({ wasm: module, store: "memory" });
      opened?.(session);
      tuner = await session.loadFiles(models, { device: "cpu", dtype }, {});
    },
    cancel: (call) => calls.cancel(call),
    work: (call, work, texts) =>
      calls.run(call, async (signal) => {
        if (!tuner) throw new QuerytuneError("internal", "The worker was used before it had its models.");
        const values = await tuner.work(work, texts, { signal });
        return Comlink.transfer(values, [values.buffer]);
      }),
  };
}
