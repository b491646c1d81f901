// The installed package in a client component of a Next.js project without configuration.
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertBuildRuns } from "./support/pages.mjs";
import { createProject } from "./support/project.mjs";

const timeout = 5 * 60_000;
const files = {
  // A folder of static files, so that no server of Next.js' own has to run.
  "next.config.mjs": `export default { output: "export" };`,
  "app/layout.js": `export default ({ children }) => <html lang="en"><body>{children}</body></html>;`,
  "app/page.js": `import { Search } from "./search";
export default () => <Search />;`,
  "app/search.js": `"use client";
import { load } from "querytune";
import { useEffect } from "react";
import { job } from "../src/job";

export function Search() {
  useEffect(() => {
    globalThis.runJob = (input) => job(load, input);
  }, []);
  return <p>Search</p>;
}`,
};

let project;

before(
  async () => {
    project = await createProject("next", {
      dependencies: { next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1" },
      files,
    });
  },
  { timeout },
);

after(() => project?.remove());

test("a page built by Next.js runs the package in a client component", { timeout }, async () => {
  await project.run("next", ["build"], { env: { NEXT_TELEMETRY_DISABLED: "1" } });
  await assertBuildRuns(join(project.folder, "out"));
});
