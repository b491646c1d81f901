import type { NamedIds } from "querytune";
import { count, counted } from "../format.js";
import { type Judged, judged, strangers } from "../judged.js";
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
        : `${counted(known, "judgement")} of ${count(judgements)} ${known === 1 ? "is" : "are"} of known queries and documents.`}
      {known < judgements && [missing("queries", found.queries), missing("documents", found.documents)]}
      {isJoined && known < judgements && " The earlier run’s queries are not counted."}
    </p>
  );
}

/** Which of the ids are not there. */
function missing(what: string, { ids, known, unknown }: NamedIds): string {
  if (known === ids) return "";
  const more = ids - known - unknown.length;
  return ` Not among the ${what}: ${quoted(unknown)}${more > 0 ? ` and ${count(more)} more` : ""}.`;
}

function refusal({ queries, documents, files }: Judged): string {
  return [
    "None of the judgements is of a query and a document that were read.",
    ids("Queries", queries, files.queries),
    ids("Documents", documents, files.documents),
    "Choose the columns with these ids, or remove the judgements. Where a file has no column with ids, they are the " +
      "numbers of its rows.",
  ].join("\n");
}

function ids(what: string, { ids, known, unknown, texts }: NamedIds, file: string): string {
  if (known === ids) return `${what}: ${file} has all that the judgements name.`;
  const some = known > 0 ? " and some of those named" : "";
  return `${what}: the judgements name ids such as ${quoted(unknown)}; ${file} has ids such as ${quoted(texts)}${some}.`;
}

const quoted = (some: string[]) => some.map((id) => `“${id}”`).join(", ");
