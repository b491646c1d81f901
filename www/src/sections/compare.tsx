import { Fragment } from "preact";
import type { Report } from "querytune";
import { because } from "../delivered.js";
import { type Figure, type FigureGroup, figures, judgedQueries, METRICS, scored, verdict } from "../figures.js";
import { count, counted, difference, localized, metric } from "../format.js";
import { tells } from "../judging.js";
import { outcome } from "../outcome.js";
import { Gains } from "../parts/gains.js";
import { Intervals } from "../parts/intervals.js";
import { NotJudged } from "../parts/not-judged.js";
import { ResultOf } from "../parts/result-of.js";
import { SearchBoth } from "../parts/search-both.js";
import { Section } from "../parts/section.js";
import { Since } from "../parts/since.js";

function standing({ fit }: Report): string {
  return fit.delivered === "tuned" ? "tuned is delivered" : "base is delivered";
}

/** What the tuned model is worth. */
export function CompareSection() {
  const result = outcome.value;
  return (
    <Section
      number={6}
      title="Compare"
      state={result ? standing(result.run.report) : "no result yet"}
      sentence="Base and tuned model side by side, with the cross-encoder as the ceiling: by judgements where there are some, else by agreement with the cross-encoder."
    >
      {result ? (
        <div data-testid="compare">
          <ResultOf testid="compare-of" />
          <NotJudged outcome={result} />
          <Delivered report={result.run.report} />
          <Results report={result.run.report} />
          <Since report={result.run.report} />
          <Gains key={result.run} outcome={result} />
        </div>
      ) : (
        <>
          <p class="quiet">There is nothing to compare or to search with yet: run a job first.</p>
          <Meanings />
        </>
      )}
      <SearchBoth />
    </Section>
  );
}

function Delivered({ report }: { report: Report }) {
  const { delivered, decidedBy, warnings, selected } = report.fit;
  return (
    <>
      <p class={delivered === "tuned" ? "verdict" : "verdict base"} data-testid="delivered" data-delivered={delivered}>
        {delivered === "tuned" ? (
          <>
            <b>The tuned model is delivered</b>, as it was after {counted(selected.step, "training step")}.{" "}
          </>
        ) : decidedBy === "judging" ? (
          <>
            <b>The base model is delivered, by your answers.</b>{" "}
          </>
        ) : decidedBy === "judgements" ? (
          <>
            <b>The base model is delivered, by your judgements</b>, which count for more than agreement.{" "}
          </>
        ) : (
          <>
            <b>The base model is delivered.</b> It is not shown that anything learned from this log agrees more with the
            cross-encoder on queries that were left out of training, so the download holds the base model as it was.{" "}
          </>
        )}
        {because(report)}
      </p>
      <p data-testid="verdict">{verdict(report)}</p>
      {warnings.length > 0 && (
        <ul class="warnings" data-testid="warnings">
          {warnings.map((warning) => (
            <li key={warning}>{localized(warning)}</li>
          ))}
        </ul>
      )}
    </>
  );
}

const TITLES: Record<FigureGroup["key"], string> = {
  judged: "By your judgements",
  judging: "By your answers about the log’s queries",
  groups: "What to expect of which queries: nDCG@10 by your judgements",
  agreement: "Agreement with the cross-encoder, on queries left out of training",
};

function basis(report: Report): string {
  const { evaluation, judging } = report;
  const { judged, queries = 0, missingQueries, missingDocuments } = evaluation;
  const parts = [
    judged
      ? `By your judgements, on ${count(queries)} ${judgedQueries(report, queries)}. Higher is better; 1 is perfect.`
      : tells(judging)
        ? `By your answers for ${counted(judging.queries, "query", "queries")} of the log, which the tuned model was trained on; and agreement with the cross-encoder on queries left out of training, which is not quality.`
        : "Without judgements: agreement with the cross-encoder on queries left out of training. It is not quality.",
  ];
  if (missingQueries) {
    parts.push(`${counted(missingQueries, "judged query is", "judged queries are")} not in the file.`);
  }
  if (missingDocuments) {
    parts.push(`${counted(missingDocuments, "judged document is", "judged documents are")} not in the file.`);
  }
  return parts.join(" ");
}

function Results({ report }: { report: Report }) {
  const groups = figures(report);
  const ceilings = groups.some((group) => group.figures.some((figure) => figure.ceiling !== undefined));
  return (
    <>
      <h3>{ceilings ? "Base, tuned, ceiling" : "Base and tuned"}</h3>
      <p class="quiet" id="results-basis" data-testid="results-basis">
        {basis(report)}
      </p>
      <div class="plots">
        {groups.map(({ key, figures }) => (
          <div key={key}>
            <h4>{TITLES[key]}</h4>
            <Intervals figures={figures} label={TITLES[key]} testid={`intervals-${key}`} />
          </div>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard. */}
      <section class="scroll" tabIndex={0} aria-label="Figures">
        <table class="figures" data-testid="results" aria-describedby="results-basis">
          <thead>
            <tr>
              <th scope="col">{ceilings ? "Metric" : "Agreement on"}</th>
              <th scope="col">Base</th>
              <th scope="col">Tuned</th>
              {ceilings && <th scope="col">Ceiling</th>}
              <th scope="col">Change</th>
              <th scope="col">95 % interval</th>
              {ceilings && <th scope="col">p</th>}
            </tr>
          </thead>
          <tbody>
            {groups.map(({ key, figures }) =>
              figures.map((figure) => (
                <Fragment key={figure.key}>
                  <Row of={figure} group={key} ceilings={ceilings} />
                  <ByTraffic of={figure} ceilings={ceilings} />
                </Fragment>
              )),
            )}
          </tbody>
        </table>
      </section>
      <p class="quiet" data-testid="scored">
        The cross-encoder scored {scored(report)}.
      </p>
      <Meanings />
    </>
  );
}

function Row({ of, group, ceilings }: { of: Figure; group: FigureGroup["key"]; ceilings: boolean }) {
  const { key, name, base, tuned, ceiling, interval, ceilingInterval, p, queries } = of;
  const prefix = group === "agreement" && ceilings ? "Agreement: " : group === "groups" ? "nDCG@10: " : "";
  return (
    <tr data-testid={key} class={group === "agreement" && ceilings ? "minor" : ""}>
      <th scope="row">
        {prefix}
        {name}
        {queries !== undefined && <span class="quiet"> ({counted(queries, "query", "queries")})</span>}
      </th>
      <td>{metric(base)}</td>
      <td>
        <b>{metric(tuned)}</b>
      </td>
      {ceilings && (
        <td>
          {ceiling === undefined ? "–" : metric(ceiling)}
          {ceilingInterval && (
            <div class="quiet" data-testid={`${key}-ceiling-interval`}>
              {difference(ceilingInterval[0])} to {difference(ceilingInterval[1])}
            </div>
          )}
        </td>
      )}
      <td>{difference(tuned - base)}</td>
      <td>
        {difference(interval[0])} to {difference(interval[1])}
      </td>
      {ceilings && <td>{p === undefined ? "–" : metric(p)}</td>}
    </tr>
  );
}

/** The row below another: the same with each query as often as it was asked. */
function ByTraffic({ of: { key, traffic }, ceilings }: { of: Figure; ceilings: boolean }) {
  if (!traffic) return null;
  const { base, tuned, ceiling } = traffic;
  return (
    <tr data-testid={`${key}-traffic`} class="minor">
      <th scope="row">…each query as often as it was asked</th>
      <td>{metric(base)}</td>
      <td>{metric(tuned)}</td>
      {ceilings && <td>{typeof ceiling === "number" ? metric(ceiling) : "–"}</td>}
      <td>{difference(tuned - base)}</td>
      <td>–</td>
      {ceilings && <td>–</td>}
    </tr>
  );
}

function Meanings() {
  return (
    <details>
      <summary>What each number means</summary>
      <dl class="facts">
        <dt>Base</dt>
        <dd>the encoder as it was downloaded</dd>
        <dt>Tuned</dt>
        <dd>the encoder with the trained adapter, whether or not it is what is delivered</dd>
        <dt>Ceiling</dt>
        <dd>
          the cross-encoder’s own ranking: what it taught, at the cost of scoring every candidate of every query. It can
          be worse than the base model; then look at the judged figures before you trust what it taught. Below it stands
          the 95 % interval of its distance from base.
        </dd>
        <dt>95 % interval, p</dt>
        <dd>
          where the true change lies with 95 % confidence (of base and tuned on the same queries; neither has an
          interval of its own), and how probable a change of this size is by chance alone
        </dd>
        {METRICS.map(([key, name, meaning]) => (
          <Fragment key={key}>
            <dt>{name}</dt>
            <dd>{meaning}</dd>
          </Fragment>
        ))}
        <dt>New documents</dt>
        <dd>
          judged only: trained on candidates from one half of the documents, ranked on the other. Agreement would say
          nothing of them.
        </dd>
        <dt>Agreement</dt>
        <dd>
          nDCG@10 with the cross-encoder’s scores as the truth, on queries that the adapter was not trained on: left out
          at random (queries like the log’s), or together with all queries that share their top document (new queries).
          Where the cross-encoder is wrong in your domain, agreeing with it is no gain. About 50 judged queries tell.
        </dd>
      </dl>
    </details>
  );
}
