// Keeps the page itself, so that it opens without a network. Models are not its business: the package keeps them.
// VERSION and FILES are filled in when the page is built.
const VERSION = "__VERSION__";
const FILES = ["__FILES__"];
/** As far as the server has them. */
const SAMPLE = ["sample/queries.csv", "sample/documents.csv", "sample/qrels.tsv"];
const PREFIX = "querytune-shell-";
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
  const response = await fetch(address(path), { cache: "no-cache" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  // A redirected response may not answer a navigation; a copy is none.
  const { body, headers } = response;
  await cache.put(address(path), new Response(body, { headers }));
}

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  url.hash = "";
  const page = request.mode === "navigate" && [address("."), address("index.html")].includes(url.href);
  const path = page ? address("index.html") : url.href;
  if (request.method === "GET" && kept.has(path)) event.respondWith(answer(path, request));
  else event.waitUntil(report(request));
});

/** The kept file; the network's where the browser has cleared it away. */
async function answer(path, request) {
  // Opening it would make it again after it was deleted.
  let response = await caches.match(path, { cacheName: CACHE });
  if (!response) {
    await report(request);
    response = await fetch(request);
  }
  if (request.destination !== "worker") return response;
  const headers = new Headers(response.headers);
  headers.set("content-security-policy", WORKER_POLICY);
  return new Response(response.body, { status: response.status, headers });
}

/** Tells the pages of a request that goes to the network. */
async function report(request) {
  for (const client of await self.clients.matchAll()) {
    client.postMessage({ type: "querytune:request", url: request.url });
  }
}
