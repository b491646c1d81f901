/** Other workers with the same models, which help on the CPU. Each has an engine of its own: no memory is shared. */

import * as Comlink from "comlink";
import { isAbort, QuerytuneError } from "./errors.js";
import type { ModelFiles } from "./models.js";
import type { MemberService } from "./remote.js";
import type { Dtype } from "./types.js";
import type { Work } from "./wasm/querytune.js";

/** Starts a worker that runs this package's worker script. */
export type Spawn = () => Worker;

/** What every member loads. */
export interface Equipment {
  module: WebAssembly.Module;
  models: { encoder: ModelFiles; crossEncoder: ModelFiles };
  dtype: Dtype;
}

class Member {
  /** Chunks it has been given and not finished. */
  busy = 0;
  readonly #worker: Worker;
  readonly #service: Comlink.Remote<MemberService>;
  readonly #failed: Promise<never>;
  #lastCall = 0;

  constructor(spawn: Spawn) {
    this.#worker = spawn();
    this.#service = Comlink.wrap<MemberService>(this.#worker);
    this.#failed = new Promise((_, reject) => {
      this.#worker.addEventListener("error", (event) => {
        event.preventDefault();
        reject(new QuerytuneError("internal", event.message || "A worker could not be started."));
      });
    });
    this.#failed.catch(() => {});
  }

  equip(equipment: Equipment): Promise<void> {
    return Promise.race([this.#service.enlist(equipment), this.#failed]);
  }

  async run(work: Work, texts: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array> {
    this.#lastCall += 1;
    const call = this.#lastCall;
    this.busy += 1;
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        void this.#service.cancel(call);
        reject(new DOMException("Cancelled.", "AbortError"));
      };
    });
    signal?.addEventListener("abort", abort);
    try {
      return await Promise.race([this.#service.work(call, work, texts), this.#failed, aborted]);
    } finally {
      this.busy -= 1;
      signal?.removeEventListener("abort", abort);
    }
  }

  end(): void {
    this.#worker.terminate();
  }
}

export class Crew {
  readonly #members = new Set<Member>();
  readonly #starting = new Set<Member>();
  readonly #warn: (message: string) => void;
  #ended = false;

  /** Members join one by one, as soon as they have loaded the models; work begins without them. */
  constructor(size: number, spawn: Spawn, equipment: Equipment, warn: (message: string) => void) {
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
  async run(work: Work, texts: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array> {
    const [first, ...others] = this.#members;
    if (!first) throw new QuerytuneError("internal", "No worker is left.");
    const member = others.reduce((least, other) => (other.busy < least.busy ? other : least), first);
    try {
      return await member.run(work, texts, signal);
    } catch (error) {
      if (!isAbort(error) && this.#members.delete(member)) {
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
  }
}

/** Workers that make sense here: one a processor, as far as memory allows. */
export function usualThreads(): number {
  const { hardwareConcurrency = 1, deviceMemory = 8 } = (globalThis.navigator ?? {}) as {
    hardwareConcurrency?: number;
    deviceMemory?: number;
  };
  return Math.max(1, Math.min(8, hardwareConcurrency, 2 * deviceMemory));
}
