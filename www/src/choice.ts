/** What is chosen just now, and whether a result is of it. */

import { computed } from "@preact/signals";
import type { ReadOptions } from "querytune";
import { PLACES, type Place, slots } from "./data.js";
import { modelsOf, type Settings, settings } from "./settings.js";

/** The files, how they are read, and all that a job is done with. */
export interface Choice {
  files: Partial<Record<Place, File>>;
  settings: Settings;
}

export const chosen = computed<Choice>(() => {
  const files: Choice["files"] = {};
  const reading: Record<string, ReadOptions> = {};
  for (const place of PLACES) {
    const file = slots[place].file.value;
    if (file) files[place] = file;
    reading[place] = slots[place].options.value;
  }
  return { files, settings: settings(reading) };
});

/** The names of its queries and documents, and of the earlier run that it goes on from. */
export function named({ files }: Choice): string {
  const earlier = files.previous ? `, going on from ${files.previous.name}` : "";
  return `${files.queries?.name} and ${files.documents?.name}${earlier}`;
}

/** A file that is chosen anew is another object. */
function isSame(one: File | undefined, other: File | undefined): boolean {
  return (
    one === other ||
    (one?.name === other?.name && one?.size === other?.size && one?.lastModified === other?.lastModified)
  );
}

/** How the two differ, if they do; other files weigh more. */
export function difference(one: Choice, other: Choice): "files" | "settings" | undefined {
  if (!PLACES.every((place) => isSame(one.files[place], other.files[place]))) return "files";
  return key(one.settings) === key(other.settings) ? undefined : "settings";
}

function key(of: Settings): string {
  const { device, candidates, depth, bm25, minutes, method } = of;
  const reading = PLACES.map((place) => of.reading[place] ?? {});
  return JSON.stringify([device, modelsOf(of), candidates, depth, bm25, minutes, method, reading]);
}
