/** How fast this device is, measured on the person's own texts; and what that makes of a whole job. */

import { signal } from "@preact/signals";
import type { DeviceChoice, EngineInfo, Report, Texts, Tuner } from "querytune";
import { spread } from "./sample.js";

const KEY = "querytune.speed";

/** What was chosen when it was measured. */
export interface Circumstances {
  device: DeviceChoice;
  /** The names of both models. */
  models: string;
  /** Characters of a query and a document that are read, on average. */
  length: number;
  /** Fingerprint of the files. */
  files: string;
}

export interface Speed {
  /** What was measured: device and models. */
  device: string;
  kind: "cpu" | "webgpu";
  of: Circumstances;
  pairsPerSecond: number;
  textsPerSecond: number;
  /** That share the work; absent in what earlier versions of the page kept. */
  threads?: number;
  /** Of the models' files. */
  bytes: number;
  /** Seconds that training took for a query; absent before the first job. */
  tunePerQuery?: number;
  /** Milliseconds since 1970. */
  at: number;
  /** Whether a whole job was measured, and not a few pairs. */
  job: boolean;
}

export const speed = signal<Speed | undefined>(recall());

function recall(): Speed | undefined {
  try {
    const found: Speed | null = JSON.parse(localStorage.getItem(KEY) ?? "null");
    // Earlier versions of the page did not keep what it was measured on.
    return found?.of ? found : undefined;
  } catch {
    return undefined;
  }
}

function note(measured: Speed): void {
  speed.value = measured;
  try {
    localStorage.setItem(KEY, JSON.stringify(measured));
  } catch {
    // It is measured again the next time.
  }
}

export function forgetSpeed(): void {
  speed.value = undefined;
  try {
    localStorage.removeItem(KEY);
  } catch {
    // There is nothing.
  }
}

/** Texts of other lengths take another time; within this factor they count as equally long. */
const ALIKE = 1.25;

/** Why a measurement does not hold for what is chosen, if it does not. */
export function unlike({ kind, of }: Speed, now: Circumstances): "device" | "models" | "texts" | undefined {
  // What was chosen by itself is the same when it is asked for; and what is chosen by itself where there is no choice.
  const automatic = kind === "webgpu" || !("gpu" in navigator) ? kind : undefined;
  if (of.device !== now.device && kind !== (now.device === "auto" ? automatic : now.device)) return "device";
  if (of.models !== now.models) return "models";
  if (of.files !== "" && of.files === now.files) return undefined;
  const [shorter, longer] = [Math.min(of.length, now.length), Math.max(of.length, now.length)];
  return longer > ALIKE * shorter ? "texts" : undefined;
}

function described({ device, models }: Pick<EngineInfo, "device" | "models">): string {
  const kind = device.kind === "webgpu" ? ["WebGPU", device.adapter, device.dtype].filter(Boolean).join(", ") : "CPU";
  return `${kind}: ${models.encoder.id}, ${models.crossEncoder?.id}`;
}

/** Pairs in a batch, so many that workers get a share each. */
const BATCH = 32;
/** The first batches compile and wait for workers that are still starting. */
const SECONDS = 5;
const LEAST = 3;

/** Scores pairs of the given texts for some seconds, and encodes some; the fastest batch counts. */
export async function measureTuner(
  tuner: Tuner,
  queries: Texts,
  documents: Texts,
  bytes: number,
  of: Circumstances,
  signal: AbortSignal,
): Promise<void> {
  const [some, others] = await Promise.all([
    queries.items(0, Math.min(BATCH, queries.length)),
    spread(documents, 2 * BATCH),
  ]);
  const rates = { pairs: 0, texts: 0 };
  const timed = async (kind: "pairs" | "texts", items: number, work: () => Promise<unknown>) => {
    const from = performance.now();
    await work();
    rates[kind] = Math.max(rates[kind], (1000 * items) / Math.max(1, performance.now() - from));
  };
  const until = performance.now() + 1000 * SECONDS;
  for (let batch = 0; batch < LEAST || performance.now() < until; batch++) {
    const pairs = Array.from({ length: BATCH }, (_, i): [string, string] => [
      some[(batch + i) % some.length]?.text ?? "",
      others[(batch * BATCH + i) % others.length]?.text ?? "",
    ]);
    await timed("pairs", BATCH, () => tuner.score(pairs, { signal }));
  }
  const texts = others.map((item) => item.text);
  for (let batch = 0; batch < 2; batch++) await timed("texts", texts.length, () => tuner.embed(texts, { signal }));
  const { device, models, threads } = tuner.info;
  const name = described({ device, models });
  const tunePerQuery = speed.value?.device === name ? speed.value.tunePerQuery : undefined;
  const measured = { pairsPerSecond: rates.pairs, textsPerSecond: rates.texts };
  note({ ...measured, device: name, kind: device.kind, of, threads, bytes, tunePerQuery, at: Date.now(), job: false });
}

/** Takes the speed of a whole job, which is nearer to the next one's than a few pairs are. */
export function noteSpeed(info: EngineInfo, report: Report, bytes: number, of: Circumstances): void {
  const { score, encode, tune } = report.stages;
  const fresh = score.pairs - score.cached;
  // Too few to tell anything.
  if (fresh < 4 * BATCH || !(score.perSecond > 0)) return;
  const device = described(info);
  const before = speed.value?.device === device ? speed.value : undefined;
  note({
    device,
    kind: info.device.kind,
    of,
    pairsPerSecond: score.perSecond,
    textsPerSecond: encode.perSecond > 0 ? encode.perSecond : (before?.textsPerSecond ?? 10 * score.perSecond),
    threads: info.threads,
    bytes: bytes || (before?.bytes ?? 0),
    // LoRA's training says nothing of a head's.
    tunePerQuery: report.fit.method === "lora" ? before?.tunePerQuery : tune.seconds / Math.max(1, report.data.queries),
    at: Date.now(),
    job: true,
  });
}

/** Seconds of a job, without training where no job has shown how long that takes. */
export function estimate(of: Speed, texts: number, queries: number, pairs: number): number {
  return texts / of.textsPerSecond + pairs / of.pairsPerSecond + queries * (of.tunePerQuery ?? 0);
}

/** Candidates of each query that can be scored in so many seconds, where of each query `besides` others are, too. */
export function depthWithin(of: Speed, seconds: number, texts: number, queries: number, besides = 0): number {
  const left = seconds - estimate(of, texts, queries, besides * queries);
  return Math.max(0, Math.floor((left * of.pairsPerSecond) / queries));
}

/**
 * The tab's own, and each thread's: as measured with models whose files have 127 MB, and 970 MB before linear layers took
 * 7/4 of what they did, which is added.
 */
const TAB = 321e6;
const thread = (models: number) => Math.max(211e6, 3.5 * models - 180e6);

/**
 * Bytes that a job takes at its peak, roughly, after docs/performance.md: every thread has the models in its memory, a
 * large vocabulary as a tree besides, and while it starts their files. Besides there are vectors of 384 numbers, and the
 * texts of the person's own files. Two digits of it mean something.
 */
export function memory({ bytes, threads = 1 }: Speed, texts: number, fileBytes: number): number {
  const vectors = texts * 384 * 4;
  return Number((TAB + threads * thread(bytes) + 2 * vectors + 3 * fileBytes).toPrecision(2));
}
