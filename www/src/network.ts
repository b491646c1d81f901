/** What goes over the network: nothing any more once the models are there, and a count that shows it. */

import { signal } from "@preact/signals";

/** Whether the browser refuses the page all that `SECOND_POLICY` does not name, until it is loaded anew. */
export const closed = signal(false);
/** Requests that left this page since then. */
export const requests = signal(0);
/** Attempts since then that the browser refused. */
export const refused = signal(0);

/** A message of the service worker: it passes a request on to the network. */
export const PASSED_ON = "querytune:request";

/**
 * What the page may still load: the script of a worker, from its own server, as an engine that failed is started anew;
 * compiled code, and images that are part of the page.
 */
export const SECOND_POLICY =
  "default-src 'none'; connect-src 'none'; script-src 'wasm-unsafe-eval'; worker-src 'self'; img-src data:";

/**
 * Adds that policy to the page's own; of two the stricter one counts, and it cannot be taken back before the page is
 * loaded anew.
 */
export function closeConnections(): void {
  if (closed.value) return;
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = SECOND_POLICY;
  document.head.append(policy);
  closed.value = true;
  requests.value = 0;
  refused.value = 0;
}

/** Begins to count. */
export function watchNetwork(): void {
  document.addEventListener("securitypolicyviolation", () => {
    if (closed.value) refused.value += 1;
  });
  const worker = navigator.serviceWorker;
  // Through the service worker go the requests of workers, too.
  worker?.addEventListener("message", ({ data }) => {
    if (closed.value && data?.type === PASSED_ON) requests.value += 1;
  });
  if (typeof PerformanceObserver === "undefined") return;
  const observer = new PerformanceObserver((list) => {
    if (!closed.value || worker?.controller) return;
    const left = list.getEntries().filter((entry) => /^https?:/.test(entry.name));
    requests.value += left.length;
  });
  observer.observe({ type: "resource" });
}
