// A page with a hub of two small models beside it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hub } from "./hub.mjs";
import { openPackagePage } from "./package-page.mjs";

/** Opens it; resolves to `{ page, hub, folder, close }`. The models are `some/encoder` and `some/cross` of `/hub/`. */
export async function openHubPage() {
  const folder = mkdtempSync(join(tmpdir(), "querytune-hub-"));
  const hub = new Hub(folder);
  hub.addSmallModels();
  const { page, close } = await openPackagePage({ routes: { "/hub/": hub.route } });
  return {
    page,
    hub,
    folder,
    async close() {
      await close();
      rmSync(folder, { recursive: true });
    },
  };
}
