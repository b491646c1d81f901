/** The service worker, which keeps the page itself for use without a network. The models are kept by the package. */

import { signal } from "@preact/signals";

/** Whether the page opens without a network. */
export const offline = signal(false);

/** Where the page lies, which its service worker is registered for. Other copies of it may be on the same server. */
const scope = () => new URL(".", document.baseURI);

/** Whether a cache is of the page itself. The service worker names it; no path has a space in it. */
export const isShell = (cache: string) => cache.startsWith(`querytune-shell-${scope().pathname} `);

/** Starts keeping the page, in what is built. */
export async function keepPage(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(new URL("sw.js", document.baseURI));
    await navigator.serviceWorker.ready;
    offline.value = true;
  } catch {
    // Insecure origins and some private windows have none: the page works while the network does.
  }
}

/** Stops keeping the page; the next visit begins anew. */
export async function dropPage(): Promise<void> {
  offline.value = false;
  const found = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  const own = found.filter((registration) => registration.scope === scope().href);
  await Promise.all(own.map((registration) => registration.unregister()));
  const names = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(names.filter(isShell).map((name) => caches.delete(name)));
}

/**
 * Whether the engine's workers came through the service worker: else their requests are not counted, and they have a
 * policy of their own only if the server sends one. Undefined before there are any.
 */
export const supervised = signal<boolean | undefined>(undefined);

/**
 * Resolves when worker scripts come through the service worker, which gives them a policy without connections where
 * the server sends none; after a while in any case.
 */
export async function controlled(patience = 3000): Promise<void> {
  const worker = import.meta.env.PROD ? navigator.serviceWorker : undefined;
  if (worker && !worker.controller) {
    await new Promise<void>((resolve) => {
      worker.addEventListener("controllerchange", () => resolve(), { once: true });
      setTimeout(resolve, patience);
    });
  }
  supervised.value = Boolean(worker?.controller);
}
