/** Some texts that stand for all of a file. */

import type { TextItem, Texts } from "querytune";

/** Texts from all over a file: the first may be shorter than the rest. */
export async function spread(texts: Texts, wanted: number): Promise<TextItem[]> {
  const parts = Math.min(8, Math.ceil(texts.length / 8));
  const each = Math.min(Math.ceil(wanted / parts), Math.floor(texts.length / parts));
  const step = texts.length / parts;
  const found = await Promise.all(
    Array.from({ length: parts }, (_, i) => texts.items(Math.floor(i * step), Math.max(1, each))),
  );
  return found.flat();
}

const SAMPLE = 64;
/** Models read no further than some hundred tokens. */
const READ = 2000;

/** Some texts from all over a file, for what is told of all. */
export async function sampled(texts: Texts): Promise<string[]> {
  return (await spread(texts, SAMPLE)).map(({ text }) => text);
}

/** How many characters of a text are read, on average. */
export function meanLength(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Math.min(READ, text.length), 0) / Math.max(1, texts.length);
}
