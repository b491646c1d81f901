// Ctrl-C and its relatives: the first one asks the work to stop, the second one ends the process.

const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** Listens for signals until `release` is called. */
export class Interrupt {
  /** The exit code that tells of the signal; undefined as long as none has come. */
  code;
  #controller = new AbortController();
  #listeners = Object.entries(codes).map(([name, code]) => [name, () => this.stop(code)]);
  #stopping;

  /** `stopping` is called when the work is asked to stop. */
  constructor(stopping) {
    this.#stopping = stopping;
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  /** Aborted by the first signal. */
  get signal() {
    return this.#controller.signal;
  }

  /** Asks the work to stop, as a signal does. */
  stop(code = codes.SIGINT) {
    if (this.code !== undefined) process.exit(this.code);
    this.code = code;
    this.#stopping();
    this.#controller.abort();
  }

  release() {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }
}
