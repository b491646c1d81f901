// Who wrote what is inside the npm package and the page: all crates that are linked into the wasm and all modules that
// are bundled, with their licences, as a text that goes with them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./command.mjs";
import { readJson } from "./hash.mjs";
import { root } from "./paths.mjs";
import { Failure } from "./terminal.mjs";
import { wasmCargo } from "./toolchain.mjs";

/** Licences that go with MIT and Apache-2.0 in a package of unchanged works (SPDX). */
const accepted = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BSL-1.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "MPL-2.0",
  "Unicode-3.0",
  "Unlicense",
  "Zlib",
]);

/**
 * Whether a licence expression can be met by the licences in `allowed`: names joined by AND, OR and parentheses; a slash
 * is an old OR, what follows WITH only gives more rights.
 */
export function isAllowed(expression, allowed = accepted) {
  const tokens = (expression ?? "").replaceAll("/", " OR ").match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const term = () => {
    const token = tokens[at++];
    if (token === "(") {
      const found = either();
      at++;
      return found;
    }
    if (tokens[at] === "WITH") at += 2;
    return allowed.has(token);
  };
  const both = () => {
    let found = term();
    while (tokens[at] === "AND") {
      at++;
      found = term() && found;
    }
    return found;
  };
  const either = () => {
    let found = both();
    while (tokens[at] === "OR") {
      at++;
      found = both() || found;
    }
    return found;
  };
  return tokens.length > 0 && either() && at === tokens.length;
}

const isNotice = (name) => /^(licen[cs]e|copying|notice|unlicense|copyright|authors)/i.test(name);

/** The licences, notices and lists of authors in a folder. */
function textsIn(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isNotice(entry.name))
    .map(({ name }) => readFileSync(join(folder, name), "utf8"));
}

/** The crates that cargo links into the wasm: no build scripts, no macros, nothing of the tests. */
async function linkedCrates() {
  const { cargo, env } = wasmCargo();
  const cargoSays = (...args) =>
    run(cargo, [...args, "--locked", "--features", "webgpu"], { cwd: root, env, most: Number.POSITIVE_INFINITY });
  const target = "wasm32-unknown-unknown";
  const tree = ["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"];
  // Lines are "name v1.2.3 …"; others say what cargo is waiting for.
  const lines = (await cargoSays("tree", "--target", target, ...tree)).match(/^\S+ v\d\S*/gm);
  const linked = new Set(lines);
  const output = await cargoSays("metadata", "--format-version", "1", "--filter-platform", target);
  const metadata = JSON.parse(output.split("\n").find((line) => line.startsWith("{")));
  return metadata.packages
    .filter(({ name, version, source }) => source && linked.has(`${name} v${version}`))
    .map(({ name, version, license, repository, authors, manifest_path }) => ({
      name,
      version,
      license,
      repository: repository ?? undefined,
      authors: authors.map((author) => author.replace(/\s*<.*>/, "")),
      texts: textsIn(dirname(manifest_path)),
    }));
}

/** The npm packages of which a build bundled something, by its list. */
function bundledModules(names) {
  return names.map((name) => {
    const folder = join(root, "node_modules", name);
    const { version, license, repository, author } = readJson(join(folder, "package.json"));
    const address = typeof repository === "object" ? repository.url : repository;
    const person = typeof author === "object" ? author.name : author;
    return {
      name,
      version,
      license,
      repository: address?.replace(/^git\+/, "").replace(/\.git$/, ""),
      authors: person ? [person.replace(/\s*<.*>/, "")] : [],
      texts: textsIn(folder),
    };
  });
}

const project = (address) => address?.replace(/\/tree\/.*|\.git$|\/$/g, "");

/** A text for a work that comes without one: its project's, or the licence itself where that names nobody. */
function textsFor(work, all) {
  if (work.texts.length > 0) return work.texts;
  const own = work.repository && project(work.repository);
  const sibling = own && all.find((other) => other.texts.length > 0 && project(other.repository) === own);
  if (sibling) return sibling.texts;
  if (isAllowed(work.license, new Set(["Apache-2.0"]))) return [readFileSync(join(root, "LICENSE-APACHE"), "utf8")];
  if (work.license === "MIT" && work.authors.length > 0) {
    const text = readFileSync(join(root, "LICENSE-MIT"), "utf8");
    return [text.replace(/^Copyright .*$/m, `Copyright (c) ${work.authors.join(", ")}`)];
  }
  const same = all.find((other) => other.license === "MPL-2.0" && other.texts.length > 0);
  if (work.license === "MPL-2.0" && same) return same.texts;
  throw new Failure(`${work.name} ${work.version} (${work.license}) comes without the text of its licence.`);
}

const rule = "-".repeat(80);

/** The whole text. `works`: `{ name, version, license, repository, authors, texts }`; `whole`: what they are inside of. */
export function noticesOf(works, whole = "package") {
  const refused = works.filter(({ license }) => !isAllowed(license));
  if (refused.length > 0) {
    const list = refused.map(({ name, version, license }) => `${name} ${version} (${license ?? "no licence"})`);
    throw new Failure(`These may not be in the ${whole}, for their licences: ${list.join(", ")}.`);
  }
  // Texts that differ only in how their lines are broken are the same.
  const texts = new Map();
  const numbersOf = (work) =>
    textsFor(work, works).map((text) => {
      const key = text.replace(/\s+/g, " ").trim().toLowerCase();
      if (!texts.has(key)) texts.set(key, { number: texts.size + 1, text: text.replaceAll("\r", "").trim() });
      return texts.get(key).number;
    });
  const lines = works.map((work) => {
    const { name, version, license, repository, authors } = work;
    const texts = [...new Set(numbersOf(work))].map((number) => `[${number}]`).join(" ");
    const more = [repository, authors.join(", ")].filter(Boolean).join(", ");
    return `${name} ${version}: ${license} ${texts}${more && `\n    ${more}`}`;
  });
  return [
    `This ${whole} contains the works of others, unchanged and compiled. They are listed with`,
    "their licences and the numbers of the texts that came with them, which follow.",
    "",
    "The standard library of Rust: MIT OR Apache-2.0, Copyright (c) The Rust Project Contributors",
    "    https://github.com/rust-lang/rust",
    ...lines,
    ...[...texts.values()].flatMap(({ number, text }) => ["", rule, `[${number}]`, "", text]),
    "",
  ].join("\n");
}

const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1);

/** The npm packages inside the package as it is built. */
function inPackage() {
  const list = join(root, "pkg", "dist", "bundled.json");
  if (!existsSync(list)) throw new Failure("The package is not built yet: npm run build.");
  return readJson(list);
}

/** The notices of the npm package as it is built. */
export async function packageNotices() {
  return noticesOf([...bundledModules(inPackage()), ...(await linkedCrates()).sort(byName)]);
}

/** The notices of the page, which has the package in it. `modules`: names of the npm packages that it adds. */
export async function pageNotices(modules) {
  const names = [...new Set([...modules, ...inPackage()])].sort();
  return noticesOf([...bundledModules(names), ...(await linkedCrates()).sort(byName)], "page");
}
