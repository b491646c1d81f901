// On a screen of 360 pixels, and at 200 % on a small laptop's, nothing lies beyond the edge and all can be reached.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
/** Zooming to 200 % halves the pixels that the layout has. */
const sizes = { "a phone": { width: 360, height: 740 }, "1280 x 720 at 200 %": { width: 640, height: 360 } };
let demo;

before(
  async () => {
    demo = await DemoPage.open({ viewport: sizes["a phone"] });
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

/** Elements that stick out of the page, unless they lie in something that scrolls by itself. */
const beyond = () =>
  demo.page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => element.closest(".scroll, pre, .hidden");
    const found = [...document.body.querySelectorAll("*")]
      .filter((element) => !scrolls(element) && element.checkVisibility())
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`);
    if (document.documentElement.scrollWidth > width)
      found.push(`the page is ${document.documentElement.scrollWidth} wide`);
    return found;
  });

async function fits() {
  await demo.page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  for (const [name, size] of Object.entries(sizes)) {
    await demo.page.setViewportSize(size);
    // Plots follow a moment later.
    await demo.page.waitForTimeout(200);
    assert.deepEqual(await beyond(), [], name);
  }
}

test("the empty page fits", { timeout }, fits);

test("the page with data fits", { timeout }, async () => {
  await demo.useTinyJob({ judged: true });
  await demo.choose(
    "test-queries",
    "a-very-long-name-without-any-space-in-it-as-exports-of-search-logs-have.csv",
    "id,query\nq1,tent\n",
  );
  await demo.get("summary-test-queries").waitFor();
  await fits();
  await demo.get("file-test-queries-remove").click();
});

test("the page with a result fits", { timeout }, async () => {
  await demo.run();
  await demo.get("search-box").fill("a-query-that-is-one-very-long-word-without-a-place-to-break-it-anywhere");
  await demo.get("search-submit").click();
  await demo.get("search-tuned").waitFor();
  await fits();
});
