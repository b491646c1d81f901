// What is in the tarball, and whether tools that know npm's conventions find fault with it.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../../scripts/lib/command.mjs";
import { filesUnder, readJson } from "../../scripts/lib/hash.mjs";
import { root } from "../../scripts/lib/paths.mjs";
import { createProject, pack } from "./support/project.mjs";

const timeout = 2 * 60_000;
const tool = (name) => join(root, "node_modules", ".bin", name);
let project;
let installed;

before(
  async () => {
    project = await createProject("tarball");
    installed = join(project.folder, "node_modules", "querytune");
  },
  { timeout },
);

after(() => project?.remove());

const files = () => filesUnder(installed, new Set()).map((path) => path.slice(installed.length + 1));

test("publint finds nothing", { timeout }, async () => {
  const output = await run(tool("publint"), ["run", await pack(), "--strict"], { env: { NO_COLOR: "1" } });
  assert.match(output, /All good!/);
});

// The package is for ES modules only, so that what CommonJS would find is no matter; and a binary has no types.
test("are-the-types-wrong finds nothing", { timeout }, async () => {
  await run(tool("attw"), [await pack(), "--profile", "esm-only", "--exclude-entrypoints", "./querytune.wasm"]);
});

test("nothing comes with the package but what is allowed", () => {
  const allowed = new RegExp(
    [
      /^(package\.json|README\.md|LICENSE-(MIT|APACHE)|THIRD-PARTY-NOTICES\.txt)$/,
      /^cli\/[\w-]+\.mjs$/,
      /^dist\/[\w-]+\.(js|d\.ts)$/,
      /^dist\/types\/[\w-]+\.d\.ts$/,
      /^dist\/wasm\/.*$/,
      // Of the sources what the command has in common with them.
      /^src\/training-names\.js$/,
    ]
      .map(({ source }) => source)
      .join("|"),
  );
  assert.deepEqual(
    files().filter((path) => !allowed.test(path)),
    [],
  );
  assert.deepEqual(
    files().filter((path) => path.startsWith("dist/wasm/")),
    ["dist/wasm/querytune.js", "dist/wasm/querytune_bg.wasm"],
  );
});

test("every file that a module or a type declaration imports is there", () => {
  const all = new Set(files());
  for (const path of all) {
    if (!/^(dist|cli|src)\/.*\.(m?js|d\.ts)$/.test(path)) continue;
    // Without comments, in which a type may come from a source that is not shipped.
    const text = readFileSync(join(installed, path), "utf8").replace(/^ \* .*$/gm, "");
    for (const [, wanted] of text.matchAll(/(?:from |import |import\()"(\.[^"]+)"/g)) {
      const plain = join(path, "..", wanted);
      const place = path.endsWith(".d.ts") ? plain.replace(/\.js$/, ".d.ts") : plain;
      assert.ok(all.has(place), `${path} imports ${wanted}`);
    }
  }
});

test("types come first in every export that has some", () => {
  const { exports } = readJson(join(installed, "package.json"));
  for (const [name, target] of Object.entries(exports)) {
    if (typeof target === "object") assert.equal(Object.keys(target)[0], "types", name);
  }
});

test("the licences are those of the repository", () => {
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    assert.equal(readFileSync(join(installed, name), "utf8"), readFileSync(join(root, name), "utf8"), name);
  }
});

// Crates leave the paths of their sources in the wasm, for messages of defects.
test("the notices name every crate that left a trace in the wasm, and every bundled module", () => {
  const notices = readFileSync(join(installed, "THIRD-PARTY-NOTICES.txt"), "utf8");
  const wasm = readFileSync(join(installed, "dist", "wasm", "querytune_bg.wasm"), "latin1");
  const traces = [...wasm.matchAll(/registry\/src\/[^/]+\/([a-zA-Z][\w-]*?)-(\d+\.\d+\.[\w.+-]+)\//g)];
  const works = new Set(traces.map(([, name, version]) => `${name} ${version}`));
  assert.ok(works.size >= 50, `${works.size} crates are found`);
  for (const name of ["comlink", "idb"])
    works.add(`${name} ${readJson(join(root, "node_modules", name, "package.json")).version}`);
  const missing = [...works].filter((work) => !notices.includes(`\n${work}: `));
  assert.deepEqual(missing, []);
});

test("the notices name nothing of the machine that made them", () => {
  const notices = readFileSync(join(installed, "THIRD-PARTY-NOTICES.txt"), "utf8");
  for (const place of [homedir(), root, ".cargo", "registry/src", "node_modules/"]) {
    assert.equal(notices.includes(place), false, place);
  }
});

test("the package needs no other at run time", () => {
  assert.equal(readJson(join(installed, "package.json")).dependencies, undefined);
});

test("a wasm that was not shrunk is not published", { timeout }, async () => {
  const wasm = join(root, "pkg", "dist", "wasm", "querytune_bg.wasm");
  const asked = run("npm", ["run", "prepublishOnly"], { cwd: join(root, "pkg") });
  if (statSync(wasm).size < 20e6) await asked;
  else await assert.rejects(asked, /npm run build -- --publish/);
});
