// Figures of repeated measurements, and who is compared with whom.

/** The middle of some numbers; of an even count the mean of the middle two. */
export function median(values) {
  if (values.length === 0) throw new RangeError("There is no median of nothing.");
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Median and spread. */
export function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * Speeds of a variant: items a second in each of its turns. `turns`: `{ turn, items, seconds }`; a turn is the number
 * of the slice of work, the same for all.
 */
export function speed(turns) {
  return { perSecond: spread(turns.map(({ items, seconds }) => items / seconds)), turns };
}

/** The one with the highest median. `variants`: `{ name, perSecond }`. */
export function fastest(variants) {
  return variants.reduce(
    (best, one) => (best && best.perSecond.median >= one.perSecond.median ? best : one),
    undefined,
  );
}

/**
 * How many times as fast as the best peer `own` is. Turns of the same slice are compared with each other, so that what
 * slows the machine down for a while slows both; the ratio is the median over the turns both have had.
 */
export function ratio(own, peers) {
  const peer = fastest(peers);
  const theirs = new Map(peer.turns.map((one) => [one.turn, one.items / one.seconds]));
  const common = own.turns.filter(({ turn }) => theirs.has(turn));
  if (common.length === 0) throw new RangeError(`${own.name} and ${peer.name} had no turn in common.`);
  return {
    querytune: own.name,
    peer: peer.name,
    ...spread(common.map(({ turn, items, seconds }) => items / seconds / theirs.get(turn))),
  };
}

/** Whether a variant may stay away from later turns: it is clearly slower than the fastest of its side. */
export function lagsBehind(variant, side, margin = 0.75) {
  return variant.perSecond.median < margin * fastest(side).perSecond.median;
}
