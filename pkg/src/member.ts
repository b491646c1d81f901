/** What a thread does that helps another one: it holds the same models and works on what it is given. */

import * as Comlink from "comlink";
import { CoreLearner } from "./core-learner.js";
import { CoreSession } from "./core-session.js";
import type { CoreTuner } from "./core-tuner.js";
import { QuerytuneError } from "./errors.js";
import type { ModelFiles } from "./models.js";
import type { MemberService } from "./service.js";

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

/** Gives the memory of a model's files back, at once where that can be asked for: a thread that waits collects nothing. */
function release(model: ModelFiles): void {
  const buffers = new Set(Object.values(model.files).map(({ buffer }) => buffer));
  model.files = {};
  for (const buffer of buffers) (buffer as { transfer?(length: number): unknown }).transfer?.(0);
}

/**
 * The functions of a member, the same in a web worker and in a thread of Node's. `opened` receives its session, for
 * whoever has to end it when the engine fails.
 */
export function member(calls: Calls, opened?: (session: CoreSession) => void): MemberService {
  let session: CoreSession | undefined;
  let tuner: CoreTuner | undefined;
  let learner: Promise<CoreLearner> | undefined;
  const missing = () => new QuerytuneError("internal", "The worker was used before it had its models.");
  return {
    async enlist({ module, models, dtype }) {
      session = await CoreSession.open({ wasm: module, store: "memory" });
      opened?.(session);
      tuner = await session.loadFiles(models, { device: "cpu", dtype }, {});
      // Copies of this thread's own, and downloads are written by the one that it helps.
      for (const model of [models.encoder, models.crossEncoder]) if (model) release(model);
    },
    cancel: (call) => calls.cancel(call),
    work: (call, work, texts) =>
      calls.run(call, async (signal) => {
        if (!tuner) throw missing();
        const values = await tuner.work(work, texts, { signal });
        return Comlink.transfer(values, [values.buffer]);
      }),
    async study(encoder) {
      if (!session) throw missing();
      learner = CoreLearner.load(session.thread, encoder);
      await learner;
      release(encoder);
    },
    learn: (call, lesson) =>
      calls.run(call, async (signal) => {
        if (!learner) throw missing();
        const values = await (await learner).learn(lesson, { signal });
        return Comlink.transfer(values, [values.buffer]);
      }),
    forget() {
      learner?.then((loaded) => loaded.dispose()).catch(() => {});
      learner = undefined;
    },
  };
}
