// Notices of third parties: which licences may be in the package, and what the text says of each work.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isAllowed, noticesOf } from "../../scripts/lib/notices.mjs";

const work = (name, license, texts, more) => ({ name, version: "1.0.0", license, authors: [], texts, ...more });

test("a licence expression is met by one of a choice and by all of a list", () => {
  for (const met of [
    "MIT",
    "MIT OR GPL-3.0",
    "GPL-3.0/MIT",
    "(GPL-3.0 OR MIT) AND ISC",
    "Apache-2.0 WITH LLVM-exception",
  ]) {
    assert.equal(isAllowed(met), true, met);
  }
  for (const not of ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "", undefined, "MIT MIT"]) {
    assert.equal(isAllowed(not), false, String(not));
  }
});

test("a work under a licence that does not go with the package's is refused by name", () => {
  assert.throws(
    () => noticesOf([work("good", "MIT", ["a"]), work("viral", "GPL-3.0", ["b"])]),
    /viral 1\.0\.0 \(GPL-3\.0\)/,
  );
});

test("equal texts are there once, however their lines are broken", () => {
  const text = noticesOf([work("one", "MIT", ["Do what\nyou like."]), work("two", "MIT", ["Do what you\r\nlike.\n"])]);
  assert.equal(text.match(/^\[\d+\]$/gm).length, 1);
  assert.match(text, /^one 1\.0\.0: MIT \[1\]\ntwo 1\.0\.0: MIT \[1\]$/m);
});

test("a work without a text gets its project's, or the licence itself where that names nobody or its authors are known", () => {
  const repository = "https://example.com/project";
  const works = [
    work("whole", "MIT", ["Copyright of the project"], { repository }),
    work("part", "MIT", [], { repository: `${repository}/tree/main/part` }),
    work("alone", "MIT OR Apache-2.0", []),
    work("signed", "MIT", [], { authors: ["the signers"] }),
  ];
  const text = noticesOf(works);
  assert.match(text, /^part 1\.0\.0: MIT \[1\]$/m);
  assert.match(text, /^alone 1\.0\.0: MIT OR Apache-2\.0 \[2\]$/m);
  assert.match(text, /Apache License\s+Version 2\.0/);
  assert.match(text, /^signed 1\.0\.0: MIT \[3\]$/m);
  assert.match(text, /^Copyright \(c\) the signers$/m);
  assert.throws(() => noticesOf([work("nameless", "MIT", [])]), /nameless .* without the text of its licence/);
});
