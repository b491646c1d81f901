/** What is told of a long call, and what stops it. Times are in seconds. */

/** A model's files are on their way. `total` is 0 while it is not known. */
export interface DownloadProgress {
  stage: "download";
  /** Which of the two models. */
  model: "encoder" | "crossEncoder";
  /** Bytes here. */
  loaded: number;
  /** Bytes in all. */
  total: number;
}

/** How far a stage of the engine is. */
export interface StageProgress {
  stage: "read" | "load" | "self-test" | "encode" | "search" | "score" | "tune" | "evaluate" | "artifact";
  /** Items finished, those found in the store included. Of a file that is read: bytes of its text. */
  done: number;
  /** Items in all. */
  total: number;
  /** Items found in the store, which took no time. */
  cached: number;
  /** Items a second, without the cached ones; 0 before the first is done. */
  perSecond: number;
  /** Estimated time to the end of the stage, in seconds; none before the first item is done. */
  secondsLeft?: number | null;
  /** Training loss, in the `tune` stage. */
  loss?: number | null;
}

/** What `onProgress` receives, at most some ten times a second per stage. */
export type Progress = DownloadProgress | StageProgress;

/** What every long call takes. */
export interface Watch {
  /** Receives progress. */
  onProgress?: (progress: Progress) => void;
  /** Stops the call between batches; the promise is then rejected with the signal's reason. */
  signal?: AbortSignal;
}
