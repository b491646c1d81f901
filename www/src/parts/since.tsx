import type { Report, SincePrevious } from "querytune";
import { METRICS } from "../figures.js";
import { counted, difference, metric } from "../format.js";
import { sinceVerdict, whatIsNew } from "../since.js";

interface Row {
  key: string;
  name: string;
  previous: number;
  tuned: number;
  interval: [number, number];
  p?: number;
}

function rows({ agreement, judged }: SincePrevious): Row[] {
  const found: Row[] = METRICS.flatMap(([key, name]) => {
    const one = judged?.[key];
    return one ? [{ key, name, previous: one.previous, tuned: one.tuned, interval: one.ci95, p: one.p }] : [];
  });
  if (agreement) {
    const { queries, previous, tuned, ci95 } = agreement;
    const name = `Agreement, ${counted(queries, "new query", "new queries")}`;
    found.push({ key: "agreement", name, previous, tuned, interval: ci95 });
  }
  return found;
}

/** What is new since the run that was gone on from, and what became of its model. */
export function Since({ report }: { report: Report }) {
  const since = report.previous;
  if (!since) return null;
  const all = rows(since);
  return (
    <div data-testid="since">
      <h3>Since the earlier run</h3>
      <p data-testid="since-new">{whatIsNew(since)}</p>
      <p data-testid="since-verdict">{sinceVerdict(since, report.evaluation.on)}</p>
      {all.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard.
        <section class="scroll" tabIndex={0} aria-label="Figures since the earlier run">
          <table class="figures">
            <thead>
              <tr>
                <th scope="col">Metric</th>
                <th scope="col">Earlier</th>
                <th scope="col">Tuned now</th>
                <th scope="col">Change</th>
                <th scope="col">95 % interval</th>
                <th scope="col">p</th>
              </tr>
            </thead>
            <tbody>
              {all.map(({ key, name, previous, tuned, interval, p }) => (
                <tr key={key} data-testid={`since-${key}`} class={key === "agreement" && since.judged ? "minor" : ""}>
                  <th scope="row">{name}</th>
                  <td>{metric(previous)}</td>
                  <td>
                    <b>{metric(tuned)}</b>
                  </td>
                  <td>{difference(tuned - previous)}</td>
                  <td>
                    {difference(interval[0])} to {difference(interval[1])}
                  </td>
                  <td>{p === undefined ? "–" : metric(p)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
