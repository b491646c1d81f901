/**
 * Runs calls one after the other, as the engine needs it, but for those that may go beside; ends them all when the
 * engine has failed.
 */

export class Queue {
  #last: Promise<unknown> = Promise.resolve();
  readonly #pending = new Set<(reason: Error) => void>();
  #dead: Error | undefined;

  /** Why nothing runs any more. */
  get dead(): Error | undefined {
    return this.#dead;
  }

  /** Rejects all pending and all later calls. */
  kill(reason: Error): void {
    this.#dead ??= reason;
    for (const reject of this.#pending) reject(this.#dead);
    this.#pending.clear();
  }

  /** Runs `work` at once, beside whatever else runs. */
  beside<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead);
    return new Promise<T>((resolve, reject) => {
      this.#pending.add(reject);
      work()
        .then(resolve, reject)
        .finally(() => this.#pending.delete(reject));
    });
  }

  /** Runs `work` after all earlier calls; one aborted before its turn is rejected at once and never runs. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise<T>((resolve, reject) => {
      let begun = false;
      const abort = () => {
        if (!begun) settle(() => reject(signal?.reason));
      };
      const settle = (end: () => void) => {
        this.#pending.delete(reject);
        signal?.removeEventListener("abort", abort);
        end();
      };
      this.#pending.add(reject);
      signal?.addEventListener("abort", abort);
      this.#last = this.#last.then(async () => {
        if (!this.#pending.has(reject)) return;
        begun = true;
        // Work that the engine never settles must not hold the queue's later calls when it is killed; they are
        // rejected by `kill`, so nothing waits for `#last` then.
        await work().then(
          (value) => settle(() => resolve(value)),
          (error) => settle(() => reject(error)),
        );
      });
    });
  }
}
