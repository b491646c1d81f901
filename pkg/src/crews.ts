/** Who helps whom: the crews of a session, one for each pair of models on the CPU. */

import { Crew, type Recruiting } from "./crew.js";
import { QuerytuneError } from "./errors.js";
import { sizeOf, type TunerModels } from "./models.js";
import type { EngineInfo } from "./types.js";

export class Crews {
  /** Compiled once; workers that help get it as it is. */
  readonly #module: WebAssembly.Module;
  readonly #recruiting: Recruiting | undefined;
  readonly #warn: (message: string) => void;
  readonly #crews = new Set<Crew>();

  /** `recruiting` gets threads that help; without it there is nobody. */
  constructor(module: WebAssembly.Module, recruiting: Recruiting | undefined, warn: (message: string) => void) {
    this.#module = module;
    this.#recruiting = recruiting;
    this.#warn = warn;
  }

  /** How many threads share these models' work if so many are asked for, this one counted. */
  threads(asked: number | undefined, models: TunerModels): number {
    if (asked !== undefined && !(Number.isInteger(asked) && asked >= 1)) {
      throw new QuerytuneError("option", `threads is ${asked}; it has to be a whole number from 1.`);
    }
    return this.#recruiting ? (asked ?? this.#recruiting.usualThreads(sizeOf(models))) : 1;
  }

  /** Others with the same models, so that there are so many threads; nobody where they could not help. */
  recruit(models: TunerModels, { device }: Pick<EngineInfo, "device">, threads: number): Crew | undefined {
    const recruiting = this.#recruiting;
    if (!recruiting || threads === 1 || device.kind !== "cpu") return undefined;
    const equipment = { module: this.#module, models, dtype: device.dtype };
    const crew = new Crew(threads - 1, recruiting.spawn, equipment, this.#warn);
    this.#crews.add(crew);
    return crew;
  }

  /** Ends a crew whose models are not needed any more. */
  dismiss(crew: Crew | undefined): void {
    if (!crew) return;
    crew.dispose();
    this.#crews.delete(crew);
  }

  /** Ends them all. */
  dispose(): void {
    for (const crew of this.#crews) this.dismiss(crew);
  }
}
