// Python environments with sentence-transformers: the newest version tested, and the oldest.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, run } from "./command.mjs";
import { cache, root } from "./paths.mjs";
import { Failure, step } from "./terminal.mjs";

/** `on`: whose packages a version takes as far as it has none of its own. */
export const versions = [{ name: "6.2" }, { name: "5.1.2", on: "6.2" }];
/** The libraries that read the data set, with the newest version; the oldest does not go with them. */
export const readers = { name: "readers", on: "6.2" };

export function pythonOf(name) {
  const folder = join(cache, `interop-${name}`);
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

const packagesOf = (name) => capture(pythonOf(name), ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);

async function findPython() {
  for (const program of ["python3", "python"]) {
    const probe = "import sys, venv, ensurepip; assert sys.version_info >= (3, 11)";
    if ((await capture(program, ["-c", probe])) !== undefined) return program;
  }
  throw new Failure("Python 3.11 or newer with venv is needed. Install it and try again.");
}

/** Makes the environment of a version, unless it is there with these very requirements. */
export async function prepareVersion({ name, on }) {
  const folder = join(cache, `interop-${name}`);
  const requirements = join(root, "tests", "interop", `requirements-${name}.txt`);
  const wanted = readFileSync(requirements, "utf8");
  const mark = join(folder, "installed.txt");
  if (existsSync(mark) && readFileSync(mark, "utf8") === wanted) return;
  await step(`Python environment ${name}`, async () => {
    // Other requirements are installed into an environment that is there: torch need not be fetched again.
    if (!existsSync(pythonOf(name))) await run(await findPython(), ["-m", "venv", folder]);
    await run(pythonOf(name), ["-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements]);
    // The other environment's packages come after this one's own: torch is there once.
    if (on) writeFileSync(join(await packagesOf(name), "shared.pth"), `${await packagesOf(on)}\n`);
    writeFileSync(mark, wanted);
  });
}

/** Python with sentence-transformers of that version, or with the readers of the data set, made if need be. */
export async function preparePythonOf(name) {
  const version = [...versions, readers].find((one) => one.name === name);
  if (version.on) await preparePythonOf(version.on);
  await prepareVersion(version);
  return pythonOf(name);
}
