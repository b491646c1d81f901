// The texts of the benchmark, all from data of this repository, and how they are dealt into turns.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { root } from "../lib/paths.mjs";

/** Rows of a CSV file with a header, as objects. Fields may be quoted; that is all the files here need. */
export function readCsv(text) {
  const rows = [[]];
  let end = 0;
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    const [whole, quoted, plain, separator] = match;
    if (match.index !== end) throw new SyntaxError(`Not a CSV file: ${text.slice(end, end + 40)}`);
    end = match.index + whole.length;
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === text.length) break;
    if (separator !== ",") rows.push([]);
  }
  const [header, ...records] = rows.filter((row) => row.length > 1 || row[0] !== "");
  return records.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i]])));
}

const scifact = join(root, "tests", "data", "scifact");
const sample = join(root, "examples", "sample");

const textsOf = (rows) => rows.map(({ text }) => text);
const distinct = (texts) => [...new Set(texts)];

function readTexts() {
  const parts = ["documents-1.csv.gz", "documents-2.csv.gz"].map((name) =>
    gunzipSync(readFileSync(join(scifact, name))),
  );
  const read = (folder, name) => readCsv(readFileSync(join(folder, name), "utf8"));
  return {
    abstracts: distinct(readCsv(Buffer.concat(parts).toString()).map(({ title, text }) => `${title} ${text}`)),
    claims: distinct(textsOf(read(scifact, "queries.csv"))),
    shortClaims: distinct(textsOf(read(sample, "queries.csv"))),
    titles: distinct(textsOf(read(sample, "documents.csv"))),
  };
}

const words = (text) => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));

/** Documents that share the most telling words with a query: what a search would hand to the cross-encoder. */
export function candidates(queries, documents, count) {
  const sets = documents.map(words);
  const frequency = new Map();
  for (const set of sets) for (const word of set) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  return queries.map((query) => {
    const wanted = [...words(query)].filter((word) => frequency.has(word));
    const scores = sets.map((set) =>
      wanted.reduce((sum, word) => (set.has(word) ? sum + Math.log(documents.length / frequency.get(word)) : sum), 0),
    );
    const order = [...documents.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
    return { query, documents: order.slice(0, count).map((i) => documents[i]) };
  });
}

/** The longest beginning of a text, in whole words, for which `fits` holds; it must hold for all shorter ones. */
export function cut(text, fits) {
  if (fits(text)) return text;
  const ends = [...text.matchAll(/\S+/g)].map(({ index, 0: word }) => index + word.length);
  let [good, bad] = [0, ends.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (fits(text.slice(0, ends[middle - 1]))) good = middle;
    else bad = middle;
  }
  return text.slice(0, ends[good - 1] ?? 0);
}

/** Deals items by falling size, back and forth, so that every hand has as much to do as the others. */
export function deal(items, hands, sizeOf) {
  const dealt = Array.from({ length: hands }, () => []);
  const sorted = items.toSorted((a, b) => sizeOf(b) - sizeOf(a));
  for (const [i, item] of sorted.entries()) {
    const round = Math.floor(i / hands);
    dealt[round % 2 ? hands - 1 - (i % hands) : i % hands].push(item);
  }
  return dealt;
}

/** Every `step`-th, `count` of them. */
const every = (items, count) => {
  const step = Math.max(1, Math.floor(items.length / count));
  return items.filter((_, i) => i % step === 0).slice(0, count);
};

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** What a full comparison would have; the peers take longer than forty minutes for all of it. */
const asked = { documents: 512, queries: 512, abstracts: 256, titles: 512 };

/** What it has: texts in all turns together; of pairs queries, and documents for each. Quick: fewer, not shorter. */
const sizes = {
  full: { turns: 4, documents: 256, queries: 512, abstracts: [4, 16], titles: [16, 16], job: [50, 1000], webgpu: 16 },
  quick: { turns: 2, documents: 32, queries: 64, abstracts: [2, 4], titles: [4, 8], job: [5, 100], webgpu: 4 },
};

/**
 * All works: `embed` ones of texts, `score` ones of `{ query, documents }`, dealt into as many slices as there are
 * turns. `tokens(text, second)` counts the tokens of a text or a pair.
 *
 * Texts are cut here to what the models take: transformers.js would drop the closing token where it truncates, and
 * so compute something else.
 */
export function makeWorks(tokens, { quick = false } = {}) {
  const size = sizes[quick ? "quick" : "full"];
  const { abstracts, claims, shortClaims, titles } = readTexts();
  const fitting = (text) => cut(text, (part) => tokens(part) <= 256);
  const fittingPair = (query) => (text) => cut(text, (part) => tokens(query, part) <= 512);
  const paired = (queries, documents, [count, each]) =>
    candidates(every(queries, count), documents, each).map(({ query, documents }) => ({
      query,
      documents: documents.map(fittingPair(query)),
    }));

  const embed = {
    documents: every(abstracts, size.documents).map(fitting),
    queries: distinct([...claims, ...shortClaims, ...titles]).slice(0, size.queries),
  };
  const score = {
    abstracts: paired(claims, abstracts, size.abstracts),
    titles: paired(shortClaims, titles, size.titles),
  };
  const works = {};
  for (const [name, texts] of Object.entries(embed)) {
    works[name] = { kind: "embed", items: texts.length, tokens: texts.map((text) => tokens(text)) };
    works[name].slices = deal(texts, size.turns, (text) => text.length);
  }
  for (const [name, groups] of Object.entries(score)) {
    const counts = groups.flatMap(({ query, documents }) => documents.map((document) => tokens(query, document)));
    works[name] = { kind: "score", items: counts.length, tokens: counts, candidates: groups[0].documents.length };
    works[name].slices = deal(groups, size.turns, ({ documents }) => sum(documents.map((text) => text.length)));
  }
  const [queryCount, documentCount] = size.job;
  return {
    turns: size.turns,
    works,
    job: {
      queries: every(shortClaims, queryCount),
      documents: titles.slice(0, documentCount),
      candidates: Math.min(100, documentCount),
      depth: Math.min(20, documentCount),
    },
    // In software WebGPU is some 70 times slower: few and short texts, in two turns.
    webgpu: {
      queries: { kind: "embed", slices: deal(embed.queries.slice(0, size.webgpu), 2, (text) => text.length) },
      titles: {
        kind: "score",
        candidates: size.webgpu / 2,
        slices: score.titles
          .slice(0, 2)
          .map((group) => [{ ...group, documents: group.documents.slice(0, size.webgpu / 2) }]),
      },
    },
    topK: { queries: quick ? 100 : 1000, documents: quick ? 10_000 : 100_000, dims: 384, count: 100 },
    growth: quick ? [5, 10, 20] : [50, 250, 500],
  };
}

/** What bench.json says about the works. */
export function describe({ works, job }) {
  const described = Object.entries(works).map(([name, { kind, items, tokens, slices }]) => {
    const mean = sum(tokens) / tokens.length;
    const counts = { sum: sum(tokens), mean, max: Math.max(...tokens) };
    return [name, { kind, items, asked: asked[name], turns: slices.length, tokens: counts }];
  });
  const { queries, documents, candidates, depth } = job;
  return {
    ...Object.fromEntries(described),
    synthesize: { queries: queries.length, documents: documents.length, candidates, depth, texts: "claims, titles" },
  };
}
