/** The thread of the engine: in which order calls go, how they are watched, and what becomes of their errors. */

import type { Crew } from "./crew.js";
import { fromEngine, isCancelled, QuerytuneError } from "./errors.js";
import { report } from "./progress.js";
import { Queue } from "./queue.js";
import type { Store, Watch } from "./types.js";
import type * as engine from "./wasm/querytune.js";

/**
 * A macrotask: messages that ask for cancelling are delivered before it resolves. Not a timer, which browsers hold
 * back.
 */
const macrotask: () => Promise<void> = (() => {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  if (setImmediate) return () => new Promise((resolve) => setImmediate(resolve));
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(0);
    });
})();

/** Shared by all that belongs to a session: the order of calls, the store, the way errors take. */
export class Thread {
  readonly queue = new Queue();
  readonly store: Store;
  readonly warn: (message: string) => void;

  constructor(store: Store, warn: (message: string) => void) {
    this.store = store;
    this.warn = warn;
  }

  /** A long call: after all earlier ones, watched and abortable. */
  long<T>(watch: Watch, work: (host: engine.Host) => Promise<T>, crew?: Crew): Promise<T> {
    return this.#watched(watch, (call) => this.queue.run(call, watch.signal), work, crew);
  }

  /** A call that may run beside a long one: watched and abortable as well. */
  beside<T>(watch: Watch, work: (host: engine.Host) => Promise<T>): Promise<T> {
    return this.#watched(watch, (call) => this.queue.beside(call), work);
  }

  async #watched<T>(
    { signal, onProgress }: Watch,
    run: (call: () => Promise<T>) => Promise<T>,
    work: (host: engine.Host) => Promise<T>,
    crew?: Crew,
  ): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await run(async () => {
        try {
          return await work({
            progress: (progress) => report(onProgress, progress),
            cancelled: () => signal?.aborted ?? false,
            pause: macrotask,
            store: this.store,
            crew: crew && {
              get size() {
                return crew.size;
              },
              run: (work, texts) => crew.run(work, texts, signal),
              get learners() {
                return crew.learners;
              },
              learn: (learner, lesson) => crew.learn(learner, lesson, signal),
            },
          });
        } catch (thrown) {
          throw this.failure(thrown);
        }
      });
    } catch (error) {
      if (signal?.aborted && isCancelled(error)) throw signal.reason;
      throw error;
    }
  }

  /** A short call that disturbs no long one. */
  short<T>(work: () => T): T {
    if (this.queue.dead) throw this.queue.dead;
    try {
      return work();
    } catch (thrown) {
      throw this.failure(thrown);
    }
  }

  /** Frees memory of the engine when no call uses it any more. */
  free(object: { free(): void }): void {
    this.queue.run(async () => object.free()).catch(() => {});
  }

  failure(thrown: unknown): Error {
    const error = fromEngine(thrown);
    // A trap leaves the engine's memory in an unknown state.
    if (thrown instanceof WebAssembly.RuntimeError) this.queue.kill(error);
    return error;
  }
}

/** Frees the engine's object once, however often it is disposed of. */
export abstract class Handle<T extends { free(): void }> {
  readonly thread: Thread;
  #engine: T | undefined;

  constructor(thread: Thread, object: T) {
    this.thread = thread;
    this.#engine = object;
  }

  get engine(): T {
    if (!this.#engine) throw new QuerytuneError("disposed", "This object was disposed of; make a new one.");
    return this.#engine;
  }

  dispose(): void {
    if (this.#engine) this.thread.free(this.#engine);
    this.#engine = undefined;
  }
}
