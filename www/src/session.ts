/** The package's session, opened when it is first needed and anew after it failed. */

import { signal } from "@preact/signals";
import { open, QuerytuneError, type Session } from "querytune";
import address from "querytune/querytune.wasm?url";
import { controlled } from "./offline.js";

/** What is worth knowing but stopped nothing. */
export const notices = signal<string[]>([]);

/** Adds a notice, once. */
export function tell(message: string): void {
  if (!notices.value.includes(message)) notices.value = [...notices.value, message];
}

/** Why the last session that failed was given up: what was made in it is gone. */
export const ended = signal<{ reason: unknown } | undefined>(undefined);

let current: Promise<Session> | undefined;
let opened = 0;

/** The session's number; what was read in an earlier one has to be read again. */
export function generation(): number {
  return opened;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** The engine, fetched once and by the page: its workers may not connect to anything. */
function engine(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compileStreaming(fetch(address)).catch(async () => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`The engine could not be fetched: the server answered ${response.status}.`);
    return WebAssembly.compile(await response.arrayBuffer());
  });
  compiled.catch(() => {
    compiled = undefined;
  });
  return compiled;
}

export function session(): Promise<Session> {
  if (!current) {
    opened += 1;
    current = begin();
    current.catch(() => {
      current = undefined;
    });
  }
  return current;
}

async function begin(): Promise<Session> {
  const [wasm] = await Promise.all([engine(), controlled()]);
  return open({ wasm, onWarning: tell });
}

/** Ends the session with all it holds; the next call opens another. */
export function endSession(reason: unknown): void {
  current?.then((session) => session.dispose()).catch(() => {});
  current = undefined;
  broken = undefined;
  ended.value = { reason };
}

/** Whether a session has failed by this, with all that was made in it. */
export function isEnd(error: unknown): boolean {
  return error instanceof QuerytuneError && error.endsSession;
}

/**
 * Whether a new session may do better, though this one goes on: it opens its store and its device anew, and is rid of
 * whatever a defect has left. A device that models cannot be loaded on has failed its test, and would do so again.
 */
function isBroken(error: unknown, isLoading: boolean): boolean {
  if (!(error instanceof QuerytuneError)) return false;
  return ["store", "internal"].includes(error.code) || (error.code === "device-faulty" && !isLoading);
}

/** Why the session is to be ended once nothing that is shown needs it any more. */
let broken: unknown;

/**
 * To be told of every error: a session that failed is given up, one that is broken with the next `renew`. `isLoading`: it
 * came while models were loaded.
 */
export function noteFailure(error: unknown, isLoading = false): void {
  if (isEnd(error)) endSession(error);
  else if (isBroken(error, isLoading)) broken = error;
}

/** Ends a session that is broken; `giveUp` sees to it that nothing that is shown needs it. */
export function renew(giveUp?: () => void): void {
  if (broken === undefined) return;
  giveUp?.();
  endSession(broken);
}
