// The commands that documents name: scripts, options and tests of that name are there. Nothing is built or run for
// that: each command line gets an option at its end that there is not, and has to be refused for that one alone.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Arguments } from "../../pkg/cli/arguments.mjs";
import { jobOptions, jobTable } from "../../pkg/cli/options.mjs";
import { root } from "../../scripts/lib/paths.mjs";

const NONE = "--such-an-option-there-is-none";

/** Where commands are of this clone; the guides' own are of other projects, and are followed by tests. */
const documents = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "pkg/README.md", "docs/guides/README.md"],
  ...["examples/sample/README.md", "tests/data/scifact/README.md"],
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** A command line as the shell takes it apart, without the comment behind it. */
function words(line) {
  const parts = line.replace(/\s+# .*$/, "").matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g);
  return [...parts].map(([, single, double, plain]) => single ?? double ?? plain);
}

const BLOCKS = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** The code within the sentences of a document. */
function codeWithin(path) {
  const text = readFileSync(join(root, path), "utf8").replace(BLOCKS, "");
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code.replace(/\s+/g, " "));
}

/** Every command line of a document, in code of its own and within a sentence, as `{ path, line, args }`. */
function commandsOf(path) {
  const blocks = [...readFileSync(join(root, path), "utf8").matchAll(BLOCKS)];
  const own = blocks.flatMap(([, language, code]) => (language === "" || language === "sh" ? code.split("\n") : []));
  return [...own, ...codeWithin(path)]
    .filter((line) => /^(npm|npx|node|cargo|querytune) \S/.test(line))
    .map((line) => ({ path, line, args: words(line) }));
}

const all = documents.flatMap(commandsOf);

/** Those that begin so, without what they begin with. */
function beginning(...begin) {
  const found = all.filter(({ args }) => begin.every((word, i) => args[i] === word));
  return found.map((command) => ({ ...command, args: command.args.slice(begin.length) }));
}

const { scripts, workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** A guide's project has scripts of its own, which a document tells the time of. */
const OF_A_GUIDE = ["npm run dev"];

const runs = [
  ...beginning("npm", "test").map((command) => ({ ...command, name: "test" })),
  ...beginning("npm", "run").map(({ args: [name, ...args], ...command }) => ({ ...command, args, name })),
].filter(({ line }) => !OF_A_GUIDE.includes(line));

/** Fails unless that program knows all that it is given. */
function assertKnows(script, args, { path, line }) {
  const { status, stderr } = spawnSync(process.execPath, [join(root, script), ...args, NONE], { encoding: "utf8" });
  assert.ok(status === 2 && stderr.includes(NONE), `${path}: ${line}\nis refused:\n${stderr}`);
}

test("every npm script that a document names is there", () => {
  assert.ok(runs.length >= 20, `${runs.length} are found`);
  for (const { path, line, name } of runs) assert.ok(Object.hasOwn(scripts, name), `${path}: ${line}`);
  for (const { path, line, args } of all) {
    const workspace = args[0] === "npm" && args.includes("-w") && args[args.indexOf("-w") + 1];
    if (workspace) assert.ok(workspaces.includes(workspace), `${path}: ${line}`);
  }
});

test("every option that a document gives a script is one of its own", () => {
  const withOptions = runs.filter(({ args }) => args.length > 0);
  assert.ok(withOptions.length >= 8, `${withOptions.length} are found`);
  for (const { name, args, ...where } of withOptions) {
    assert.equal(args[0], "--", `${where.path}: ${where.line}: npm takes what does not follow two dashes`);
    const [, script] = /^node (\S+)$/.exec(scripts[name]);
    assertKnows(script, args.slice(1), where);
  }
});

test("every option that a document gives the command is one of its own", () => {
  const found = [...beginning("npx", "querytune"), ...beginning("querytune")].filter(({ args }) => args.length > 0);
  assert.ok(found.length >= 8, `${found.length} are found`);
  for (const { args, ...where } of found) assertKnows("pkg/cli/querytune.mjs", args, where);
});

test("every option that a sentence names is one of the command's or of a script's", () => {
  const programs = [
    ["pkg/cli/querytune.mjs", "help", "adapt"],
    ["pkg/cli/querytune.mjs", "help", "search"],
  ];
  for (const name of ["adapt", "bench", "build", "demo", "experiments", "screenshots"])
    programs.push([`scripts/${name}.mjs`, "--help"]);
  // Whether they have an option for help or not: all of them then say which there are.
  const texts = programs.map(([script, ...args]) => {
    const { stdout, stderr } = spawnSync(process.execPath, [join(root, script), ...args], { encoding: "utf8" });
    return stdout + stderr;
  });
  const known = new Set(texts.flatMap((text) => text.match(/--[\w-]+/g)));
  const ofDeno = "--allow-read";
  for (const path of documents) {
    for (const code of codeWithin(path).filter((one) => one.startsWith("--") && one !== ofDeno))
      assert.ok(known.has(code.split(" ")[0]), `${path}: ${code}`);
  }
});

test("every job that a document describes is one", () => {
  const names = jobTable.map(([name]) => `--${name}`);
  let count = 0;
  for (const { path, line, args } of all) {
    const given = args.flatMap((word, i) => (names.includes(word) ? [word, args[i + 1]] : []));
    if (given.length === 0) continue;
    count += 1;
    assert.doesNotThrow(() => jobOptions(new Arguments(jobTable, { help: "" }).read(given)), `${path}: ${line}`);
  }
  assert.ok(count > 0);
});

test("every test and bench of the engine that a document names is there", () => {
  const named = beginning("cargo").filter(({ args }) => args.includes("--test"));
  assert.ok(named.length >= 2, `${named.length} are found`);
  for (const { path, line, args } of named) {
    const [name, filter] = args.slice(args.indexOf("--test") + 1);
    const folder = join(root, "tests", name);
    const places = existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [`${folder}.rs`];
    const source = places.filter(existsSync).map((place) => readFileSync(place, "utf8"));
    const [part] = filter.split("::");
    assert.ok(
      source.some((text) => new RegExp(`\\b(mod|fn) \\w*${part}`).test(text)),
      `${path}: ${line}`,
    );
  }
  if (beginning("cargo", "bench").length > 0) assert.ok(existsSync(join(root, "benches")));
});

test("every file that a document has Node run is there", () => {
  const found = beginning("node");
  assert.ok(found.length > 0);
  for (const { path, line, args } of found) assert.ok(existsSync(join(root, args[0])), `${path}: ${line}`);
});
