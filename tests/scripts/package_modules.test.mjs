// The package's modules know one direction only, and a reader is told which.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";

const folder = join(root, "pkg", "src");
const read = (name) => readFileSync(join(folder, name), "utf8");
const modules = readdirSync(folder).filter((name) => /\.(ts|js)$/.test(name) && !name.endsWith(".d.ts"));

/** The names in each row of the README's table, from the top. */
const rows = read("README.md")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => [...line.split("|")[1].matchAll(/`([^`]+)`/g)].map(([, name]) => name));

/** The row that a module stands in: by its name before by a pattern. */
function rowOf(module) {
  const named = rows.findIndex((names) => names.includes(module));
  if (named >= 0) return named;
  const fits = (pattern) => pattern.includes("*") && new RegExp(`^${pattern.replace("*", ".+")}$`).test(module);
  return rows.findIndex((names) => names.some(fits));
}

/** The modules of the same folder that a module imports, or takes types from. */
function imports(module) {
  const named = [...read(module).matchAll(/from "\.\/([\w-]+)\.js"/g)].map(([, name]) => name);
  return modules.filter((other) => named.includes(other.replace(/\.\w+$/, "")));
}

test("every module of the package is in the README's table", () => {
  assert.ok(modules.length > 40);
  assert.deepEqual(
    modules.filter((module) => rowOf(module) < 0),
    [],
  );
});

test("no module of the package imports one that stands above it", () => {
  const upwards = modules.flatMap((module) =>
    imports(module)
      .filter((other) => rowOf(other) < rowOf(module))
      .map((other) => `${module} imports ${other}`),
  );
  assert.deepEqual(upwards, []);
});

test("no two modules of the package import each other, not even by way of others", () => {
  const visited = new Map();
  const circles = [];
  const visit = (module, way) => {
    if (visited.get(module) === "done") return;
    if (visited.get(module) === "open") {
      circles.push([...way.slice(way.indexOf(module)), module].join(" > "));
      return;
    }
    visited.set(module, "open");
    for (const other of imports(module)) visit(other, [...way, module]);
    visited.set(module, "done");
  };
  for (const module of modules) visit(module, []);
  assert.deepEqual(circles, []);
});
