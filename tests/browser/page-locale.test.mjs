// Numbers, sizes and dates are written as the reader's browser writes them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";
import { openPart } from "./support/part-page.mjs";

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

test("the number of a line is written as in de-DE, and the place is said once", { timeout }, async () => {
  const { page, close } = await openPart(
    `import { render } from "preact";
    import { QuerytuneError } from "querytune";
    import { ErrorBox } from "./www/src/parts/error-box.tsx";
    const error = new QuerytuneError("input", "log.csv, line 12345, column 2: no text", {
      position: { file: "log.csv", line: 12345, column: 2 },
    });
    render(<ErrorBox error={error} testid="error" />, document.getElementById("app"));`,
    { locale: "de-DE" },
  );
  try {
    assert.equal(await page.getByTestId("error").innerText(), "log.csv, line 12.345, column 2: no text");
  } finally {
    await close();
  }
});

test("figures in the engine's sentences are written as in de-DE, too", { timeout }, async () => {
  const { page, close } = await openPart(
    `import { because } from "./www/src/delivered.ts";
    import { localized } from "./www/src/format.ts";
    Object.assign(globalThis, { because, localized });`,
    { locale: "de-DE" },
  );
  try {
    const written = (text) => page.evaluate((text) => globalThis.localized(text), text);
    assert.equal(
      await written(
        "nDCG@10 rose by .012 with 200 queries, by .026 with 400. (-0.123, p = 0.0400): model-1.2.3 of v2.5.",
      ),
      "nDCG@10 rose by 0,012 with 200 queries, by 0,026 with 400. (-0,123, p = 0,0400): model-1.2.3 of v2.5.",
    );
    const told = await page.evaluate(() => {
      const against = (difference, conclusion) => ({
        judged: { difference, ci95: [difference - 0.1, difference + 0.1] },
        p: 0.004,
        conclusion,
        sentence: "nDCG@10 -0.200 on 12 judged queries, p = 0.004",
      });
      const judging = {
        queries: 12,
        "ndcg@10": { base: 0.75, tuned: 0.55, crossEncoder: 0.8 },
        tuned: against(-0.2, "worse"),
        crossEncoder: against(0.05, "no-difference-shown"),
      };
      const agreement = { random: { base: 0.5, tuned: 0.625, ci95: [-0.0125, 0.25] } };
      const fit = { delivered: "base", decidedBy: "judging", reason: judging.tuned.sentence };
      return globalThis.because({ fit, judging, evaluation: { agreement } });
    });
    assert.match(told, /worse than the base model: .* base 0,7500, tuned 0,5500 \(-0,2000, 95 % interval -0,3000 to /);
    assert.match(
      told,
      /agreement with the cross-encoder rose from 0,5000 to 0,6250; that may be chance \(95 % interval .* -0,0125 to \+0,2500\)\.$/,
    );
    assert.doesNotMatch(told, /\d\.\d/);
  } finally {
    await close();
  }
});
