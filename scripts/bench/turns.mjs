// Variants in turn on the same slices of work.
import { say } from "../lib/terminal.mjs";
import { checkLogits, checkVectors } from "./agreement.mjs";
import { lagsBehind, speed } from "./statistics.mjs";
import { figure } from "./table.mjs";

/** A variant works on this before the clock runs, for so long: machine code is optimised, pools and workers start. */
const WARM_UP = 3;

/**
 * A way to do the work. `side`: `querytune` or `peer`; `precision`: `exact` or `int8`; `counts`: whether it stands for
 * its side in the ratios (of either side the fastest does). `tab` and `engine`: where it runs.
 */
export const variant = (name, side, tab, { precision = "exact", counts = side === "peer", engine = name } = {}) => ({
  name,
  side,
  tab,
  precision,
  counts,
  engine,
});

async function warmUp({ tab, engine }, works) {
  const from = performance.now();
  do {
    for (const { kind, slices } of Object.values(works)) {
      const [first, ...others] = slices[0];
      const some =
        kind === "score" ? [{ ...first, documents: first.documents.slice(0, 4) }] : [first, ...others.slice(0, 3)];
      await tab.run(engine, kind, some);
    }
  } while (performance.now() - from < WARM_UP * 1000);
}

/** Results of the first turn against those of the reference: the first exact peer. */
function check(work, variants, results) {
  const reference = variants.find(({ side, precision }) => side === "peer" && precision === "exact");
  const agreement = new Map();
  for (const { name, precision } of variants) {
    if (name === reference.name) continue;
    const [found, expected] = [results.get(name), results.get(reference.name)];
    const given =
      work.kind === "embed"
        ? checkVectors(name, precision, found, expected)
        : checkLogits(name, precision, found, expected, work.candidates);
    agreement.set(name, { reference: reference.name, ...given });
  }
  return agreement;
}

const itemsIn = ({ kind }, slice) =>
  kind === "score" ? slice.reduce((sum, { documents }) => sum + documents.length, 0) : slice.length;

/**
 * Measures all variants on all works, whose slices are the turns; a turn has the same slice for all. A variant that
 * is clearly slower than the fastest of its side in the first turn is left out of the later ones. Resolves to the
 * speeds by work.
 */
export async function takeTurns(title, works, variants, { warm = true } = {}) {
  say(`\n${title}`);
  if (warm) for (const one of variants) await warmUp(one, works);
  const measured = {};
  for (const name of Object.keys(works)) measured[name] = new Map(variants.map((one) => [one.name, []]));
  const agreements = {};
  const resting = new Set();
  const turns = Math.max(...Object.values(works).map(({ slices }) => slices.length));
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, work] of Object.entries(works)) {
      const slice = work.slices[turn];
      if (!slice) continue;
      const results = new Map();
      const said = [];
      // The order alternates, so that nobody always has a machine that others have made hot.
      for (const one of turn % 2 ? variants.toReversed() : variants) {
        if (resting.has(`${name}/${one.name}`)) continue;
        const { seconds, result } = await one.tab.run(one.engine, work.kind, slice);
        const items = itemsIn(work, slice);
        measured[name].get(one.name).push({ turn, items, seconds });
        results.set(one.name, result);
        said.push(`${one.name} ${figure(items / seconds)}`);
      }
      say(`  ${name}, turn ${turn + 1} of ${work.slices.length}, per second: ${said.join(", ")}`);
      if (turn > 0) continue;
      agreements[name] = check(work, variants, results);
      for (const side of ["querytune", "peer"]) {
        const own = variants.filter((one) => one.side === side);
        const speeds = own.map((one) => ({ ...one, ...speed(measured[name].get(one.name)) }));
        for (const one of speeds) {
          if (!(side === "querytune" && one.counts) && lagsBehind(one, speeds)) resting.add(`${name}/${one.name}`);
        }
      }
    }
  }
  return Object.fromEntries(
    Object.keys(works).map((name) => [
      name,
      variants.map((one) => ({
        name: one.name,
        side: one.side,
        precision: one.precision,
        counts: one.counts,
        ...speed(measured[name].get(one.name)),
        agreement: agreements[name].get(one.name) ?? null,
      })),
    ]),
  );
}
