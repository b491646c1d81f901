// Texts in other languages than the models know are noticed, before hours are spent on them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { DemoPage } from "./support/demo-page.mjs";
import { openPart } from "./support/part-page.mjs";

const timeout = 60_000;
let part;

before(
  async () => {
    part = await openPart(`
      import { isEnglish } from "./www/src/language.ts";
      globalThis.isEnglish = isEnglish;
    `);
  },
  { timeout },
);

after(() => part?.close());

/** Every beginning with every end. */
const combined = (beginnings, ends) => beginnings.flatMap((beginning) => ends.map((end) => `${beginning} ${end}`));

const CATALOGUES = {
  German: combined(
    [
      "Laufschuhe für Herren",
      "Wasserdichte Regenjacke",
      "Kühlschrank mit Gefrierfach",
      "Gartenschlauch 25 m",
      "Bohrmaschine",
    ],
    [
      "in Schwarz, Größe 43",
      "mit zwei Jahren Garantie",
      "aus recyceltem Kunststoff",
      "für die ganze Familie",
      "leicht und leise",
      "im praktischen Koffer",
      "zum Aufhängen an der Wand",
      "ohne Kabel",
      "für drinnen und draußen",
      "sehr günstig",
      "auch als Geschenk",
    ],
  ),
  French: combined(
    [
      "Chaussures de course pour homme",
      "Veste imperméable",
      "Réfrigérateur avec congélateur",
      "Tuyau d’arrosage",
      "Perceuse",
    ],
    [
      "noire, taille 43",
      "avec deux ans de garantie",
      "en plastique recyclé",
      "pour toute la famille",
      "légère et silencieuse",
      "dans un coffret pratique",
      "à accrocher au mur",
      "sans fil",
      "pour l’intérieur et l’extérieur",
      "très bon marché",
      "aussi en cadeau",
    ],
  ),
  Russian: combined(
    ["Кроссовки мужские", "Непромокаемая куртка", "Холодильник с морозильной камерой", "Садовый шланг", "Дрель"],
    [
      "чёрные, размер 43",
      "с гарантией два года",
      "из переработанного пластика",
      "для всей семьи",
      "лёгкая и тихая",
      "в удобном чемодане",
      "для крепления на стену",
      "без провода",
      "для дома и улицы",
      "очень дёшево",
      "в подарок",
    ],
  ),
  English: combined(
    ["Running shoes for men", "Waterproof jacket", "Fridge with freezer", "Garden hose 25 m", "Power drill"],
    [
      "in black, size 43",
      "with two years of warranty",
      "made of recycled plastic",
      "for the whole family",
      "light and quiet",
      "in a handy case",
      "to hang on the wall",
      "without a cord",
      "for indoors and outdoors",
      "at a very low price",
      "also as a gift",
    ],
  ),
};

const isEnglish = (texts) => part.page.evaluate((texts) => globalThis.isEnglish(texts), texts);

for (const [language, texts] of Object.entries(CATALOGUES)) {
  const expected = language === "English";
  test(`a catalogue in ${language} ${expected ? "looks" : "does not look"} like English`, { timeout }, async () => {
    assert.equal(await isEnglish(texts), expected);
  });
}

test("titles of science in English look like it; a few words tell nothing, nor do numbers", { timeout }, async () => {
  const sample = readFileSync(join(root, "examples", "sample", "documents.csv"), "utf8")
    .split("\n")
    .slice(1, 61);
  assert.equal(await isEnglish(sample.map((line) => line.replace(/^[^,]*,/, ""))), true);
  assert.equal(await isEnglish(CATALOGUES.German.slice(0, 5)), undefined);
  assert.equal(
    await isEnglish(Array.from({ length: 60 }, (_, i) => `${7919 * i} ${104_729 * i} 0815-${i}`)),
    undefined,
  );
});

test("the page says so beside the models, and names others by one key", { timeout: 3 * timeout }, async () => {
  const demo = await DemoPage.open();
  try {
    await demo.visit();
    await demo.choose("documents", "english.csv", `title\n${CATALOGUES.English.join("\n")}\n`);
    await demo.get("preview-documents").waitFor();
    assert.equal(await demo.get("not-english").count(), 0);
    await demo.choose(
      "documents",
      "deutsch.csv",
      `titel\n${CATALOGUES.German.map((text) => `"${text}"`).join("\n")}\n`,
    );
    await demo.get("not-english").waitFor();
    await demo.get("not-english-other").press("Enter");
    assert.match(await demo.get("hub-cross-encoder").inputValue(), /mmarco/);
    assert.equal(await demo.get("not-english").count(), 0);
    assert.equal(await demo.get("models-hub").evaluate((radio) => radio === document.activeElement), true);
    assert.deepEqual(demo.failures, []);
  } finally {
    await demo.close();
  }
});
