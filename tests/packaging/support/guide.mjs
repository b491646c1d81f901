// What the package's README says, for tests that prove it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../scripts/lib/paths.mjs";

export const guide = readFileSync(join(root, "pkg", "README.md"), "utf8");

/** All code of a language in the guide, such as `ts`. */
export function code(language) {
  return [...guide.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , text]) => text);
}

/** The first code of a language after a line that begins so. */
export function codeAfter(line, language) {
  const from = guide.indexOf(`\n${line}`);
  const found = from >= 0 && new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(guide.slice(from));
  if (!found) throw new Error(`The guide has no ${language} after "${line}".`);
  return found[1];
}
