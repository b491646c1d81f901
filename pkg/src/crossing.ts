/** What crosses between the main thread and the worker: numbers for what is kept there, notices, and errors with their code. */

import * as Comlink from "comlink";
import { type ErrorData, fromData, toData } from "./errors.js";
import type { TunerModels } from "./models.js";
import type { Dtype, Progress, TextsInput } from "./types.js";

/** The number under which the worker keeps an object. */
export type Id = number;

/** Texts in the worker, or still to be read there. */
export type RemoteTexts = { id: Id } | { input: TextsInput };

export interface RemoteJudgements {
  qrels: { id: Id } | { input: Blob | Uint8Array };
  queries?: RemoteTexts;
}

/**
 * What the worker tells without being asked. It goes the same way as comlink's answers, so that a call's last
 * progress comes before its result.
 */
export type Notice = { notice: "progress"; call: number; progress: Progress } | { notice: "warning"; message: string };

/** What every member loads. */
export interface Equipment {
  module: WebAssembly.Module;
  models: TunerModels;
  dtype: Dtype;
}

/** How the worker's engine is started. */
export interface Opening {
  wasm?: string | BufferSource | WebAssembly.Module;
  store?: "indexeddb" | "memory";
}

/** Comlink's own handler keeps only an error's message. */
export function carryErrors(): void {
  const thrown = Comlink.transferHandlers.get("throw");
  if (!thrown) return;
  Comlink.transferHandlers.set("throw", {
    canHandle: thrown.canHandle,
    serialize: ({ value }: { value: unknown }): [ErrorData, Transferable[]] => [toData(value), []],
    deserialize: (data: ErrorData) => {
      throw fromData(data);
    },
  } as Comlink.TransferHandler<{ value: unknown }, ErrorData>);
}
