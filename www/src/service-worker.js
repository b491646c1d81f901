// Keeps the page itself, so that it opens without a network. Models are not its business: the package keeps them.
// VERSION and FILES are filled in when the page is built.
const VERSION = "__VERSION__";
const FILES = ["__FILES__"];
/** As far as the server has them. */
const SAMPLE = ["sample/queries.csv", "sample/documents.csv", "sample/qrels.tsv"];
/** Other copies of the page on the same server have caches of their own. No path has a space in it. */
const PREFIX = `querytune-shell-${new URL(self.registration.scope).pathname} `;
const CACHE = `${PREFIX}${VERSION}`;

/** Of the engine's workers: they are handed all they need and connect to nothing. */
const WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'none'";

const address = (path) => new URL(path, self.registration.scope).href;
const kept = new Set(FILES.map(address));

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await Promise.all(FILES.map((path) => add(cache, path)));
      await Promise.allSettled(SAMPLE.map((path) => add(cache, path)));
    })(),
  );
});

async function add(cache, path) {
  // Names in assets/ change with their content.
  const response = await fetch(address(path), { cache: path.startsWith("assets/") ? "default" : "no-cache" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  // A redirected response may not answer a navigation; a copy is none.
  const { body, headers } = response;
  await cache.put(address(path), new Response(body, { headers }));
}

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const others = (await caches.keys()).filter((name) => name !== CACHE);
      await Promise.all(others.map(async (name) => (await isFormer(name)) && caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

/** Whether a cache is of an earlier version of this page. The first ones did not say in their names where they lie. */
async function isFormer(name) {
  if (name.startsWith(PREFIX)) return true;
  if (!/^querytune-shell-[0-9a-f]+$/.test(name)) return false;
  return (await caches.match(address("index.html"), { cacheName: name })) !== undefined;
}

// A page's own notification leads to its page by itself; this one is a service worker's. A phone may have ended the page.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const pages = self.clients.matchAll({ type: "window", includeUncontrolled: true });
  event.waitUntil(pages.then(([page]) => (page ? page.focus() : self.clients.openWindow(address(".")))));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  url.hash = "";
  const own = request.method === "GET" && url.href.startsWith(address("."));
  if (own && request.mode === "navigate") {
    url.search = "";
    if ([address("."), address("index.html")].includes(url.href)) event.respondWith(page(event));
    else if (kept.has(url.href)) event.respondWith(file(url.href, event));
  } else if (own && request.destination === "worker") event.respondWith(worker(url.href, event));
  else if (own && kept.has(url.href)) event.respondWith(file(url.href, event));
  else event.waitUntil(report(event));
});

/** How long the server may take before the kept page is shown. */
const PATIENCE = 3000;

/** The server's page, which may be newer; without a network the kept one. What it loads is named by its content. */
async function page(event) {
  try {
    const response = await fetch(event.request, { signal: AbortSignal.timeout(PATIENCE) });
    if (response.ok || response.type === "opaqueredirect") return response;
  } catch {
    // There is no network.
  }
  return file(address("index.html"), event);
}

/** The kept file; the network's where it is of a newer page, or the browser has cleared it away. */
async function file(path, event) {
  // Opening the cache would make it again after it was deleted.
  const found = await caches.match(path, { cacheName: CACHE });
  if (found) return found;
  await report(event);
  return fetch(event.request);
}

async function worker(path, event) {
  const response = await file(path, event);
  const headers = new Headers(response.headers);
  headers.set("content-security-policy", WORKER_POLICY);
  return new Response(response.body, { status: response.status, headers });
}

/** Tells the page of its request that goes to the network; of a worker's all pages, as it is not said whose it is. */
async function report({ clientId, request }) {
  const client = clientId && (await self.clients.get(clientId));
  const pages = client?.type === "window" ? [client] : await self.clients.matchAll();
  for (const page of pages) page.postMessage({ type: "querytune:request", url: request.url });
}
