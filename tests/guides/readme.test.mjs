// The code of README.md and docs/methods.md runs as it stands: the package's in a page that has the models from an
// earlier visit, Python in a folder with the download's model, the command in a terminal. All of it adapts one and the
// same small log, so that each has to come to the numbers of the others.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { readZip } from "../../pkg/cli/zip.mjs";
import { run as runProgram } from "../../scripts/lib/command.mjs";
import { preparePythonOf } from "../../scripts/lib/interop.mjs";
import { code } from "../packaging/support/guide.mjs";
import { ExamplePage } from "./support/example-page.mjs";
import { Follower } from "./support/guide.mjs";
import { documents, LESSON, queries } from "./support/small-log.mjs";

// The first time, torch is downloaded.
const timeout = 30 * 60_000;

let opened;
let follower;
let place;
/** What the example of the whole road has come to. */
let job;
/** Its download. */
let zip;

/** What was run. */
const used = new Set();

/** The only code in that language of a document that holds this text. */
function example(path, language, text) {
  const found = code(language, path).filter((one) => one.includes(text));
  assert.equal(found.length, 1, `${path}: ${text}`);
  used.add(found[0]);
  return found[0];
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

before(
  async () => {
    const routes = {
      "/artifact.zip": async (request, response) => {
        zip = await body(request);
        response.writeHead(204).end();
      },
    };
    opened = await ExamplePage.open({ routes, timeout });
    // What the text takes for given.
    await opened.page.evaluate((texts) => Object.assign(globalThis, texts, { signal: new AbortController().signal }), {
      queries,
      documents,
    });
    place = mkdtempSync(join(tmpdir(), "querytune-readme-"));
  },
  { timeout },
);

after(async () => {
  await opened?.close();
  await follower?.close();
  if (place) rmSync(place, { recursive: true, force: true });
});

const lossesOf = ({ fit }) => fit.history.map(({ loss }) => loss);

const short = (hits) => hits.map(({ text, score }) => [text, score]);

/** Fails unless the same documents are found in the same order, with scores that far from each other at most. */
function assertHits(found, due, tolerance) {
  assert.deepEqual(
    found.map(([text]) => text),
    due.map(([text]) => text),
  );
  for (const [i, [text, score]] of found.entries()) {
    const distance = Math.abs(score - due[i][1]);
    assert.ok(distance <= tolerance, `${text}: ${score} and ${due[i][1]}`);
  }
}

test("the package adapts a model to a log", { timeout }, async () => {
  job = await opened.run(example("README.md", "ts", "tuner.synthesize("), {
    names: ["run", "relations", "zip", "base", "tuned", "ranked"],
    use: async ({ run, relations, zip, base, tuned, ranked }) => {
      globalThis.zip = zip;
      await fetch("/artifact.zip", { method: "PUT", body: zip });
      return { report: run.report, summary: relations.summary(), base, tuned, ranked };
    },
  });
  assert.equal(job.report.relations.depth, 20);
  assert.equal(job.summary.scored, 20 * queries.length);
  assert.equal(job.report.fit.delivered, "tuned", job.report.fit.reason);
  assert.notDeepEqual(short(job.base), short(job.tuned));
  assert.equal(job.tuned[0].text, LESSON);
  assert.equal(job.ranked[0].index, 0);
  const said = opened.said.join("\n");
  assert.match(said, /stage: load, done: 2, total: 2/);
  assert.match(said, /^tuned /m);
});

test("its download finds in a page what the job has found", { timeout }, async () => {
  const hits = await opened.run(example("README.md", "ts", "loadArtifact("), {
    names: ["model", "hits"],
    use: ({ model, hits }) => {
      model.dispose();
      return hits;
    },
  });
  // The same engine, the same numbers.
  assertHits(short(hits), short(job.tuned), 1e-6);
});

test("a longer budget scores deeper, and only what is new", { timeout }, async () => {
  const { first, deeper, depths, losses } = await opened.run(
    `import { load } from "querytune"; const tuner = await load();
    ${example("docs/methods.md", "ts", "budgetSeconds")}`,
    {
      names: ["first", "deeper", "run", "better", "tuner"],
      use: ({ first, deeper, run, better, tuner }) => {
        tuner.dispose();
        return {
          first: first.summary(),
          deeper: deeper.summary(),
          depths: [run, better].map(({ report }) => report.relations.depth),
          losses: run.report.fit.history.map(({ loss }) => loss),
        };
      },
    },
  );
  const all = queries.length * documents.length;
  assert.deepEqual([first.scored, deeper.scored], [20 * queries.length, all]);
  // The first is the job that the README has begun: its scores were kept.
  assert.deepEqual([first.cached, deeper.cached], [first.scored, first.scored]);
  assert.deepEqual(depths, [20, documents.length]);
  assert.deepEqual(losses, lossesOf(job.report));
});

test("its download is a model for sentence-transformers, which comes to the same cosine", { timeout }, async () => {
  const python = await preparePythonOf("6.2");
  for (const [name, content] of readZip(zip)) {
    const path = join(place, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content());
  }
  const lines = example("README.md", "python", "SentenceTransformer");
  writeFileSync(join(place, "use.py"), `${lines}\nprint("COSINE", float(queries[0] @ documents[0]))\n`);
  const env = { HF_HUB_OFFLINE: "1", CUDA_VISIBLE_DEVICES: "", TQDM_DISABLE: "1" };
  const printed = await runProgram(python, ["use.py"], { cwd: place, env });
  const cosine = Number(/^COSINE (.*)$/m.exec(printed)[1]);
  const [due, base] = [job.tuned, job.base].map((hits) => hits.find(({ text }) => text === LESSON).score);
  // 16-bit integers there, 32-bit numbers here.
  assert.ok(Math.abs(cosine - due) < 1e-3, `${cosine} and ${due}`);
  assert.ok(Math.abs(cosine - base) > 5e-3, `the base model has ${base}`);
});

test("the command comes to the same model, and finds with it what the package finds", { timeout }, async () => {
  const lines = example("README.md", "", "npx querytune search").trim().split("\n");
  follower = await Follower.open();
  await follower.run("npm install querytune");
  const table = (texts) => `text\n${texts.map((text) => `"${text}"\n`).join("")}`;
  follower.write("log.csv", table(queries));
  follower.write("docs.csv", table(documents));
  await follower.follow(lines.map((command) => ({ command })));
  const report = JSON.parse(readFileSync(follower.path("tuned", "report.json"), "utf8"));
  assert.deepEqual(lossesOf(report), lossesOf(job.report));
  assert.match(follower.printed.get(lines[0]), /Delivered: the tuned model/);
  const [, printed] = /^tuned model.*\n([\s\S]*?)\n\n/m.exec(follower.printed.get(lines[1]));
  const found = [...printed.matchAll(/^ +\d+ +\S+ +(0\.\d+) {2}(.*)$/gm)].map(([, score, text]) => [
    text,
    Number(score),
  ]);
  // Four digits are printed.
  assertHits(found, short(job.tuned), 6e-5);
});

test("there is no other code in these documents", () => {
  const languages = ["ts", "js", "python", "sh"];
  const all = ["README.md", "docs/methods.md"].flatMap((path) => languages.flatMap((one) => code(one, path)));
  assert.deepEqual(
    all.filter((one) => !used.has(one)),
    [],
  );
});
