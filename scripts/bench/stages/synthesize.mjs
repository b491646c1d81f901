// A whole job up to the data set: embed queries and documents, search, score.
import { cpus } from "node:os";
import { say } from "../../lib/terminal.mjs";
import { checkJob } from "../agreement.mjs";
import { speed } from "../statistics.mjs";
import { figure } from "../table.mjs";
import { Tab } from "../tabs.mjs";

/** Jobs a minute would be more to the point, but all speeds are items a second: a job is one item. */
export async function measureSynthesize({ browser, server }, job, turns) {
  const peer = await Tab.open(browser, server.address, { host: "isolated" });
  const own = await Tab.open(browser, server.address, { host: "plain" });
  try {
    await peer.load("q8", "./transformers.js", { device: "wasm", dtype: "q8", threads: cpus().length });
    const models = { encoder: "../models/encoder/", crossEncoder: "../models/crossEncoder/" };
    await own.load("auto", "./querytune.js", { entry: "../pkg/index.js", options: { ...models, device: "cpu" } });
    const variants = [
      { name: "transformers.js q8", side: "peer", precision: "int8", counts: true, tab: peer, engine: "q8", taken: [] },
      { name: "querytune", side: "querytune", precision: "exact", counts: true, tab: own, engine: "auto", taken: [] },
    ];
    say("\nThe whole of synthesize, all processors");
    const small = { ...job, queries: job.queries.slice(0, 2), documents: job.documents.slice(0, 40), depth: 5 };
    for (const { tab, engine } of variants) await tab.run(engine, "synthesize", { ...small, candidates: 20 });
    const results = {};
    for (let turn = 0; turn < turns; turn++) {
      for (const { name, tab, engine, taken } of variants) {
        const { seconds, result } = await tab.run(engine, "synthesize", job);
        taken.push({ turn, items: 1, seconds });
        results[name] = result;
        say(`  turn ${turn + 1} of ${turns}, seconds: ${name} ${figure(seconds)}`);
      }
    }
    const agreement = checkJob("transformers.js q8", results["transformers.js q8"], results.querytune);
    return {
      synthesize: variants.map(({ name, side, precision, counts, taken }) => ({
        name,
        side,
        precision,
        counts,
        ...speed(taken),
        agreement,
      })),
    };
  } finally {
    await Promise.all([peer.close(), own.close()]);
  }
}
