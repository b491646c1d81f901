/** A note of the last job in this browser, so that the page can say that it goes on. The scores are not in it. */

import { signal } from "@preact/signals";

const KEY = "querytune.former-job";

export interface FormerJob {
  /** Of the two files. */
  fingerprint: string;
  scored: number;
  total: number;
  finished: boolean;
}

export const former = signal<FormerJob | undefined>(read());

function read(): FormerJob | undefined {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

export function note(job: FormerJob): void {
  former.value = job;
  try {
    localStorage.setItem(KEY, JSON.stringify(job));
  } catch {
    // Only the announcement is lost, not the scores.
  }
}

/** Tells two pairs of files apart: by content where the browser has the means, else by name and size. */
export async function fingerprint(files: File[]): Promise<string> {
  const parts = await Promise.all(
    files.map(async (file) => {
      if (!globalThis.crypto?.subtle) return `${file.name}:${file.size}`;
      const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
      return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }),
  );
  return parts.join("+");
}
