// Runs a job in headless Chromium, through the npm package as a page uses it.
import { randomUUID } from "node:crypto";
import { createWriteStream, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { FolderStore } from "../../pkg/cli/store.mjs";
import { hasGpu, launchBrowser } from "../lib/browser.mjs";
import { root } from "../lib/paths.mjs";
import { file, folder, serve } from "../lib/server.mjs";
import { Failure, say } from "../lib/terminal.mjs";

const runner = join(root, "scripts", "runner");

const policy = {
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
};

/** WebGPU as the machine has it; `QUERYTUNE_WEBGPU` (`hardware`, `software`, `off`) overrules. */
function webgpuFor(device) {
  const choice = process.env.QUERYTUNE_WEBGPU;
  if (choice && !["hardware", "software", "off"].includes(choice)) {
    throw new Failure("QUERYTUNE_WEBGPU must be hardware, software or off.");
  }
  if (device === "cpu" || choice === "off") return false;
  if (choice) return choice;
  if (hasGpu()) return "hardware";
  if (device === "auto") return false;
  say("  There is no graphics card here: WebGPU runs in software, far slower than the CPU path.");
  return "software";
}

/** The score store over HTTP: `GET LOG/count`, `GET LOG/NUMBER`, `POST LOG`. */
function storeRoute(store) {
  return async (request, response, rest) => {
    // The path was decoded once; log names hold no slash of their own behind the last one.
    const slash = rest.lastIndexOf("/");
    if (request.method === "POST") {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      await store.append(rest, Buffer.concat(chunks));
      return response.end();
    }
    const [log, what] = [rest.slice(0, slash), rest.slice(slash + 1)];
    if (what === "count") return response.end(String(await store.count(log)));
    return response.end(await store.read(log, Number(what)));
  };
}

function outputRoute(out, names) {
  return async (request, response, name) => {
    if (request.method !== "POST" || !names.includes(name)) return response.writeHead(404).end();
    const path = join(out, name);
    await pipeline(request, createWriteStream(`${path}.partial`));
    renameSync(`${path}.partial`, path);
    return response.end();
  };
}

/**
 * Runs the job and resolves to its report. `job`: as of `runJob`, with `files` of `{ name, path, options }` and
 * `models` of folders. The results go to the folder `out`.
 */
export async function runInBrowser(job, { out, outputs, store: storeFolder, progress, note, signal }) {
  const webgpu = webgpuFor(job.device);
  const store = new FolderStore(storeFolder);
  // Other pages of this machine's browsers must not find the job: its address cannot be guessed.
  const secret = `/${randomUUID()}/`;
  const modelPath = (role) => `model/${role}/${encodeURIComponent(basename(job.models[role]))}/`;
  const routes = {
    [secret]: folder(runner, policy),
    [`${secret}pkg/`]: folder(join(root, "pkg", "dist"), policy),
    [`${secret}cli/`]: folder(join(root, "pkg", "cli"), policy),
    [`${secret}store/`]: storeRoute(store),
    [`${secret}output/`]: outputRoute(out, outputs),
  };
  for (const role of ["encoder", "crossEncoder"]) {
    routes[`${secret}${decodeURIComponent(modelPath(role))}`] = folder(job.models[role]);
  }
  for (const [role, { path }] of Object.entries(job.files)) routes[`${secret}input/${role}`] = file(path);
  const server = await serve(routes);
  /** An error of the page, with the folders' own names instead of their addresses here. */
  const failureOf = (failure) => {
    let { message } = failure;
    for (const [role, path] of Object.entries(job.models)) {
      message = message.replaceAll(`${server.address}${secret}${modelPath(role)}`, join(path, "/"));
    }
    return Object.assign(new Error(message), { ...failure, message });
  };
  let browser;
  try {
    browser = await launchBrowser({ webgpu, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
    const page = await browser.newPage();
    const stopped = new Promise((_, reject) => {
      const fail = () =>
        reject(new Failure("The browser stopped, perhaps for lack of memory. The same command resumes the job."));
      page.on("crash", fail);
      browser.on("disconnected", fail);
    });
    stopped.catch(() => {});
    page.on("pageerror", (error) => note("warning", `page: ${error.message}`));
    page.on("console", (message) => {
      // A model's optional files are asked for and may be missing.
      const expected = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !expected) note("warning", `page: ${message.text()}`);
    });
    await page.exposeFunction("querytuneProgress", progress);
    await page.exposeFunction("querytuneNote", note);
    await page.goto(`${server.address}${secret}`);
    await page.waitForFunction(() => globalThis.querytuneRunner);
    const cancel = () => page.evaluate(() => globalThis.querytuneRunner.cancel()).catch(() => {});
    signal.addEventListener("abort", cancel);
    if (signal.aborted) cancel();
    const plain = {
      ...job,
      models: { encoder: modelPath("encoder"), crossEncoder: modelPath("crossEncoder") },
      files: Object.fromEntries(Object.entries(job.files).map(([role, { path: _, ...rest }]) => [role, rest])),
    };
    const answer = await Promise.race([
      page.evaluate((given) => globalThis.querytuneRunner.run(given), plain),
      stopped,
    ]);
    if (answer.failure) throw failureOf(answer.failure);
    return answer.report;
  } finally {
    await browser?.close().catch(() => {});
    await server.close();
    store.close();
  }
}
