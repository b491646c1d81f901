// Two rankings of the same documents, as a person compares them.

/** Text in one line, cut to a width. */
function cut(text, width) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

/** How a document's place differs from that in the other ranking: `=`, `+2` (higher up by two), `-1`, `new`. */
export function move(hit, others) {
  const other = others.find(({ id }) => id === hit.id);
  if (!other) return "new";
  const places = other.rank - hit.rank;
  return places === 0 ? "=" : places > 0 ? `+${places}` : String(places);
}

const titled = ({ title, text }) => (title && !text.startsWith(title) ? `${title} ${text}` : text);

function column(hits, width, mark) {
  return hits.map((hit) => {
    const front = `${String(hit.rank).padStart(3)} ${mark(hit).padStart(4)}  ${hit.score.toFixed(4)}  `;
    return (front + cut(titled(hit), width - front.length)).padEnd(width);
  });
}

/** Columns from which on there is room for two texts side by side. */
const WIDE = 140;

/** Side by side where that is wide enough to read, else one below the other. */
export function rankingLines({ query, documents, base, tuned }, width = 80) {
  const shown = (hits, size, mark) => column(hits, size, mark);
  const titles = ["tuned model (places up or down from the base model)", "base model"];
  const heading = `"${query}" in ${documents.total.toLocaleString("en-US")} documents`;
  const plain = () => "";
  if (width < WIDE) {
    const lines = [heading, "", titles[0], ...shown(tuned, width - 1, (hit) => move(hit, base))];
    return [...lines, "", titles[1], ...shown(base, width - 1, plain)].map((line) => line.trimEnd());
  }
  const half = Math.floor((width - 3) / 2);
  const [left, right] = [shown(tuned, half, (hit) => move(hit, base)), shown(base, half, plain)];
  const rows = left.map((line, i) => `${line}   ${right[i] ?? ""}`);
  return [heading, "", `${cut(titles[0], half).padEnd(half)}   ${titles[1]}`, ...rows].map((line) => line.trimEnd());
}
