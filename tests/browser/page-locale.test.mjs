// Numbers, sizes and dates are written as the reader's browser writes them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
/** The thousands' sign of 2009, the decimal sign, and what a date of November looks like. */
const locales = {
  "de-DE": { thousand: "2.009", decimal: /\b0,\d{4}\b/, size: /\d,\d\sMB/, date: /\d{1,2}\.\d{2}\.\d{4}, \d{2}:\d{2}/ },
  "fr-FR": {
    thousand: "2\u202f009",
    decimal: /\b0,\d{4}\b/,
    size: /\d,\d\sMo/,
    date: /\d{1,2} \S+ \d{4}[, à]+\d{2}:\d{2}/,
  },
};

for (const [locale, { thousand, decimal, size, date }] of Object.entries(locales)) {
  test(`in ${locale}`, { timeout }, async () => {
    const demo = await DemoPage.open({ locale });
    try {
      await demo.visit();
      await demo.useSample();
      const summary = await demo.get("summary-documents").innerText();
      assert.ok(summary.startsWith(`${thousand} documents`), summary);
      await demo.useTinyJob({ judged: false });
      await demo.get("file-qrels-remove").click();
      await demo.run();
      const figures = await demo.get("results").innerText();
      assert.match(figures, decimal);
      assert.doesNotMatch(figures, /\d\.\d/);
      const told = await demo.get("delivered").innerText();
      assert.match(told, /\b[01],\d{4}\b/);
      assert.doesNotMatch(told, /\d\.\d/);
      const recipe = demo.get("recipe").locator("xpath=..");
      await demo.get("recipe").click();
      assert.match(await recipe.innerText(), /learningRate\s+0,001/);
      assert.doesNotMatch(await recipe.innerText(), /\d\.\d/);
      assert.match(await demo.get("storage").innerText(), size);
      assert.match(await demo.get("history").innerText(), date);
    } finally {
      await demo.close();
    }
  });
}
