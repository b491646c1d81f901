// What a user of the peers writes around them: batches of texts of about the same length, an exact search, the job.

/** Measured best: batches of 16 short texts, and of 4 abstracts. */
const MOST = 16;
const CHARACTERS = 6000;

/** Calls `work` with batches of items of like length; results come in the items' order. */
async function inBatches(items, lengthOf, work) {
  const order = [...items.keys()].sort((a, b) => lengthOf(items[b]) - lengthOf(items[a]));
  const results = new Array(items.length);
  for (let start = 0; start < order.length; ) {
    const fitting = Math.floor(CHARACTERS / Math.max(1, lengthOf(items[order[start]])));
    const batch = order.slice(start, start + Math.min(MOST, Math.max(1, fitting)));
    const found = await work(batch.map((i) => items[i]));
    for (const [place, i] of batch.entries()) results[i] = found[place];
    start += batch.length;
  }
  return results;
}

/** The `count` documents nearest to a query, nearest first. */
function nearest(query, documents, count) {
  const scores = documents.map((document) => {
    let sum = 0;
    for (let i = 0; i < query.length; i++) sum += query[i] * document[i];
    return sum;
  });
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
  return order.slice(0, count).map((document) => ({ document, cosine: scores[document] }));
}

/** An engine with the works of the benchmark, out of a peer's `embedBatch(texts)` and `scoreBatch(pairs)`. */
export function peer({ embedBatch, scoreBatch, close, info }) {
  const embed = (texts) => inBatches(texts, (text) => text.length, embedBatch);
  const scorePairs = (pairs) => inBatches(pairs, ({ query, document }) => query.length + document.length, scoreBatch);
  return {
    info,
    embed,
    score: (groups) =>
      scorePairs(groups.flatMap(({ query, documents }) => documents.map((document) => ({ query, document })))),

    async synthesize({ queries, documents, candidates, depth }) {
      const vectors = await embed(documents);
      const asked = await embed(queries);
      const lists = asked.map((query) => nearest(query, vectors, candidates));
      const best = lists.flatMap((list, i) =>
        list.slice(0, depth).map((row) => ({ row, query: queries[i], document: documents[row.document] })),
      );
      const logits = await scorePairs(best);
      for (const [i, { row }] of best.entries()) row.logit = logits[i];
      return lists;
    },

    close,
  };
}
