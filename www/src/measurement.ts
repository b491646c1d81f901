/** How fast this device is, measured on the person's own texts; and what that makes of a whole job. */

import { signal } from "@preact/signals";
import type { EngineInfo, Report, Texts, Tuner } from "querytune";

const KEY = "querytune.speed";

export interface Speed {
  /** What was measured: device and models. */
  device: string;
  pairsPerSecond: number;
  textsPerSecond: number;
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
    return JSON.parse(localStorage.getItem(KEY) ?? "null") ?? undefined;
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

function described({ device, models }: Pick<EngineInfo, "device" | "models">): string {
  const kind = device.kind === "webgpu" ? ["WebGPU", device.adapter].filter(Boolean).join(", ") : "CPU";
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
  const { device, models } = tuner.info;
  const name = described({ device, models });
  const tunePerQuery = speed.value?.device === name ? speed.value.tunePerQuery : undefined;
  const measured = { pairsPerSecond: rates.pairs, textsPerSecond: rates.texts };
  note({ ...measured, device: name, bytes, tunePerQuery, at: Date.now(), job: false });
}

/** Texts from all over a file: the first may be shorter than the rest. */
async function spread(texts: Texts, wanted: number) {
  const parts = Math.min(8, Math.ceil(texts.length / 8));
  const each = Math.min(Math.ceil(wanted / parts), Math.floor(texts.length / parts));
  const step = texts.length / parts;
  const found = await Promise.all(
    Array.from({ length: parts }, (_, i) => texts.items(Math.floor(i * step), Math.max(1, each))),
  );
  return found.flat();
}

/** Takes the speed of a whole job, which is nearer to the next one's than a few pairs are. */
export function noteSpeed(info: EngineInfo, report: Report, bytes: number): void {
  const { score, encode, tune } = report.stages;
  const fresh = score.pairs - score.cached;
  // Too few to tell anything.
  if (fresh < 4 * BATCH || !(score.perSecond > 0)) return;
  note({
    device: described(info),
    pairsPerSecond: score.perSecond,
    textsPerSecond: encode.perSecond > 0 ? encode.perSecond : (speed.value?.textsPerSecond ?? 10 * score.perSecond),
    bytes: bytes || (speed.value?.bytes ?? 0),
    // LoRA's training says nothing of a head's.
    tunePerQuery:
      report.fit.method === "lora" ? speed.value?.tunePerQuery : tune.seconds / Math.max(1, report.data.queries),
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

/** Workers that the engine starts on the CPU. */
function workers(): number {
  const { hardwareConcurrency = 1, deviceMemory = 8 } = navigator as Navigator & { deviceMemory?: number };
  return Math.max(1, Math.min(8, hardwareConcurrency, 2 * deviceMemory));
}

/**
 * Bytes that a job takes, roughly: the models' files while they are loaded, what each worker makes of them (on the CPU
 * three quarters of their size was measured), vectors of 384 numbers, and the files' texts.
 */
export function memory(modelBytes: number, cpu: boolean, texts: number, fileBytes: number): number {
  const vectors = texts * 384 * 4;
  return modelBytes * (1 + (cpu ? 0.75 * workers() : 1)) + 2 * vectors + 3 * fileBytes;
}
