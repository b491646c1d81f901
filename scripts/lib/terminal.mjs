// What the scripts say on the terminal: steps with their time, plain sentences for failures.
import { duration, Failure, UsageError } from "../../pkg/cli/terminal.mjs";

export { duration, Failure, UsageError };

const start = performance.now();

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
