import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";

// The page may load its own code and its own wasm, and models from the hub; nothing else. In development the
// server needs inline styles, so the policy is only in what is built.
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' https://huggingface.co https://*.huggingface.co https://*.hf.co",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: POLICY },
      injectTo: "head-prepend",
    },
  ],
};

/** Of a module's path the npm package that it is from. */
const packageOf = (path: string) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path.replaceAll("\\", "/"))?.[1];

/** Adds the notices of third parties, whose works are in the page. */
const notices: Plugin = {
  name: "notices",
  apply: "build",
  async generateBundle() {
    const scripts = new URL("../scripts/lib/notices.mjs", import.meta.url);
    const { pageNotices } = await import(/* @vite-ignore */ scripts.href);
    const modules = new Set([...this.getModuleIds()].map(packageOf).filter(Boolean));
    const source = await pageNotices([...modules]);
    this.emitFile({ type: "asset", fileName: "THIRD-PARTY-NOTICES.txt", source });
  },
};

/** Puts the sample beside the page, with its licences. */
const sample: Plugin = {
  name: "sample",
  apply: "build",
  generateBundle() {
    const folder = join(import.meta.dirname, "../examples/sample");
    for (const name of readdirSync(folder).filter((name) => !name.endsWith(".py"))) {
      this.emitFile({ type: "asset", fileName: `sample/${name}`, source: readFileSync(join(folder, name)) });
    }
  },
};

/** Writes sw.js, which has to know the names of all files and change whenever one of them does. */
const serviceWorker: Plugin = {
  name: "service-worker",
  apply: "build",
  writeBundle({ dir }) {
    if (!dir) return;
    const files = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "sw.js")
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(dir.length + 1)
          .replaceAll("\\", "/"),
      )
      // A host may leave the sample out.
      .filter((file) => !file.startsWith("sample/"))
      .sort();
    const source = readFileSync(join(import.meta.dirname, "src/service-worker.js"), "utf8");
    const hash = createHash("sha256").update(source);
    for (const file of files) hash.update(file).update(readFileSync(join(dir, file)));
    const list = files.map((file) => JSON.stringify(file)).join(", ");
    const version = hash.digest("hex").slice(0, 16);
    writeFileSync(join(dir, "sw.js"), source.replace("__VERSION__", version).replace('"__FILES__"', list));
  },
};

export default defineConfig({
  // Relative addresses: the page may lie in any folder of a server.
  base: "./",
  appType: "mpa",
  plugins: [contentSecurityPolicy, notices, sample, serviceWorker],
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
    modulePreload: { polyfill: false },
    // The notices ask cargo, which takes some seconds.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
