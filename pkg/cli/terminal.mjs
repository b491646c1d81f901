// What all commands have in common on a terminal: two kinds of failure, and how time is written.

/** Seconds as a person reads them: `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`. */
export function duration(seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** A failure that the person in front of the screen can do something about: shown without a stack trace. */
export class Failure extends Error {
  name = "Failure";
}

/** A command line that makes no sense. */
export class UsageError extends Error {
  name = "UsageError";
}

/** What went wrong, as lines for a person; of what nobody foresaw, with the stack. */
export function explain(error) {
  if (error instanceof Failure || error instanceof UsageError) return error.message;
  if (!error?.code) return String(error?.stack ?? error);
  const { file, line, column } = error.position ?? {};
  const place = file
    ? ` at ${[file, line > 0 && `line ${line}`, column > 0 && `column ${column}`].filter(Boolean).join(", ")}`
    : "";
  return `${error.message} [${error.code}${place}]`;
}
