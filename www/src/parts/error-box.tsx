import { QuerytuneError } from "querytune";

/** Where in a file an error is, in words. */
function place(error: QuerytuneError): string {
  const { position } = error;
  if (!position) return "";
  const parts = [position.file];
  if (position.line > 0) parts.push(`line ${position.line}`);
  if (position.column > 0) parts.push(`column ${position.column}`);
  return `${parts.join(", ")}: `;
}

/** What went wrong, where, and what to do; the message says the last. */
export function ErrorBox({ error, testid }: { error: unknown; testid: string }) {
  if (!error) return null;
  const known = error instanceof QuerytuneError;
  const where = known ? place(error) : "";
  const full = error instanceof Error ? error.message : String(error);
  // The engine's messages name the place themselves.
  const message = full.startsWith(where) ? full.slice(where.length) : full;
  return (
    <div class="error" role="alert" data-testid={testid} data-code={known ? error.code : undefined}>
      <strong>{where}</strong>
      {message}
    </div>
  );
}
