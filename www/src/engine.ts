/** The engine with the chosen models in it. */

import { signal } from "@preact/signals";
import { type EngineInfo, QuerytuneError, type Tuner } from "querytune";
import { chosen } from "./choice.js";
import { closeConnections, closed } from "./network.js";
import type { Watcher } from "./progress.js";
import { generation, session } from "./session.js";
import { device, folder, models, modelsOf, origin } from "./settings.js";

/** Models in the engine. */
export interface Loaded {
  tuner: Tuner;
  key: unknown[];
  /** Of both models' files. */
  bytes: number;
}

/** What runs, and why. */
export const info = signal<EngineInfo | undefined>(undefined);

/** What the next job runs with, unless others are chosen. */
let loaded: Loaded | undefined;

/** Folders tell by themselves that they were picked anew. */
const picked = () => (origin.value === "folder" ? [folder.encoder.value, folder.crossEncoder.value] : []);

/** Loads the chosen models, unless they are there; `shown` are those of the result that is shown, which needs them. */
export async function loadChosen(
  { onProgress, bytes }: Watcher,
  signal: AbortSignal,
  shown: Loaded | undefined,
): Promise<Loaded> {
  const sources = models.value;
  if (!sources) throw new Error("Choose the folders of both models first.");
  const opened = await session();
  const key = [generation(), device.value, modelsOf(chosen.value.settings), ...picked()];
  const there = [loaded, shown].find((one) => one && key.every((part, i) => part === one.key[i]));
  // Others may be measured while a result is shown.
  if (loaded !== there && loaded !== shown) loaded?.tuner.dispose();
  loaded = there;
  if (loaded) {
    info.value = loaded.tuner.info;
    return loaded;
  }
  info.value = undefined;
  const made = await opened.load({ ...sources, device: device.value, onProgress, signal }).catch((thrown) => {
    if (!closed.value || !(thrown instanceof QuerytuneError) || thrown.code !== "model-download") throw thrown;
    throw new Error(
      "Since its first models came the browser refuses this page every connection. Load it anew to fetch other " +
        "models; what is scored is kept.",
      { cause: thrown },
    );
  });
  // From here on nothing has to be fetched.
  closeConnections();
  // Nothing of a folder is downloaded.
  const picks = picked().flat();
  const size = picks.length > 0 ? picks.reduce((sum, file) => sum + file.size, 0) : bytes();
  loaded = { tuner: made, key, bytes: size };
  info.value = made.info;
  return loaded;
}

/** Gives up models that were shown with a result, unless the next job runs with them. */
export function giveUp(shown: Loaded): void {
  if (shown !== loaded) shown.tuner.dispose();
}
