/** The encoder in a thread that helps another one's training. */

import type { ModelFiles } from "./models.js";
import { Handle, type Thread } from "./thread.js";
import type { Watch } from "./types.js";
import * as engine from "./wasm/querytune.js";

export class CoreLearner extends Handle<engine.Learner> {
  static async load(thread: Thread, encoder: ModelFiles): Promise<CoreLearner> {
    return new CoreLearner(thread, await thread.long({}, (host) => engine.Learner.load(encoder, host)));
  }

  /** Does a part of a training step. */
  learn(lesson: Uint8Array, watch: Watch): Promise<Float32Array> {
    const learner = this.engine;
    return this.thread.long(watch, (host) => learner.learn(lesson, host));
  }
}
