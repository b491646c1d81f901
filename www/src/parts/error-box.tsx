import { QuerytuneError } from "querytune";
import { count } from "../format.js";

/** Where in a file an error is, in words; its numbers as `written` writes them. */
function place(error: QuerytuneError, written: (n: number) => string): string {
  const { position } = error;
  if (!position) return "";
  const parts = [position.file];
  if (position.line > 0) parts.push(`line ${written(position.line)}`);
  if (position.column > 0) parts.push(`column ${written(position.column)}`);
  return `${parts.join(", ")}: `;
}

/** What went wrong, where, and what to do; the message says the last. */
export function ErrorBox({ error, testid }: { error: unknown; testid: string }) {
  if (!error) return null;
  const known = error instanceof QuerytuneError;
  const named = known ? place(error, String) : "";
  const full = error instanceof Error ? error.message : String(error);
  // The engine's messages name the place themselves.
  const message = full.startsWith(named) ? full.slice(named.length) : full;
  return (
    <div class="error" role="alert" data-testid={testid} data-code={known ? error.code : undefined}>
      <strong>{known && place(error, count)}</strong>
      {message}
    </div>
  );
}
