/** The one error class, and what a cancelled call throws. */

import type { Run } from "./types.js";

/** A place in an input file. */
export interface Position {
  file: string;
  /** Counted from 1; 0 where the whole file is meant. */
  line: number;
  /** A field's number in delimited text, a character's in JSON, counted from 1; 0 where the whole line is meant. */
  column: number;
}

/** The kinds of failure. New ones may be added. */
export type ErrorCode =
  | "input-empty"
  | "input-binary"
  | "input-encoding"
  | "input-syntax"
  | "input-column"
  | "input-qrels"
  | "input-unreadable"
  | "model-file-missing"
  | "model-config"
  | "model-weights"
  | "model-shape"
  | "model-tokenizer"
  | "model-download"
  | "model-integrity"
  | "artifact"
  | "device-unavailable"
  | "device-faulty"
  | "option"
  | "store"
  | "disposed"
  | "internal";

/** What went wrong, in words that say what to do; `code` is for programs and stable. */
export class QuerytuneError extends Error {
  override readonly name = "QuerytuneError";
  readonly code: ErrorCode;
  /** Where, if the error is about an input file. */
  readonly position: Position | undefined;
  /** Whether the session is at its end with this, and all that was made in it: only a new one helps. */
  readonly endsSession: boolean;
  /**
   * Only of a `fit` whose training went well and whose comparison by judgements failed, as where they name none of its
   * queries or documents (`input-qrels`): the run, which can be used. `run.evaluate` compares again; `run.dispose` frees it.
   */
  declare run?: Run;

  constructor(
    code: ErrorCode,
    message: string,
    options: { position?: Position; cause?: unknown; endsSession?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.position = options.position;
    this.endsSession = options.endsSession ?? false;
  }
}

/**
 * Whether a call ended because its signal was aborted: by `abort()`, or by `AbortSignal.timeout`. With the call's `signal`
 * also where that was aborted with a reason of its own.
 */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  const timedOut = error instanceof DOMException && error.name === "TimeoutError";
  return isCancelled(error) || timedOut || (signal?.aborted === true && error === signal.reason);
}

/** Whether this package's own work was cancelled, whatever the signal's reason. */
export function isCancelled(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** Whatever the engine threw, as one of this package's errors. */
export function fromEngine(thrown: unknown): Error {
  if (thrown instanceof QuerytuneError || isCancelled(thrown)) return thrown as Error;
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") {
    if (thrown.code === "cancelled") return new DOMException(thrown.message, "AbortError");
    const position = "position" in thrown ? (thrown.position as Position | undefined) : undefined;
    return new QuerytuneError(thrown.code as ErrorCode, thrown.message, { position, cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  // Only a trap ends the engine.
  const stopped = thrown instanceof WebAssembly.RuntimeError;
  return new QuerytuneError(
    "internal",
    stopped
      ? `The engine stopped: ${message}. Start again in a new session; what was scored is kept.`
      : `The call failed: ${message}. The session can still be used.`,
    { cause: thrown, endsSession: stopped },
  );
}

/** An error as plain data, to cross from a worker. */
export interface ErrorData {
  name: string;
  code?: ErrorCode;
  message: string;
  position?: Position;
  endsSession?: boolean;
}

export function toData(thrown: unknown): ErrorData {
  const error = fromEngine(thrown);
  if (error instanceof QuerytuneError) {
    const { name, code, message, position, endsSession } = error;
    return { name, code, message, position, endsSession };
  }
  return { name: error.name, message: error.message };
}

export function fromData(data: ErrorData): Error {
  const { name, code, message, position, endsSession } = data;
  if (code === undefined) return new DOMException(message, name);
  return new QuerytuneError(code, message, { position, endsSession });
}
