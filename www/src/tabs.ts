/** Follows what other tabs of the page do: their jobs, and what became of them. */

import { effect } from "@preact/signals";
import { busy } from "./job.js";
import { loadJobs } from "./jobs.js";
import { elsewhere, lookElsewhere } from "./locks.js";

/** Between two looks while another tab runs a job: the browser tells nobody that a lock is free. */
const PAUSE = 2000;

async function look(): Promise<void> {
  await lookElsewhere();
  // This tab's own job is newer here than in what is stored.
  if (!busy.value) await loadJobs();
}

/** Looks when the tab is turned to, and from time to time while a job runs in another one. */
export function watchTabs(): void {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void look();
  });
  addEventListener("focus", () => void look());
  let timer: ReturnType<typeof setInterval> | undefined;
  effect(() => {
    const any = elsewhere.value.size > 0;
    if (any && timer === undefined) timer = setInterval(() => void look(), PAUSE);
    if (any || timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
  });
  void look();
}
