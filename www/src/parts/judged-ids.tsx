import { counted } from "../format.js";
import { type Judged, judged, type Side, strangers } from "../judged.js";
import { ErrorBox } from "./error-box.js";

/** How many of the judgements are of what was read; if none are, what they name. */
export function JudgedIds() {
  const found = judged.value;
  if (!found) return null;
  if (strangers.value) return <ErrorBox error={new Error(refusal(found))} testid="error-judged-ids" />;
  const { known, judgements, isJoined } = found;
  return (
    <p class={known < judgements ? "notice" : "quiet"} data-testid="judged-ids">
      {known === judgements
        ? `All ${counted(judgements, "judgement is", "judgements are")} of known queries and documents.`
        : `${counted(known, "judgement")} of ${judgements} ${known === 1 ? "is" : "are"} of known queries and documents.`}
      {isJoined && known < judgements && " The earlier run’s queries are not counted."}
    </p>
  );
}

function refusal({ queries, documents }: Judged): string {
  return (
    `None of the judgements is of a query and a document that were read. ${ids("Queries", queries)} ` +
    `${ids("Documents", documents)} Choose the columns with these ids, or remove the judgements. Where a file has no ` +
    "column with ids, they are the numbers of its rows."
  );
}

const ids = (what: string, { file, judged, had, known }: Side) =>
  `${what}: the judgements name ${list(judged)}; ${file} has ${list(had)}${known > 0 ? " and some of those named" : ""}.`;

const list = (some: string[]) => `${some.map((id) => `“${id}”`).join(", ")}, …`;
