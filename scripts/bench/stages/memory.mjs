// Peak memory of a tab with both models, after it has embedded and scored.
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { say } from "../../lib/terminal.mjs";
import { figure } from "../table.mjs";
import { Tab } from "../tabs.mjs";

/** Resident size of the largest renderer, in bytes, now and at its peak; undefined where the system does not tell. */
async function largestRenderer(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const sizes = processInfo
    .filter(({ type }) => type === "renderer")
    .map(({ id }) => {
      try {
        const status = readFileSync(`/proc/${id}/status`, "utf8");
        const bytes = (field) => Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"))[1]) * 1024;
        return { peak: bytes("VmHWM"), now: bytes("VmRSS") };
      } catch {
        return undefined;
      }
    });
  return sizes.reduce((largest, size) => (size && !(largest?.peak > size.peak) ? size : largest), undefined);
}

const folders = { encoder: "../models/encoder/", crossEncoder: "../models/crossEncoder/", device: "cpu" };
const own = (more) => ["plain", "./querytune.js", { entry: "../pkg/index.js", options: { ...folders, ...more } }];
const peer = (more) => ["isolated", "./transformers.js", { device: "wasm", threads: cpus().length, ...more }];

const sides = {
  "querytune, one thread": own({ threads: 1 }),
  "querytune, all processors": own({}),
  "transformers.js fp32, all processors": peer({ dtype: "fp32" }),
  "transformers.js q8, all processors": peer({ dtype: "q8" }),
};

/** One tab after the other, so that each is the largest process while it lives. */
export async function measureTabs({ browser, server }, documents, groups) {
  say("\nPeak memory of a tab with both models");
  const found = {};
  for (const [name, [host, script, options]] of Object.entries(sides)) {
    const tab = await Tab.open(browser, server.address, { host });
    await tab.load("one", script, options);
    await tab.run("one", "embed", documents);
    await tab.run("one", "score", groups);
    const size = await largestRenderer(browser);
    await tab.close();
    found[name] = size ?? null;
    const mebibytes = (bytes) => `${figure(bytes / 2 ** 20)} MiB`;
    say(
      `  ${name}: ${size ? `${mebibytes(size.peak)}, in the end ${mebibytes(size.now)}` : "not known on this system"}`,
    );
  }
  return found;
}
