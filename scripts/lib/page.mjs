// The demo page as it is served: by `npm run demo`, and to the tests in Chromium.
import { basename, join } from "node:path";
import { models, root } from "./paths.mjs";
import { folder, serve } from "./server.mjs";

/** Serves the built page, with the models and the sample beside it. Resolves to `{ address, close }`. */
export function servePage(port = 0) {
  const routes = { "/": folder(join(root, "www", "dist")), "/sample/": folder(join(root, "examples", "sample")) };
  for (const path of Object.values(models)) routes[`/models/${basename(path)}/`] = folder(path);
  return serve(routes, { port });
}
