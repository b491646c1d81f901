// Writes what the adapted tiny log comes to, by the package as it is built here and in Node, to adapted.json beside this
// file: `node tests/packaging/support/record.mjs`, after `npm run build`, and `npx biome check --write` for its form. Look
// at the difference before it is committed.
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { load } from "../../../pkg/dist/core.js";
import { models } from "../../../scripts/lib/paths.mjs";
import { adapted, input } from "./expectations.mjs";
import { job } from "./job.js";

const [encoder, crossEncoder] = [models.encoder, models.crossEncoder].map((path) => pathToFileURL(`${path}/`));
const result = await job(load, { ...input, encoder, crossEncoder });
const place = new URL("adapted.json", import.meta.url);
writeFileSync(place, `${JSON.stringify(adapted(result), null, 2)}\n`);
