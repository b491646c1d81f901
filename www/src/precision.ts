/** In which numbers the models compute: what is kept of vectors and scores is kept by it. */

import type { EngineInfo } from "querytune";
import type { Job } from "./database.js";
import type { Settings } from "./settings.js";

type Dtype = EngineInfo["device"]["dtype"];

/** What each kind of device computes in, as the page asks for nothing else. */
const USUAL: Record<EngineInfo["device"]["kind"], Dtype> = { cpu: "int16", webgpu: "fp32" };

/** What a choice comes to; undefined where the engine chooses once the models are loaded. */
function expected(choice: Settings["device"]): Dtype | undefined {
  if (choice !== "auto") return USUAL[choice];
  return "gpu" in navigator ? undefined : USUAL.cpu;
}

/** What a job computed in. Earlier versions of the page did not note it: then report or device tell, if anything. */
function noted({ dtype, report, settings }: Pick<Job, "dtype" | "report" | "settings">): Dtype | undefined {
  return dtype ?? report?.device.dtype ?? expected(settings.device);
}

/** Whether a job's vectors and scores are of use for what is chosen. The same choice comes to the same device. */
export function isAsPrecise(job: Pick<Job, "dtype" | "report" | "settings">, now: Settings): boolean {
  const [then, next] = [noted(job), expected(now.device)];
  return then && next ? then === next : job.settings.device === now.device;
}
