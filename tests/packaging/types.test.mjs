// The installed package's types in strict TypeScript projects, without `skipLibCheck`, as bundlers and Node resolve.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { createProject } from "./support/project.mjs";

const timeout = 3 * 60_000;
const consumer = readFileSync(join(root, "tests", "packaging", "support", "consumer.ts"));

/** Compilers by name: the one in wide use, and this repository's own. */
const compilers = { 5.9: "tsc", "7.0": join(root, "node_modules", ".bin", "tsc") };

const settings = {
  bundler: { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom", "dom.iterable"], types: [] },
  node16: { module: "node16", moduleResolution: "node16", lib: ["es2022", "dom"], types: [] },
  "node16 without the DOM's types": { module: "node16", moduleResolution: "node16", lib: ["es2022"], types: ["node"] },
};

let project;

before(
  async () => {
    project = await createProject("types", {
      dependencies: { typescript: "5.9.3", "@types/node": "20.19.43" },
      files: { "src/consumer.ts": consumer },
    });
  },
  { timeout },
);

after(() => project?.remove());

for (const [version, compiler] of Object.entries(compilers)) {
  for (const [name, options] of Object.entries(settings)) {
    test(`the types are right for TypeScript ${version}, ${name}`, { timeout }, async () => {
      const compilerOptions = { target: "es2022", strict: true, noEmit: true, skipLibCheck: false, ...options };
      writeFileSync(
        join(project.folder, "tsconfig.json"),
        JSON.stringify({ compilerOptions, files: ["src/consumer.ts"] }),
      );
      const output = await project.run(compiler, ["-p", "tsconfig.json"]).catch((error) => error.output);
      assert.equal(output, "");
    });
  }
}
