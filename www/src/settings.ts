/** What a job is done with: the device, the models, how much is scored, what is trained. */

import { batch, computed, effect, signal } from "@preact/signals";
import type { DeviceChoice, FitOptions, ModelSource, ReadOptions } from "querytune";

export const device = signal<DeviceChoice>("auto");

/** Where the models come from. */
export type Origin = "server" | "hub" | "folder";
export const origin = signal<Origin>("hub");
/** Whether somebody chose it. */
let chosen = false;

export function chooseOrigin(value: Origin): void {
  chosen = true;
  origin.value = value;
}

/** Documents retrieved for each query, and how many of these are scored. */
export const candidates = signal(100);
export const depth = signal(20);
// Only what was retrieved can be scored.
effect(() => {
  if (depth.value > candidates.value) depth.value = candidates.value;
});
/** How many documents BM25 adds for each query; 0 where it is not asked. */
export const bm25 = signal(0);
/** So many where somebody wants some: a part number that is in the log finds its document among the first. */
export const BM25_DOCUMENTS = 10;
/** The time that somebody has, and whether scoring goes on until it is over. */
export const minutes = signal(10);
export const timed = signal(false);
/** What is scored, as `synthesize` takes it. */
export const scoring = () => ({
  candidates: candidates.peek(),
  depth: Math.min(depth.peek(), candidates.peek()),
  bm25: bm25.peek(),
  budgetSeconds: timed.peek() ? 60 * minutes.peek() : undefined,
});

/** What is trained. */
export type Method = NonNullable<FitOptions["method"]>;
export const method = signal<Method>("query-head");
/** Whether the files of a job are kept in this browser until it is finished. */
export const keeping = signal(true);

/** What a job needs besides its files to be done again in the same way. */
export interface Settings {
  device: DeviceChoice;
  origin: Origin;
  hub: { encoder: string; crossEncoder: string };
  /** What tells the chosen folders from others; absent where there are none. */
  folders?: { encoder: string; crossEncoder: string };
  candidates: number;
  depth: number;
  /** Documents of BM25's for each query; absent where there are none. */
  bm25?: number;
  /** Until when scoring goes on after that; absent where it does not. */
  minutes?: number;
  method?: Method;
  /** How the files are read, by what they are. */
  reading: Record<string, ReadOptions>;
}

export function settings(reading: Record<string, ReadOptions>): Settings {
  return {
    device: device.value,
    origin: origin.value,
    hub: { encoder: hub.encoder.value, crossEncoder: hub.crossEncoder.value },
    folders:
      origin.value === "folder"
        ? { encoder: told(folder.encoder.value), crossEncoder: told(folder.crossEncoder.value) }
        : undefined,
    candidates: candidates.value,
    depth: depth.value,
    bm25: bm25.value || undefined,
    minutes: timed.value ? minutes.value : undefined,
    method: method.value,
    reading,
  };
}

/** The name of a folder that was picked; none where the browser gave files without it. */
export const nameOfFolder = (files: File[]) => files[0]?.webkitRelativePath.split("/")[0] ?? "";

/** A folder by its name and the size of its files: their content is not read for this. */
function told(files: File[]): string {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  return `${nameOfFolder(files)}:${bytes}`;
}

const last = (path: string) => path.trim().split("/").at(-1) ?? "";

/** The names of both models, without where they come from. */
export function namesOf({ origin, hub, folders }: Settings): string {
  const { encoder, crossEncoder } = { server: SERVED, hub, folder: folders ?? SERVED }[origin];
  return `${last(encoder)}, ${last(crossEncoder)}`;
}

/** Tells the models of two settings apart. */
export function modelsOf({ origin, hub, folders }: Settings): string {
  const place = { server: undefined, hub, folder: folders }[origin];
  return [origin, place?.encoder.trim(), place?.crossEncoder.trim()].join(" ");
}

export function restore(former: Settings): void {
  batch(() => {
    device.value = former.device;
    chooseOrigin(former.origin);
    nameOnHub(former.hub);
    candidates.value = former.candidates;
    depth.value = former.depth;
    bm25.value = former.bm25 ?? 0;
    timed.value = former.minutes !== undefined;
    minutes.value = former.minutes ?? minutes.value;
    method.value = former.method ?? "query-head";
  });
}

export const SERVED = { encoder: "all-MiniLM-L6-v2", crossEncoder: "ms-marco-MiniLM-L-12-v2" };
/** Whether the server has the models beside the page; undefined until it has answered. */
export const served = signal<boolean | undefined>(undefined);

/** Two that know English, and two that know other languages as well. */
export const ENGLISH = {
  encoder: "sentence-transformers/all-MiniLM-L6-v2",
  crossEncoder: "cross-encoder/ms-marco-MiniLM-L-12-v2",
};
export const MULTILINGUAL = {
  encoder: "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
  crossEncoder: "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1",
};

export const hub = { encoder: signal(ENGLISH.encoder), crossEncoder: signal(ENGLISH.crossEncoder) };

export function nameOnHub(models: { encoder: string; crossEncoder: string }): void {
  batch(() => {
    hub.encoder.value = models.encoder;
    hub.crossEncoder.value = models.crossEncoder;
  });
}

/** Whether the chosen models are those that know English alone. */
export const knowEnglishAlone = computed(
  () => origin.value === "server" || (origin.value === "hub" && areNamed(ENGLISH)),
);

/** Whether both models on the hub are these. */
export const areNamed = ({ encoder, crossEncoder }: typeof ENGLISH) =>
  hub.encoder.value.trim() === encoder && hub.crossEncoder.value.trim() === crossEncoder;

export const folder = {
  encoder: signal<File[]>([]),
  crossEncoder: signal<File[]>([]),
};

/** The two sources, as `load` takes them; undefined while a folder is not chosen. */
export const models = computed<{ encoder: ModelSource; crossEncoder: ModelSource } | undefined>(() => {
  switch (origin.value) {
    case "server":
      return {
        encoder: new URL(`models/${SERVED.encoder}/`, document.baseURI),
        crossEncoder: new URL(`models/${SERVED.crossEncoder}/`, document.baseURI),
      };
    case "hub":
      return { encoder: hub.encoder.value.trim(), crossEncoder: hub.crossEncoder.value.trim() };
    case "folder": {
      const [encoder, crossEncoder] = [folder.encoder.value, folder.crossEncoder.value];
      return encoder.length > 0 && crossEncoder.length > 0 ? { encoder, crossEncoder } : undefined;
    }
  }
});

/** Remembers that the server had them, for when it cannot be asked. */
const REMEMBERED = "querytune.served";

/** Whether the server has a model; what it last said if it cannot be reached. */
async function serves(name: string): Promise<boolean> {
  let there: boolean;
  try {
    const response = await fetch(`models/${name}/config.json`, { method: "HEAD" });
    there = response.ok && !response.headers.get("content-type")?.includes("text/html");
  } catch {
    return recall(name);
  }
  try {
    localStorage.setItem(`${REMEMBERED}.${name}`, String(there));
  } catch {
    // It is asked again the next time.
  }
  return there;
}

function recall(name: string): boolean {
  try {
    return localStorage.getItem(`${REMEMBERED}.${name}`) === "true";
  } catch {
    return false;
  }
}

/** Asks the server whether it has the models, and takes them if so, unless others are chosen already. */
export async function lookForServed(): Promise<void> {
  const [encoder, crossEncoder] = await Promise.all([serves(SERVED.encoder), serves(SERVED.crossEncoder)]);
  served.value = encoder && crossEncoder;
  if (served.value && !chosen) origin.value = "server";
}
