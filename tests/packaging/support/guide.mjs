// What the package's README and other documents say, for tests that prove it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../scripts/lib/paths.mjs";

const GUIDE = "pkg/README.md";

/** The text of a document, by its path in the clone. */
export const textOf = (path) => readFileSync(join(root, path), "utf8");

export const guide = textOf(GUIDE);

/** All code of a language in a document, by default the guide: `ts`, or nothing where a fence names none. */
export function code(language, path = GUIDE) {
  return [...textOf(path).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
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
