// npm packages: installed exactly as locked, and left alone where they already are.
import { join } from "node:path";
import { run } from "./command.mjs";
import { readJson } from "./hash.mjs";
import { root } from "./paths.mjs";
import { step } from "./terminal.mjs";

/** Whether node_modules holds the locked versions. */
function upToDate() {
  const locked = readJson(join(root, "package-lock.json"))?.packages;
  const found = readJson(join(root, "node_modules", ".package-lock.json"))?.packages;
  if (!locked || !found) return false;
  return Object.entries(locked).every(([path, wanted]) => {
    // Workspaces are links; packages for other systems are optional.
    if (!path.includes("node_modules") || wanted.link || wanted.optional || wanted.peer) return true;
    return found[path]?.version === wanted.version;
  });
}

export async function prepareNpm() {
  if (upToDate()) return;
  await step("npm packages (npm ci)", () => run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root }));
}
