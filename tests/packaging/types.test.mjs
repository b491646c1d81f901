// The installed package's types in strict TypeScript projects, without `skipLibCheck`, as bundlers and Node resolve.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { code, guide } from "./support/guide.mjs";
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

/** The examples of the guide and of other documents, each as a module of its own. */
const examples = Object.fromEntries(
  ["pkg/README.md", "README.md", "docs/methods.md"].flatMap((path) =>
    code("ts", path).map((text, i) => [`src/${path.replace(/\W/g, "-")}-${i}.ts`, `${text}\nexport {};\n`]),
  ),
);

/** What shorter examples take for given. */
const given = `import type { Tuner } from "querytune";
declare global {
  const tuner: Tuner;
  const queries: string[];
  const documents: string[];
  const signal: AbortSignal;
  const zip: Blob;
}
`;

let project;

before(
  async () => {
    project = await createProject("types", {
      dependencies: { typescript: "5.9.3", "@types/node": "20.19.43" },
      files: { "src/consumer.ts": consumer, "src/given.d.ts": given, ...examples },
    });
  },
  { timeout },
);

after(() => project?.remove());

async function assertCompiles(compiler, options, files) {
  const compilerOptions = { target: "es2022", strict: true, noEmit: true, skipLibCheck: false, ...options };
  writeFileSync(join(project.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const output = await project.run(compiler, ["-p", "tsconfig.json"]).catch((error) => error.output);
  assert.equal(output, "");
}

for (const [version, compiler] of Object.entries(compilers)) {
  for (const [name, options] of Object.entries(settings)) {
    test(`the types are right for TypeScript ${version}, ${name}`, { timeout }, () =>
      assertCompiles(compiler, options, ["src/consumer.ts"]),
    );
  }
}

test("the examples compile", { timeout }, async () => {
  assert.ok(Object.keys(examples).length >= 8);
  await assertCompiles(compilers["7.0"], settings.bundler, ["src/given.d.ts", ...Object.keys(examples)]);
});

test("the guide names every error code, and none that there is not", () => {
  const errors = readFileSync(join(project.folder, "node_modules", "querytune", "dist", "errors.d.ts"), "utf8");
  const [, union] = /type ErrorCode = ([^;]+);/.exec(errors);
  const names = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name).sort();
  const [table] = guide.split("| `code` |")[1].split("\n\n");
  const first = table.split("\n").map((row) => row.split("|")[1] ?? "");
  assert.deepEqual(names(first.join(), /`([a-z-]+)`/g), names(union, /"([a-z-]+)"/g));
});
