// A guide of docs/guides, followed to the letter in an empty folder: its files are written, its commands run.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { models, root } from "../../../scripts/lib/paths.mjs";
import { pack } from "../../packaging/support/project.mjs";
import { keptModels } from "./kept-models.mjs";

/**
 * The steps of a guide: `{ path, text }` for code after a line that ends with its path, such as "`src/main.ts`:", and
 * `{ command }` for each command. A command that goes on with a backslash is one.
 */
export function readGuide(name) {
  const text = readFileSync(join(root, "docs", "guides", `${name}.md`), "utf8");
  const steps = [];
  for (const [, path, language, code] of text.matchAll(/(?:`([^`\n]+)`:\n\n)?^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (path) steps.push({ path, text: code });
    else if (language === "sh") for (const command of code.trim().split(/(?<!\\)\n/)) steps.push({ command });
    else throw new Error(`${name}.md has code that is neither a file nor commands: ${code}`);
  }
  return steps;
}

/** Part of the sample, so that a guide takes seconds. */
function sample(name, lines) {
  const all = readFileSync(join(root, "examples", "sample", name), "utf8").split("\n");
  return `${all.slice(0, lines).join("\n")}\n`;
}

/** An empty folder in which a guide is followed. */
export class Follower {
  /** What commands have printed, by command. */
  printed = new Map();
  #place = mkdtempSync(join(tmpdir(), "querytune-guide-"));
  #folder = this.#place;
  #env;
  #servers = [];

  /** `env`: variables besides; `programs`: folders of programs that are found first. */
  static async open({ env = {}, programs = [] } = {}) {
    const follower = new Follower();
    follower.#env = {
      ...process.env,
      PATH: [...programs, process.env.PATH].join(delimiter),
      // Models and scores of all guides.
      QUERYTUNE_CACHE: await keptModels(),
      NO_COLOR: "1",
      npm_config_yes: "true",
      npm_config_audit: "false",
      npm_config_fund: "false",
      npm_config_prefer_offline: "true",
      npm_config_update_notifier: "false",
      ...env,
    };
    follower.tarball = await pack();
    return follower;
  }

  /** Where commands run now: a guide may go into a folder. */
  path(...parts) {
    return join(this.#folder, ...parts);
  }

  write(path, text) {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  /** Puts the models' folders into `public/models/`, from where servers of pages have them. */
  publishModels() {
    mkdirSync(this.path("public", "models"), { recursive: true });
    for (const path of Object.values(models)) symlinkSync(path, this.path("public", "models", basename(path)));
  }

  /** The search log and the documents that guides start from. */
  writeSample() {
    this.write("queries.csv", sample("queries.csv", 41));
    this.write("documents.csv", sample("documents.csv", 301));
  }

  /** Follows the steps. `before`: work to do before a command begins, by command; `servers`: commands that go on. */
  async follow(steps, { before = {}, servers = [] } = {}) {
    for (const { path, text, command } of steps) {
      if (path) {
        this.write(path, text);
        continue;
      }
      await before[command]?.();
      if (command.startsWith("cd ")) this.#folder = join(this.#folder, command.slice(3));
      else if (servers.includes(command)) await this.#serve(command);
      else this.printed.set(command, await this.run(command));
    }
  }

  /** Runs a command line of a guide, with the package of this clone in the place of the published one. */
  async run(command) {
    const own = command.replace(/^(npm install .*?)\bquerytune\b/, (_, rest) => `${rest}"${this.tarball}"`);
    const child = this.#start(own);
    let [output, errors] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      errors += chunk;
    });
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`${command} ended with ${code}.\n${output}${errors}`);
    return output;
  }

  /** Starts a server and waits for the address that it prints. */
  async #serve(command) {
    const child = this.#start(command);
    this.#servers.push(child);
    let output = "";
    this.address = await new Promise((resolve, reject) => {
      const take = (chunk) => {
        output += chunk;
        const found = /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(output);
        if (found) resolve(found[0]);
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      child.on("close", () => reject(new Error(`${command} ended before it served:\n${output}`)));
      setTimeout(() => reject(new Error(`${command} has not served in two minutes:\n${output}`)), 120_000).unref();
    });
  }

  #start(command) {
    // A group of its own: what it starts ends with it.
    return spawn("sh", ["-c", command], {
      cwd: this.#folder,
      env: this.#env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async close() {
    for (const child of this.#servers) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "close");
      process.kill(-child.pid, "SIGTERM");
      await ended;
    }
    if (existsSync(this.#place)) rmSync(this.#place, { recursive: true, force: true, maxRetries: 3 });
  }
}
