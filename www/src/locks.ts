/** Which jobs run in which tab: each running job holds a lock of the browser, which goes when its tab does. */

import { signal } from "@preact/signals";

const PREFIX = "querytune-job:";

/** Numbers of the jobs that run in other tabs, as of the last look. */
export const elsewhere = signal<ReadonlySet<string>>(new Set());

/** The locks that this tab holds, and what gives them back. */
const own = new Map<string, () => void>();

/** The locks that are held; none where the browser has none, or, as in some private windows, none that can be used. */
async function heldLocks(): Promise<LockInfo[]> {
  try {
    return (await navigator.locks?.query())?.held ?? [];
  } catch {
    return [];
  }
}

/** Looks which jobs run in other tabs. */
export async function lookElsewhere(): Promise<ReadonlySet<string>> {
  const held = await heldLocks();
  const ids = held.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []));
  const others = ids.filter((id) => !own.has(id)).sort();
  const known = elsewhere.peek();
  if (others.length !== known.size || others.some((id) => !known.has(id))) elsewhere.value = new Set(others);
  return elsewhere.peek();
}

/** Whether this tab runs a job. */
export const isHeldHere = (id: string) => own.has(id);

/** Numbers of the jobs that run, in this tab or in another one. */
export async function heldJobs(): Promise<string[]> {
  const others = await lookElsewhere();
  return [...own.keys(), ...others];
}

/** Holds a job for this tab; false if another tab runs it. */
export function holdJob(id: string): Promise<boolean> {
  own.set(id, () => {});
  const { locks } = navigator;
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const request = locks.request(PREFIX + id, { ifAvailable: true }, (lock) => {
      if (!lock) {
        own.delete(id);
        resolve(false);
        return undefined;
      }
      return new Promise<void>((release) => {
        own.set(id, release);
        resolve(true);
      });
    });
    // Some private windows have locks that cannot be used.
    request.catch(() => resolve(true));
  });
}

/** Lets other tabs have it. */
export function releaseJob(id: string): void {
  own.get(id)?.();
  own.delete(id);
}

/** For what cannot be done while a job runs in another tab. */
export async function refuseElsewhere(): Promise<void> {
  if ((await lookElsewhere()).size === 0) return;
  throw new Error("A job is running in another tab of this page. Cancel it there first, or wait for its end.");
}
