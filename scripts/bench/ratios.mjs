// The ratios that bench.json promises, out of what the stages measured.
import { fastest, ratio } from "./statistics.mjs";

/** querytune as it is loaded without options. */
export const AS_LOADED = "querytune";

/**
 * Every key, its stage, and the works it stands for: of those that ran the lowest ratio counts. (On WebGPU in software
 * only the short ones run.)
 */
export const keys = {
  "embed.cpu.1": ["cpu.1", ["documents", "queries"]],
  "score.cpu.1": ["cpu.1", ["abstracts", "titles"]],
  "embed.cpu.all": ["cpu.all", ["documents", "queries"]],
  "score.cpu.all": ["cpu.all", ["abstracts", "titles"]],
  "synthesize.cpu.all": ["synthesize", ["synthesize"]],
  "embed.webgpu": ["webgpu", ["documents", "queries"]],
  "score.webgpu": ["webgpu", ["abstracts", "titles"]],
};

/**
 * Ratios of one stage by work: of the fastest of querytune's variants that count over the fastest peer. `works`: work to
 * variants, each with `name`, `side`, `perSecond` and `turns`; `counts`: which of querytune's count.
 */
export function ratiosByWork(works, counts = (variant) => variant.counts) {
  const found = {};
  for (const [work, variants] of Object.entries(works)) {
    const peers = variants.filter(({ side }) => side === "peer");
    const own = variants.filter((variant) => variant.side === "querytune" && counts(variant));
    if (own.length > 0 && peers.length > 0) found[work] = ratio(fastest(own), peers);
  }
  return found;
}

/** The same, of querytune as it is loaded without options. */
export function ratiosAsLoaded(works) {
  return ratiosByWork(works, ({ name }) => name === AS_LOADED);
}

/** The promised keys; null where a stage did not run. `stages`: stage to what `ratiosByWork` gave for it. */
export function ratios(stages) {
  return Object.fromEntries(
    Object.entries(keys).map(([key, [stage, works]]) => {
      const found = works.map((work) => stages[stage]?.[work]?.median).filter((median) => median !== undefined);
      return [key, found.length === 0 ? null : Math.min(...found)];
    }),
  );
}
