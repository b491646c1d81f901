// System packages on Debian and its relatives; elsewhere the person is told what to install.
import { existsSync } from "node:fs";
import { capture, run, which } from "./command.mjs";
import { say, step } from "./terminal.mjs";

/** How to become root, or undefined. */
async function elevate() {
  if (process.getuid?.() === 0) return [];
  if (!which("sudo")) return undefined;
  if ((await capture("sudo", ["-n", "true"])) !== undefined) return ["sudo", "-n"];
  return undefined;
}

async function missing(packages) {
  const found = [];
  for (const name of packages) {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of dpkg.
    const status = await capture("dpkg-query", ["-W", "-f", "${db:Status-Status}", name]);
    if (status !== "installed") found.push(name);
  }
  return found;
}

let updated = false;

/** Installs Debian packages; false if this is no such system, or not allowed, or a package is not known. */
export async function installPackages(packages) {
  if (!existsSync("/usr/bin/apt-get") || !which("dpkg-query")) return false;
  const wanted = await missing(packages);
  if (wanted.length === 0) return true;
  const prefix = await elevate();
  const command = `apt-get install ${wanted.join(" ")}`;
  if (!prefix) {
    say(`  System packages are missing and this user may not install them. As root: ${command}`);
    return false;
  }
  return step(`system packages: ${wanted.join(" ")}`, async () => {
    const apt = (...args) => {
      const [program, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
      return run(program, rest);
    };
    try {
      if (!updated) await apt("update", "-qq");
      updated = true;
      await apt("install", "-y", "-qq", "--no-install-recommends", ...wanted);
      return true;
    } catch (error) {
      say(`  apt-get could not: ${error.output.trim().split("\n").slice(-3).join(" ")}`);
      return false;
    }
  });
}
