// What the scripts say on the terminal: steps with their time, plain sentences for failures.

const start = performance.now();

/** Seconds as a person reads them: `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`. */
export function duration(seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Time since the script began, in seconds. */
export function elapsed() {
  return (performance.now() - start) / 1000;
}

export function say(line = "") {
  process.stdout.write(`${line}\n`);
}

/** Does a piece of work and says what it is and how long it took. */
export async function step(title, work) {
  const from = performance.now();
  say(`- ${title} …`);
  const result = await work();
  say(`  ${title}: ${duration((performance.now() - from) / 1000)}`);
  return result;
}

/** A failure that the person in front of the screen can do something about: shown without a stack trace. */
export class Failure extends Error {
  name = "Failure";
}

/** A command line that makes no sense. */
export class UsageError extends Error {
  name = "UsageError";
}

/** Runs a script's main function and turns its failures into messages and exit codes. */
export async function main(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 2;
    } else {
      const known = error instanceof Failure || error.name === "CommandError";
      process.stderr.write(`\n${known ? error.message : (error.stack ?? error)}\n`);
      process.exitCode = 1;
    }
  }
}
