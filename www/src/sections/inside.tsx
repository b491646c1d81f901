import { Fragment } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import type { RelationRow, Relations, Report } from "querytune";
import uPlot from "uplot";
import { scored } from "../figures.js";
import { constant, count, counted, duration, metric, score } from "../format.js";
import { outcome, ROWS_SHOWN } from "../outcome.js";
import { Candidates } from "../parts/candidates.js";
import { ErrorBox } from "../parts/error-box.js";
import { axis, colour, Plot } from "../parts/plot.js";
import { Section } from "../parts/section.js";

/** What came out. */
export function InsideSection() {
  const result = outcome.value;
  return (
    <Section
      number={5}
      title="Look inside"
      state={result ? counted(result.relations.summary().rows, "row") : "no result yet"}
      sentence="What the cross-encoder thought of the candidates, and what the adapter learned from it."
    >
      {result ? (
        <div data-testid="inside">
          <div class="columns">
            <Histogram relations={result.relations} report={result.run.report} />
            <Curve report={result.run.report} />
          </div>
          <Candidates key={result.run} outcome={result} />
          <Rows relations={result.relations} first={result.rows} />
          <Details report={result.run.report} />
        </div>
      ) : (
        <>
          <p class="quiet">Nothing yet: run a job first.</p>
          <Awaited />
        </>
      )}
    </Section>
  );
}

/** What a job will bring, for those who want to know before they wait. */
function Awaited() {
  return (
    <details data-testid="inside-awaited">
      <summary>What there is to see after a job</summary>
      <dl class="facts">
        <dt>Scores</dt>
        <dd>how the cross-encoder’s scores are spread: most pairs should fit badly, some well</dd>
        <dt>Training</dt>
        <dd>
          the loss and the agreement on queries left out, step by step, with the step that was chosen: if agreement only
          falls, there was nothing to learn
        </dd>
        <dt>Candidates</dt>
        <dd>
          any query of yours with its documents, in the cross-encoder’s order: the quickest way to see if it is right
        </dd>
        <dt>Rows</dt>
        <dd>the data set of queries with a similar and a dissimilar document, as other tools take it</dd>
        <dt>Recipe</dt>
        <dd>every constant of the training, and how long each stage took</dd>
      </dl>
    </details>
  );
}

function Histogram({ relations, report }: { relations: Relations; report: Report }) {
  const summary = relations.summary();
  const { from, to, counts } = summary.histogram;
  const width = (to - from) / counts.length;
  const data = useMemo(
    () => [counts.map((_, i) => from + (i + 0.5) * width), counts] as [number[], number[]],
    [counts, from, width],
  );
  const options = useCallback(
    () => ({
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: (): [number, number] => [from, to] } },
      axes: [axis("Cross-encoder’s logit"), axis("Pairs", { size: 60 })],
      series: [
        {},
        {
          fill: colour("accent"),
          stroke: colour("accent"),
          paths: (u: uPlot, series: number, first: number, last: number) =>
            uPlot.paths.bars?.({ size: [0.9, 100] })(u, series, first, last) ?? null,
          points: { show: false },
        },
      ],
    }),
    [from, to],
  );
  const { mean, std, min, max } = summary.logit;
  return (
    <figure>
      <figcaption>
        <h3>Scores</h3>
        <p>
          {counted(summary.scored, "scored pair")}, {count(summary.cached)} of them kept from before: {scored(report)}.
          A pair to the right fits better.
        </p>
      </figcaption>
      <Plot
        options={options}
        data={data}
        testid="histogram"
        label={`Histogram of the logits: mean ${score(mean)}, standard deviation ${score(std)}, from ${score(min)} to ${score(max)}.`}
      />
    </figure>
  );
}

/** At least this wide: between values that hardly differ uPlot finds no end of ticks. */
const LEAST_RANGE = 0.001;
const WIDE: uPlot.Scale = {
  range: (_plot, min: number | null, max: number | null) => {
    if (min === null || max === null) return [null, null];
    const more = Math.max(0, LEAST_RANGE - (max - min)) / 2;
    return uPlot.rangeNum(min - more, max + more, 0.1, true);
  },
};

function Curve({ report }: { report: Report }) {
  const { history, selected } = report.fit;
  const data = useMemo(
    () =>
      [
        history.map((entry) => entry.step),
        history.map((entry) => entry.loss ?? null),
        history.map((entry) => entry.heldOut ?? null),
      ] as [number[], (number | null)[], (number | null)[]],
    [history],
  );
  const options = useCallback(
    () => ({
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, loss: WIDE, heldOut: WIDE },
      axes: [
        axis("Step"),
        axis("Loss", { scale: "loss", size: 60 }),
        axis("Agreement", { scale: "heldOut", side: 1, size: 70, grid: { show: false } }),
      ],
      series: [
        {},
        { label: "Loss", scale: "loss", stroke: colour("quiet"), width: 1, points: { show: false } },
        {
          label: "Agreement on queries left out",
          scale: "heldOut",
          stroke: colour("accent"),
          width: 2,
          spanGaps: true,
          points: { show: true, size: 7, fill: colour("accent") },
        },
      ],
      hooks: {
        draw: [
          (u: uPlot) => {
            const x = Math.round(u.valToPos(selected.step, "x", true));
            const { ctx, bbox } = u;
            ctx.save();
            ctx.strokeStyle = colour("mark");
            ctx.setLineDash([6, 4]);
            ctx.lineWidth = 2;
            ctx.beginPath();
            ctx.moveTo(x, bbox.top);
            ctx.lineTo(x, bbox.top + bbox.height);
            ctx.stroke();
            ctx.restore();
          },
        ],
      },
    }),
    [selected.step],
  );
  return (
    <figure>
      <figcaption>
        <h3>Training</h3>
        <p>
          <span class="key loss">Loss</span> and <span class="key held">agreement on queries left out</span>;{" "}
          <span class="key mark">chosen step: {count(selected.step)}</span>
          {selected.step === 0 && " (the base model)"}.
        </p>
      </figcaption>
      <Plot options={options} data={data} testid="curve" label={curveInWords(report)} />
    </figure>
  );
}

function curveInWords(report: Report): string {
  const measured = report.fit.history.filter((entry) => typeof entry.heldOut === "number");
  const points = measured.map((entry) => `${metric(entry.heldOut ?? 0)} after ${count(entry.step)}`);
  return `Agreement on queries left out, by training steps: ${points.join(", ")}. Chosen: ${count(report.fit.selected.step)}.`;
}

function Rows({ relations, first }: { relations: Relations; first: RelationRow[] }) {
  const total = relations.summary().rows;
  const [page, setPage] = useState({ from: 0, rows: first });
  const [error, setError] = useState<unknown>();
  const turn = (from: number) =>
    relations.rows(from, Math.min(ROWS_SHOWN, total - from)).then((rows) => setPage({ from, rows }), setError);
  return (
    <>
      <h3>Rows of the data set</h3>
      <p>
        {counted(total, "row")}: to the query, the similar document is nearer than the dissimilar one, by the margin in
        the cross-encoder’s scores.
      </p>
      <ErrorBox error={error} testid="error-rows" />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard. */}
      <section class="scroll rows" tabIndex={0} aria-label="Rows of the data set">
        <table data-testid="rows">
          <thead>
            <tr>
              <th scope="col">Query</th>
              <th scope="col">Similar</th>
              <th scope="col">Dissimilar</th>
              <th scope="col" class="number-cell">
                Margin
              </th>
            </tr>
          </thead>
          <tbody>
            {page.rows.map((row, i) => (
              <tr key={page.from + i}>
                <td>{row.query}</td>
                <td>
                  <span class="clamp">{row.similar}</span>
                </td>
                <td>
                  <span class="clamp">{row.dissimilar}</span>
                </td>
                <td class="number-cell">{score(row.margin)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="buttons">
        <button
          type="button"
          disabled={page.from === 0}
          data-testid="rows-back"
          onClick={() => void turn(Math.max(0, page.from - ROWS_SHOWN))}
        >
          Earlier rows
        </button>
        <button
          type="button"
          disabled={page.from + page.rows.length >= total}
          data-testid="rows-on"
          onClick={() => void turn(page.from + ROWS_SHOWN)}
        >
          Later rows
        </button>
        <span class="quiet">
          {total > 0 && `${count(page.from + 1)} to ${count(page.from + page.rows.length)} of ${count(total)}`}
        </span>
      </p>
    </>
  );
}

function Details({ report }: { report: Report }) {
  return (
    <details>
      <summary data-testid="recipe">The recipe and the time it took</summary>
      <dl class="facts">
        {Object.entries(report.stages).map(([stage, time]) => (
          <Fragment key={stage}>
            <dt>{stage}</dt>
            <dd>
              {duration(time.seconds)}, {count(time.items)} items
            </dd>
          </Fragment>
        ))}
        {Object.entries(report.fit.recipe).map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{constant(value)}</dd>
          </Fragment>
        ))}
      </dl>
    </details>
  );
}
