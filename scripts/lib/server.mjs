// A server for this machine only: files of some folders, and handlers.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { Failure } from "./terminal.mjs";

const types = {
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".tsv": "text/tab-separated-values; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
};

/** Sent with everything: nothing is embedded by others, guessed, or told to others. */
const strict = {
  "cache-control": "no-cache",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

function refuse(response, status, text) {
  response.writeHead(status, { ...strict, "content-type": "text/plain; charset=utf-8" }).end(text);
}

function sendFile(request, response, path, headers) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) return refuse(response, 404, "Not found.");
  response.writeHead(200, {
    ...strict,
    ...headers,
    "content-length": found.size,
    "content-type": types[extname(path).toLowerCase()] ?? "application/octet-stream",
    "last-modified": found.mtime.toUTCString(),
  });
  if (request.method === "HEAD") return response.end();
  const stream = createReadStream(path);
  // The head is out already: all that is left is to break off, so that the reader sees it.
  stream.on("error", () => response.destroy());
  return stream.pipe(response);
}

/** A route to the files of a folder; `index.html` stands for the folder itself. */
export function folder(path, headers = {}) {
  return (request, response, rest) => {
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405, "Only GET and HEAD.");
    const wanted = normalize(join(path, rest === "" || rest.endsWith("/") ? `${rest}index.html` : rest));
    if (!wanted.startsWith(normalize(path + sep))) return refuse(response, 404, "Not found.");
    return sendFile(request, response, wanted, headers);
  };
}

/** A route to one file. */
export function file(path, headers = {}) {
  return (request, response, rest) =>
    rest === "" ? sendFile(request, response, path, headers) : refuse(response, 404, "Not found.");
}

/**
 * Serves routes on the loopback interface. `routes`: path prefix (such as `/models/`) to a function of request,
 * response and the decoded rest of the path; the longest prefix wins. `port` 0 takes any; a taken port is followed by
 * the next ones. Resolves to `{ address, close }`.
 */
export async function serve(routes, { port = 0 } = {}) {
  const prefixes = Object.keys(routes).sort((a, b) => b.length - a.length);
  const server = createServer(async (request, response) => {
    // A foreign page that has its own name point here must not get in.
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    if (host !== "127.0.0.1" && host !== "localhost") return refuse(response, 403, "Only for this machine.");
    try {
      const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
      const prefix = path.includes("\0") ? undefined : prefixes.find((one) => path.startsWith(one));
      if (prefix === undefined) return refuse(response, 404, "Not found.");
      return await routes[prefix](request, response, path.slice(prefix.length));
    } catch (error) {
      if (response.headersSent) return response.destroy();
      return refuse(response, error instanceof URIError ? 400 : 500, error.message);
    }
  });
  server.keepAliveTimeout = 60_000;
  const listening = await listen(server, port);
  return {
    address: `http://127.0.0.1:${listening}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

async function listen(server, port) {
  for (let next = port; next <= port + 20; next++) {
    try {
      await new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(next, "127.0.0.1", () => {
          server.removeListener("error", reject);
          resolve();
        });
      });
      return server.address().port;
    } catch (error) {
      if (error.code !== "EADDRINUSE" && error.code !== "EACCES") throw error;
    }
  }
  throw new Failure(`The ports ${port} to ${port + 20} are all in use. Choose another with --port.`);
}
