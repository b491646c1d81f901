/** The stages of a job, and how far each of them is. */

import { batch, computed, signal } from "@preact/signals";
import type { Progress, StageProgress } from "querytune";

export type Stage = Progress["stage"];
export const STAGES: Stage[] = ["download", "load", "self-test", "encode", "search", "score", "tune", "evaluate"];

/** How far a stage is, bytes or items. */
export interface StageState {
  done: number;
  /** 0 while it is not known. */
  total: number;
  cached: number;
  perSecond: number;
  secondsLeft?: number | null;
  loss?: number | null;
  /** What is counted, where it is not the stage's usual thing. */
  unit?: string;
}
export const stages = signal<Partial<Record<Stage, StageState>>>({});
/** Whether there is a score that can be kept. */
export const hasScored = computed(() => (stages.value.score?.done ?? 0) > 0);
export const current = signal<Stage | undefined>(undefined);

/** What the judging of other queries goes through once more. */
const WITHIN_EVALUATION: Partial<Record<Stage, string>> = { encode: "texts", score: "pairs" };

export interface Watcher {
  onProgress: (progress: Progress) => void;
  /** Bytes of the models. */
  bytes: () => number;
}

/** Receives progress; the two models' downloads are added up. */
export function watch(onScore: (stage: StageState) => void = () => {}): Watcher {
  const downloads = { encoder: [0, 0], crossEncoder: [0, 0] };
  const sum = (i: number) => (downloads.encoder[i] ?? 0) + (downloads.crossEncoder[i] ?? 0);
  const began = performance.now();
  const onProgress = (progress: Progress) => {
    let next: StageState;
    let stage = progress.stage;
    if (stages.value.tune && WITHIN_EVALUATION[stage]) {
      next = { ...(progress as StageProgress), unit: WITHIN_EVALUATION[stage] };
      stage = "evaluate";
    } else if (progress.stage === "download") {
      downloads[progress.model] = [progress.loaded, progress.total];
      const isKnown = Object.values(downloads).every(([, total = 0]) => total > 0);
      const [done, total] = [sum(0), isKnown ? sum(1) : 0];
      const perSecond = (1000 * done) / Math.max(1, performance.now() - began);
      next = { done, total, cached: 0, perSecond, secondsLeft: Math.max(0, total - done) / perSecond };
    } else {
      next = progress;
    }
    batch(() => {
      current.value = stage;
      stages.value = { ...stages.value, [stage]: next };
    });
    if (stage === "score") onScore(next);
  };
  return { onProgress, bytes: () => sum(0) };
}
