/** Progress as it is told to whoever watches a call. */

import type { Progress } from "./types.js";

/** Tells it. What the listener throws does not end the work: it is heard of as if the page had called the function. */
export function report<P extends Progress>(onProgress: ((progress: P) => void) | undefined, progress: P): void {
  try {
    onProgress?.(progress);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
