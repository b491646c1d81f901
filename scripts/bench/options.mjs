// The command line of `npm run bench`.
import { parseArgs } from "node:util";
import { UsageError } from "../lib/terminal.mjs";

/** What can be measured, in the order it is. */
export const parts = ["embed", "score", "synthesize", "topk", "roofline", "cold", "size", "memory", "webgpu"];

export const usage = `npm run bench -- [options]

Measures querytune and its peers in turn in one headless Chromium; needs the machine for itself for half an hour.

  --only PARTS     some parts, with commas between them: ${parts.join(", ")}
  --quick          fewer texts and turns: whether it runs, not how fast
  --no-publish     the package as it is built for tests, without wasm-opt
  --out FILE       where the figures go (out/bench.json)
  --webgpu KIND    hardware, software or off (hardware where there is a graphics card, else software)
  --help`;

/** The options, or undefined when only help is wanted. */
export function readOptions(args) {
  let values;
  try {
    values = parseArgs({
      args,
      allowNegative: true,
      options: {
        only: { type: "string" },
        quick: { type: "boolean", default: false },
        publish: { type: "boolean", default: true },
        out: { type: "string", default: "out/bench.json" },
        webgpu: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error.message}\n\n${usage}`);
  }
  if (values.help) return undefined;
  const chosen = values.only?.split(",").map((name) => name.trim()) ?? parts;
  const wrong = chosen.find((name) => !parts.includes(name));
  if (wrong !== undefined) throw new UsageError(`There is no part "${wrong}" to measure: ${parts.join(", ")}.`);
  if (values.webgpu && !["hardware", "software", "off"].includes(values.webgpu)) {
    throw new UsageError("--webgpu must be hardware, software or off.");
  }
  return { ...values, parts: parts.filter((name) => chosen.includes(name)) };
}
