// The demo page as it is served: by `npm run demo`, and to the tests in Chromium.
import { basename, join } from "node:path";
import { models, root } from "./paths.mjs";
import { folder, serve } from "./server.mjs";

/** Of scripts: what a worker may do is said by the answer it came in. The page's own policy is in its HTML. */
const WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'none'";

/** Serves the built page, with the models beside it. Resolves to `{ address, close }`. */
export function servePage(port = 0) {
  const dist = join(root, "www", "dist");
  const routes = {
    "/": folder(dist),
    "/assets/worker-": (request, response, rest) =>
      folder(join(dist, "assets"), { "content-security-policy": WORKER_POLICY })(request, response, `worker-${rest}`),
  };
  for (const path of Object.values(models)) routes[`/models/${basename(path)}/`] = folder(path);
  return serve(routes, { port });
}
