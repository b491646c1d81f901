// `npm run demo`: builds the page and serves it on this machine, with the models and the sample beside it.
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { servePage } from "./lib/page.mjs";
import { main, say, UsageError } from "./lib/terminal.mjs";
import { setup } from "./setup.mjs";

const usage = `Usage: npm run demo -- [--port N]

Builds the demo page and serves it on this machine only, until ctrl-C. The port is 5170 or the next free one.`;

function options() {
  try {
    const { values } = parseArgs({ options: { port: { type: "string" }, help: { type: "boolean", short: "h" } } });
    const port = Number(values.port ?? 5170);
    if (!Number.isInteger(port) || port < 0 || port > 65515) throw new Error(`--port ${values.port} is no port.`);
    return { port, help: values.help };
  } catch (error) {
    throw new UsageError(`${error.message}\n\n${usage}`);
  }
}

await main(async () => {
  const { port, help } = options();
  if (help) return say(usage);
  await setup();
  await build();
  const { address, close } = await servePage(port);
  say(`\nThe page is at ${address}/\nStop with ctrl-C.`);
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  return close();
});
