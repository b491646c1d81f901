import { Fragment } from "preact";
import { STAGES } from "../progress.js";
import { MEANINGS, NAMES } from "../stages.js";

/** What a job does, for those who want to know before they wait. */
export function StageMeanings() {
  return (
    <details data-testid="stage-meanings">
      <summary>What happens in each stage</summary>
      <dl class="facts">
        {STAGES.map((stage) => (
          <Fragment key={stage}>
            <dt>{NAMES[stage][0]}</dt>
            <dd>{MEANINGS[stage]}</dd>
          </Fragment>
        ))}
      </dl>
    </details>
  );
}
