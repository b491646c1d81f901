// Whether two sides computed the same: a benchmark of wrong numbers is worth nothing.
import { Failure } from "../lib/terminal.mjs";

export function cosine(a, b) {
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i] * b[i];
    squareA += a[i] * a[i];
    squareB += b[i] * b[i];
  }
  return product / Math.sqrt(squareA * squareB);
}

/** The smallest cosine between vectors of the same text. */
export function smallestCosine(found, expected) {
  if (found.length !== expected.length || found.length === 0) throw new RangeError("There must be as many vectors.");
  return found.reduce((smallest, vector, i) => {
    const next = cosine(vector, expected[i]);
    // NaN counts as the worst there is.
    return next >= smallest ? smallest : Number.isNaN(next) ? -1 : next;
  }, 1);
}

/** Logits nearer to each other than this are a tie, whose order says nothing. */
const TIE = 0.1;

/**
 * How far two lists of logits are apart, and how much they agree on the order: the share of pairs of candidates of the
 * same query that both put in the same order, ties left out. `size`: candidates of a query, which lie next to each
 * other.
 */
export function logitAgreement(found, expected, size) {
  if (found.length !== expected.length || found.length % size !== 0) throw new RangeError("The logits do not match.");
  let largest = 0;
  let [same, pairs] = [0, 0];
  for (let start = 0; start < found.length; start += size) {
    for (let i = start; i < start + size; i++) {
      const distance = Math.abs(found[i] - expected[i]);
      largest = distance <= largest ? largest : Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
      for (let j = start; j < i; j++) {
        if (Math.abs(expected[i] - expected[j]) < TIE) continue;
        pairs += 1;
        if (Math.sign(found[i] - found[j]) === Math.sign(expected[i] - expected[j])) same += 1;
      }
    }
  }
  return { largest, sameOrder: pairs === 0 ? 1 : same / pairs };
}

/** What is demanded, by precision class: of the exact ones closeness, of 8-bit ones that they are no nonsense. */
const bounds = {
  exact: { cosine: 0.999, logit: 0.05, sameOrder: 0.99 },
  int8: { cosine: 0.9, logit: Number.POSITIVE_INFINITY, sameOrder: 0.9 },
};

export function checkVectors(name, precision, found, expected) {
  const smallest = smallestCosine(found, expected);
  if (!(smallest > bounds[precision].cosine)) {
    throw new Failure(
      `${name}: a vector has a cosine of ${smallest} to the reference; more than ${bounds[precision].cosine} is needed.`,
    );
  }
  return { smallestCosine: smallest };
}

export function checkLogits(name, precision, found, expected, size) {
  const { largest, sameOrder } = logitAgreement(found, expected, size);
  const { logit, sameOrder: least } = bounds[precision];
  if (!(largest <= logit && sameOrder >= least)) {
    throw new Failure(
      `${name}: logits are up to ${largest} from the reference and ${(sameOrder * 100).toFixed(1)} % of the pairs in its ` +
        `order; at most ${logit} and at least ${least * 100} % are needed.`,
    );
  }
  return { largestLogitError: largest, sameOrder };
}

/**
 * Whether two sides made the same of a job: lists of `{ document, cosine, logit }`, best first, for each query. The
 * peer is an 8-bit one, so most candidates have to be the same, and those that both scored in like order.
 */
export function checkJob(name, found, expected) {
  let [common, total] = [0, 0];
  let [sameOrder, scoredByBoth] = [0, 0];
  for (const [query, list] of expected.entries()) {
    const own = new Map(found[query].map((row) => [row.document, row]));
    const both = list.filter(({ document }) => own.has(document));
    common += both.length;
    total += list.length;
    const scored = both.filter(({ document, logit }) => logit !== undefined && own.get(document).logit !== undefined);
    const ours = scored.map(({ document }) => own.get(document).logit);
    const others = scored.map(({ logit }) => logit);
    sameOrder += scored.length ? logitAgreement(ours, others, scored.length).sameOrder : 1;
    scoredByBoth += scored.length;
  }
  const agreement = { sameCandidates: common / total, sameOrder: sameOrder / expected.length, scoredByBoth };
  if (!(agreement.sameCandidates >= 0.8 && agreement.sameOrder >= bounds.int8.sameOrder)) {
    throw new Failure(`${name}: the job came out otherwise: ${JSON.stringify(agreement)}.`);
  }
  return agreement;
}
