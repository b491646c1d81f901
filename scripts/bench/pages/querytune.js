// querytune as its users write it.

/** Scores are kept for later jobs otherwise: every turn has to compute them. */
const forgetful = {
  count: async () => 0,
  read: async (log, chunk) => {
    throw new RangeError(`The log ${log} has no chunk ${chunk}.`);
  },
  append: async () => {},
};

/** `entry`: the package's module; `options` are `load`'s. */
export async function open({ entry, options }) {
  const { load } = await import(entry);
  const tuner = await load({ store: forgetful, ...options });
  return {
    info: tuner.info,

    async embed(texts) {
      const { data, dims } = await tuner.embed(texts);
      return Array.from({ length: dims[0] }, (_, i) => data.subarray(i * dims[1], (i + 1) * dims[1]));
    },

    score: (groups) =>
      tuner.score(groups.flatMap(({ query, documents }) => documents.map((document) => [query, document]))),

    async synthesize({ queries, documents, candidates, depth }) {
      const relations = await tuner.synthesize(queries, documents, { candidates, depth });
      return async () => {
        const lists = [];
        for (let i = 0; i < queries.length; i++) lists.push(await relations.candidates(i));
        relations.dispose();
        return lists.map((list) => list.map(({ document, cosine, logit }) => ({ document, cosine, logit })));
      };
    },

    close: () => tuner.dispose(),
  };
}
