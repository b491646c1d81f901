// A file that was changed or deleted since it was opened is refused with a code of its own, and the session goes on.
import assert from "node:assert/strict";
import { openAsBlob, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { loadArtifact, open } from "../../pkg/dist/core.js";
import { Workplace } from "./support/command.mjs";

const place = new Workplace();
let session;

before(async () => {
  session = await open({ store: "memory" });
});

after(() => {
  session?.dispose();
  place.remove();
});

/** A file of that name which is another by the time it is read. */
async function changed(name) {
  const path = place.path(name);
  writeFileSync(path, "q1\td1\t1\n");
  const file = new File([await openAsBlob(path)], name);
  writeFileSync(path, "longer than it was\n".repeat(9));
  return file;
}

/** The same, but it is gone. */
async function deleted(name) {
  const file = await changed(name);
  rmSync(place.path(name));
  return file;
}

for (const [made, file] of Object.entries({ changed, deleted })) {
  test(`texts, judgements and a download that were ${made} are refused by their names`, async () => {
    for (const [name, read] of [
      ["log.csv", (given) => session.readQueries(given)],
      ["shop.csv", (given) => session.readDocuments(given)],
      ["qrels.tsv", (given) => session.readJudgements(given)],
      ["search.zip", (given) => loadArtifact(given, { store: "memory" })],
    ]) {
      await assert.rejects(read(await file(name)), {
        name: "QuerytuneError",
        code: "input-unreadable",
        message: new RegExp(`^${name}: The file cannot be read: .*Choose it again\\.$`),
        position: { file: name, line: 0, column: 0 },
        endsSession: false,
      });
    }
  });
}

test("the session reads others afterwards", async () => {
  const texts = await session.readQueries(new File(["tent\nlamp\n"], "log.txt"));
  assert.equal(texts.length, 2);
});

test("what is no file of judgements is refused as an argument", async () => {
  await assert.rejects(session.readJudgements("q1\td1\t1\n"), { code: "option" });
});
