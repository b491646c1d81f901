#!/usr/bin/env node
// The command `querytune`: what it can do, which part does it, and how it ends.
import { readFileSync } from "node:fs";
import { nearest } from "./arguments.mjs";
import { offlineHint } from "./models.mjs";
import { explain, Failure, UsageError } from "./terminal.mjs";

const commands = {
  adapt: { text: "adapt a search model to your documents, from your search log", load: () => import("./adapt.mjs") },
  search: { text: "search documents with a tuned model, next to the base model", load: () => import("./search.mjs") },
};

const help = [
  "querytune adapts a search model to your own documents from the search log you already have:",
  "no labels, no upload.",
  "",
  "Usage: querytune COMMAND [options]",
  "",
  ...Object.entries(commands).map(([name, { text }]) => `  ${name.padEnd(10)}${text}`),
  "",
  "  querytune adapt --queries log.csv --documents docs.csv --out tuned",
  '  querytune search tuned docs.csv "surfing lessons"',
  "",
  "querytune COMMAND --help shows a command's options; --version the version.",
  "",
  "Progress and warnings go to stderr, results to stdout; with --json they are one JSON document, also when a",
  'command fails: {"error": {"code", "message"}}.',
  "",
  "Exit codes:",
  "  0    done; also when the base model is what is delivered, which the report says",
  "  1    failed; the message says what to do",
  "  2    the command line makes no sense",
  "  130  stopped by ctrl-C; the same command goes on from there",
  "  143  stopped as it was told to end, 129 as the terminal was closed; the same goes for these",
  "",
  "Environment:",
  "  QUERYTUNE_CACHE  folder of downloaded models and finished scores (default: the system's for caches)",
  "  HF_ENDPOINT      host of hub ids (default https://huggingface.co)",
].join("\n");

// Messages are for people and go to stderr; stdout has the result alone.
const terminal = {
  stream: process.stderr,
  say(line = "") {
    process.stderr.write(`${line}\n`);
  },
  print(line = "") {
    process.stdout.write(`${line}\n`);
  },
};

function version() {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}

async function main([name, ...rest]) {
  if (name === "--version" || name === "-V") return terminal.print(version());
  const wantsHelp = ["help", "--help", "-h"].includes(name);
  if (wantsHelp && !rest.length) return terminal.print(help);
  if (name === undefined) throw new UsageError(help);
  const wanted = wantsHelp ? rest[0] : name;
  if (!Object.hasOwn(commands, wanted)) {
    const known = nearest(wanted, Object.keys(commands));
    const hint = known ? ` Do you mean ${known}?` : "";
    throw new UsageError(
      `There is no ${wanted.startsWith("-") ? "option" : "command"} ${wanted}.${hint}\nSee querytune --help`,
    );
  }
  const command = await commands[wanted].load();
  return command.run(wantsHelp ? ["--help"] : rest, terminal);
}

/** An error as the JSON document of a command that failed. */
function failureDocument(error) {
  // Errors of the system have codes of their own, such as EACCES, which no table of this command could list.
  const isFailure = error instanceof Failure || error.syscall !== undefined;
  const code = error instanceof UsageError ? "usage" : isFailure ? "failed" : (error.code ?? "internal");
  return { error: { code, message: error.message, ...(error.position && { position: error.position }) } };
}

const given = process.argv.slice(2);
// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on("error", (error) => process.exit(error.code === "EPIPE" ? 0 : 1));
try {
  process.exitCode = (await main(given)) ?? 0;
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  terminal.say(explain(error));
  if (error.code === "model-download") terminal.say(`\n${offlineHint}`);
  if (given.includes("--json")) terminal.print(JSON.stringify(failureDocument(error), null, 2));
}
