/** Whether texts are English, which the models that are named at first know alone. */

import { francAll } from "franc-min";

/** Characters of each text that are looked at: titles, and how longer texts begin. Of all together franc reads 2,048. */
const LENGTH = 100;
/** Fewer characters in all tell too little: of the language, and of the script. */
const ENOUGH = { language: 2000, script: 200 };
/**
 * How near English has to be to the nearest language, which has 1. Of 60 texts each, product data in English have .999
 * and more, German, French, Spanish, Italian, Dutch, Portuguese and Polish .981 and less, other scripts 0. Which language
 * it is instead is told wrongly for some (Danish, Finnish), so it is not asked.
 */
const NEAR = 0.99;

/** Whether texts look like English; undefined where there are too few to tell. */
export function isEnglish(texts: readonly string[]): boolean | undefined {
  const text = texts.map((one) => one.slice(0, LENGTH)).join("\n");
  if (text.length < ENOUGH.script) return undefined;
  const found = francAll(text);
  // Numbers, or a script of no language that is known.
  if (found[0]?.[0] === "und") return undefined;
  const english = found.find(([language]) => language === "eng");
  // Another script than that of English.
  if (!english) return false;
  return text.length < ENOUGH.language ? undefined : english[1] >= NEAR;
}
