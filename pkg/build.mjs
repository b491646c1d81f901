// Bundles the package's own modules to dist/, with comlink and idb inside, so that the result runs in a browser
// without a bundler. The wasm beside it (dist/wasm) comes from the engine's build and is left as it is.
import { readdir, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

// Shared modules carry a hash in their names: those of earlier builds would pile up.
for (const name of await readdir("dist")) {
  if (/^shared-.*\.js$/.test(name)) await rm(`dist/${name}`);
}

const { metafile } = await build({
  // The last two are the command's.
  entryPoints: [
    "src/index.ts",
    "src/core.ts",
    "src/worker.ts",
    "src/node-member.ts",
    "src/folder-cache.ts",
    "src/options.ts",
  ],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  platform: "neutral",
  mainFields: ["module", "main"],
  external: ["./wasm/querytune.js"],
  chunkNames: "shared-[hash]",
  legalComments: "inline",
  metafile: true,
  logLevel: "warning",
});

// Of which packages something is inside, for the notices that go with it.
const name = (path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
const bundled = new Set(Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs).map(name)));
await writeFile("dist/bundled.json", JSON.stringify([...bundled].filter(Boolean).sort()));
