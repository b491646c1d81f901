// Running other programs: with their output shown, or captured, always with a time limit where one is given.
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** A command that failed: its exit code and the end of what it printed. */
export class CommandError extends Error {
  constructor(program, args, code, { output = "", shown = false, timedOut = false } = {}) {
    const how = timedOut ? "took too long and was stopped" : `ended with ${code}`;
    const end = shown ? "" : output.trim().split("\n").slice(-15).join("\n");
    super(`${[program, ...args].join(" ")} ${how}.${end && `\n${end}`}`);
    this.name = "CommandError";
    this.code = code;
    this.output = output;
    this.timedOut = timedOut;
  }
}

/**
 * Runs a program and resolves to what it printed; rejects with a `CommandError` if it fails.
 * `show`: its output goes to the terminal as well; then a program gets the terminal for itself, and nothing is
 * returned, unless `keep` is set. `timeout`: seconds. Of long outputs the end is kept, as much as `most` characters.
 */
export function run(
  program,
  args = [],
  { cwd, env, show = false, keep = false, most = 200_000, timeout, signal, uid, gid } = {},
) {
  return new Promise((resolve, reject) => {
    // On a terminal a program that is shown gets it for itself, and so may draw its progress bar.
    const owned = show && !keep && process.stdout.isTTY;
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: owned ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
      signal,
      uid,
      gid,
      // npm and its kind are .cmd files on Windows.
      shell: process.platform === "win32",
    });
    let output = "";
    let timedOut = false;
    const take = (stream) => (chunk) => {
      output = (output + chunk).slice(-most);
      if (show) stream.write(chunk);
    };
    child.stdout?.on("data", take(process.stdout));
    child.stderr?.on("data", take(process.stderr));
    const clock =
      timeout &&
      setTimeout(() => {
        timedOut = true;
        child.kill("SIGKILL");
      }, timeout * 1000);
    child.on("error", (error) => {
      clearTimeout(clock);
      if (error.name === "AbortError") reject(error);
      else reject(new CommandError(program, args, error.code ?? "an error", { output: error.message }));
    });
    child.on("close", (code, killed) => {
      clearTimeout(clock);
      if (code === 0) resolve(output);
      else reject(new CommandError(program, args, code ?? killed, { output, shown: show, timedOut }));
    });
  });
}

/** What a program printed, or undefined if it failed or is not there. */
export async function capture(program, args, options) {
  try {
    return (await run(program, args, options)).trim();
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/** The path of a program that is installed, or undefined. */
export function which(program) {
  const extensions = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  const folders = isAbsolute(program) ? [""] : (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  for (const folder of folders) {
    for (const extension of extensions) {
      const path = folder ? join(folder, program + extension) : program + extension;
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}
