// A guide's page in a browser that has the models from an earlier visit, and no way to the outside.
import { keepInBrowser } from "./kept-models.mjs";

const isOwn = (url, address) => url.startsWith(address) || /^(data|blob):/.test(url);

/**
 * Opens the page; `foreign` is filled with the addresses of all requests to other servers, which are refused. `kept`:
 * whether the models are there already; `opened`: called before the page itself is opened.
 */
export async function openGuidePage(browser, address, { kept = true, opened } = {}) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const foreign = [];
  if (kept) {
    // Any answer of the server will do: what is kept belongs to its origin.
    await page.goto(new URL("/models/ms-marco-MiniLM-L-12-v2/config.json", address).href);
    await keepInBrowser(page);
  }
  await context.route(
    (url) => !isOwn(url.href, address),
    (route) => {
      foreign.push(route.request().url());
      return route.abort();
    },
  );
  opened?.();
  await page.goto(`${address}/`);
  return { page, foreign };
}
