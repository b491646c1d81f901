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
  ended.value = { reason };
}

/** Whether a session has failed by this, with all that was made in it. */
export function isEnd(error: unknown): boolean {
  return error instanceof QuerytuneError && error.endsSession;
}

/** To be told of every error: a session that failed is given up. */
export function noteFailure(error: unknown): void {
  if (isEnd(error)) endSession(error);
}
