/** Other workers with the same models, which help on the CPU. Each has an engine of its own: no memory is shared. */

import * as Comlink from "comlink";
import type { Equipment } from "./crossing.js";
import { isCancelled, QuerytuneError } from "./errors.js";
import type { ModelFiles } from "./models.js";
import type { MemberService } from "./service.js";
import type { Work } from "./wasm/querytune.js";

/** A thread of its own that serves `MemberService`, whatever the environment makes threads of. */
export interface Helper {
  /** The way to it, for comlink. */
  readonly endpoint: Comlink.Endpoint;
  /** `report` is called when the thread has failed, or could not be started. */
  onFailure(report: (message: string) => void): void;
  /** Keeps the process alive as long as the helper is busy; not there where no process ends by itself. */
  hold?(busy: boolean): void;
  end(): void;
}

/** Starts a helper. */
export type Spawn = () => Helper;

/** How this environment gets helpers, and how many threads make sense in it. */
export interface Recruiting {
  spawn: Spawn;
  /** With models of so many bytes. */
  usualThreads(bytes: number): number;
}

/** A web worker that runs this package's worker script. */
export function webHelper(worker: Worker): Helper {
  return {
    endpoint: worker,
    onFailure: (report) =>
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        report(event.message);
      }),
    end: () => worker.terminate(),
  };
}

class Member {
  /** Chunks it has been given and not finished. */
  busy = 0;
  readonly #helper: Helper;
  readonly #service: Comlink.Remote<MemberService>;
  readonly #failed: Promise<never>;
  #fail: (reason: Error) => void = () => {};
  #lastCall = 0;

  constructor(spawn: Spawn) {
    this.#helper = spawn();
    this.#service = Comlink.wrap<MemberService>(this.#helper.endpoint);
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#helper.onFailure((message) => {
      this.#fail(new QuerytuneError("internal", message || "A worker could not be started."));
    });
    this.#failed.catch(() => {});
    this.#helper.hold?.(false);
  }

  equip(equipment: Equipment): Promise<void> {
    return Promise.race([this.#service.enlist(equipment), this.#failed]);
  }

  run(work: Work, texts: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array> {
    return this.#call((call) => this.#service.work(call, work, texts), signal);
  }

  /** Loads the encoder once more, for a training. */
  study(encoder: ModelFiles): Promise<void> {
    return Promise.race([this.#service.study(encoder), this.#failed]);
  }

  learn(lesson: Uint8Array<ArrayBuffer>, signal: AbortSignal | undefined): Promise<Float32Array> {
    return this.#call((call) => this.#service.learn(call, Comlink.transfer(lesson, [lesson.buffer])), signal);
  }

  /** Frees what `study` has loaded. */
  forget(): void {
    Promise.resolve(this.#service.forget()).catch(() => {});
  }

  async #call(ask: (call: number) => Promise<Float32Array>, signal: AbortSignal | undefined): Promise<Float32Array> {
    this.#lastCall += 1;
    const call = this.#lastCall;
    this.busy += 1;
    this.#helper.hold?.(true);
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        void this.#service.cancel(call);
        reject(new DOMException("Cancelled.", "AbortError"));
      };
    });
    signal?.addEventListener("abort", abort);
    try {
      return await Promise.race([ask(call), this.#failed, aborted]);
    } finally {
      this.busy -= 1;
      if (this.busy === 0) this.#helper.hold?.(false);
      signal?.removeEventListener("abort", abort);
    }
  }

  end(): void {
    this.#helper.end();
    // A web worker that is terminated tells nobody: who waits for it would wait for ever.
    this.#fail(new QuerytuneError("internal", "The worker was ended."));
  }
}

export class Crew {
  /** With the thread that is helped. */
  readonly threads: number;
  readonly #members = new Set<Member>();
  readonly #starting = new Set<Member>();
  /** Those that can help the training that there is, by the numbers that the engine knows them by. */
  readonly #learners = new Map<number, Member>();
  readonly #warn: (message: string) => void;
  #ended = false;

  /** Members join one by one, as soon as they have loaded the models; work begins without them. */
  constructor(size: number, spawn: Spawn, equipment: Equipment, warn: (message: string) => void) {
    this.threads = size + 1;
    this.#warn = warn;
    for (let member = 0; member < size; member++) this.#enlist(spawn, equipment);
  }

  /** Members that can be given work. */
  get size(): number {
    return this.#members.size;
  }

  async #enlist(spawn: Spawn, equipment: Equipment): Promise<void> {
    let member: Member | undefined;
    try {
      member = new Member(spawn);
      this.#starting.add(member);
      await member.equip(equipment);
      if (!this.#ended) this.#members.add(member);
    } catch (error) {
      member?.end();
      if (!this.#ended) this.#warn(`A worker cannot help: ${(error as Error).message} The work goes on without it.`);
    } finally {
      if (member) this.#starting.delete(member);
    }
  }

  /** Gives the texts to the member that has least to do. */
  run(work: Work, texts: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array> {
    return this.#ask([...this.#members], (member) => member.run(work, texts, signal));
  }

  /** The numbers of those that can be given parts of a training's steps. */
  get learners(): readonly number[] {
    return [...this.#learners.keys()];
  }

  /** Gives a part of a training step to one of them, or to the one that has least to do. */
  learn(
    learner: number | undefined,
    lesson: Uint8Array<ArrayBuffer>,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const all = [...this.#learners].filter(([number]) => learner === undefined || number === learner);
    const members = all.map(([, member]) => member);
    return this.#ask(members, (member) => member.learn(lesson, signal));
  }

  /**
   * Has members help `training`, each as soon as it has the encoder that is trained. That takes memory of its own in every
   * thread, about as much as both models do, so only half of the threads help.
   */
  async help<T>(encoder: ModelFiles, training: () => Promise<T>): Promise<T> {
    const chosen = [...this.#members].slice(0, Math.max(1, Math.floor(this.threads / 2)));
    let isOver = false;
    for (const [number, member] of chosen.entries()) {
      member.study(encoder).then(
        () => {
          if (!isOver && this.#members.has(member)) this.#learners.set(number, member);
        },
        (error: Error) => {
          if (!isOver && !this.#ended) this.#warn(`A worker cannot help the training: ${error.message}`);
        },
      );
    }
    try {
      return await training();
    } finally {
      isOver = true;
      this.#learners.clear();
      for (const member of chosen) member.forget();
    }
  }

  async #ask(members: readonly Member[], work: (member: Member) => Promise<Float32Array>): Promise<Float32Array> {
    const [first, ...others] = members;
    if (!first) throw new QuerytuneError("internal", "No worker is left.");
    const member = others.reduce((least, other) => (other.busy < least.busy ? other : least), first);
    try {
      return await work(member);
    } catch (error) {
      if (!isCancelled(error) && this.#members.delete(member)) {
        for (const [number, learner] of this.#learners) if (learner === member) this.#learners.delete(number);
        member.end();
        if (!this.#ended) this.#warn(`A worker failed: ${(error as Error).message} The work goes on without it.`);
      }
      throw error;
    }
  }

  dispose(): void {
    this.#ended = true;
    for (const member of [...this.#members, ...this.#starting]) member.end();
    this.#members.clear();
    this.#learners.clear();
  }
}

/** Does a training of the encoder's layers, with the help of a crew if there is one. */
export function helped<T>(crew: Crew | undefined, encoder: ModelFiles, training: () => Promise<T>): Promise<T> {
  return crew ? crew.help(encoder, training) : training();
}

/** What a thread takes at least, and in sizes of its models' files (in GiB). */
const THREAD = { least: 0.25, models: 2 };

/**
 * Threads that make sense with models of so many bytes: one a processor, as far as half of the memory (in GiB) has room
 * for them, and not more than `most`.
 */
export function usualThreads(bytes: number, processors = 1, memory = 8, most = Number.POSITIVE_INFINITY): number {
  const each = Math.max(THREAD.least, (THREAD.models * bytes) / 2 ** 30);
  return Math.max(1, Math.min(most, processors, Math.floor(memory / 2 / each)));
}
