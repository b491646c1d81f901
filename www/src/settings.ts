/** Which device and which models. */

import { computed, signal } from "@preact/signals";
import type { DeviceChoice, ModelSource } from "querytune";

export const device = signal<DeviceChoice>("auto");

export type Place = "server" | "hub" | "folder";
export const place = signal<Place>("hub");

export const SERVED = { encoder: "all-MiniLM-L6-v2", crossEncoder: "ms-marco-MiniLM-L-12-v2" };
/** Whether the server has the models beside the page; undefined until it has answered. */
export const served = signal<boolean | undefined>(undefined);

export const hub = {
  encoder: signal("sentence-transformers/all-MiniLM-L6-v2"),
  crossEncoder: signal("cross-encoder/ms-marco-MiniLM-L-12-v2"),
};

export const folder = {
  encoder: signal<File[]>([]),
  crossEncoder: signal<File[]>([]),
};

/** The two sources, as `load` takes them; undefined while a folder is not chosen. */
export const models = computed<{ encoder: ModelSource; crossEncoder: ModelSource } | undefined>(() => {
  switch (place.value) {
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

async function serves(name: string): Promise<boolean> {
  try {
    const response = await fetch(`models/${name}/config.json`, { method: "HEAD" });
    return response.ok && !response.headers.get("content-type")?.includes("text/html");
  } catch {
    return false;
  }
}

/** Asks the server whether it has the models, and takes them if so. */
export async function lookForServed(): Promise<void> {
  const [encoder, crossEncoder] = await Promise.all([serves(SERVED.encoder), serves(SERVED.crossEncoder)]);
  served.value = encoder && crossEncoder;
  if (served.value) place.value = "server";
}
