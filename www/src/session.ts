/** The package's session, opened when it is first needed and anew after it failed. */

import { signal } from "@preact/signals";
import { open, QuerytuneError, type Session } from "querytune";

/** What is worth knowing but stopped nothing. */
export const notices = signal<string[]>([]);

let current: Promise<Session> | undefined;
let opened = 0;

/** The session's number; what was read in an earlier one has to be read again. */
export function generation(): number {
  return opened;
}

export function session(): Promise<Session> {
  if (!current) {
    opened += 1;
    current = open({
      onWarning: (message) => {
        if (!notices.value.includes(message)) notices.value = [...notices.value, message];
      },
    });
    current.catch(() => {
      current = undefined;
    });
  }
  return current;
}

/** To be told of every error: a session that failed is given up. */
export function noteFailure(error: unknown): void {
  if (!(error instanceof QuerytuneError) || (error.code !== "internal" && error.code !== "disposed")) return;
  current?.then((session) => session.dispose()).catch(() => {});
  current = undefined;
}
