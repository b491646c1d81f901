import { counted } from "../format.js";
import { BM25_DOCUMENTS, bm25 } from "../settings.js";
import { NumberField } from "./number-field.js";

/** Whether documents are scored, too, that share words with the query and that the encoder may have missed. */
export function ByWords() {
  const wanted = bm25.value > 0;
  return (
    <>
      <label class="choice">
        <input
          type="checkbox"
          data-testid="by-words"
          checked={wanted}
          onChange={(event) => {
            bm25.value = event.currentTarget.checked ? BM25_DOCUMENTS : 0;
          }}
        />
        <span>
          Score documents found by their words, too{" "}
          <span class="quiet">
            – for words that the encoder does not know, such as part numbers: BM25’s first{" "}
            {counted(bm25.value || BM25_DOCUMENTS, "document")} that are not among those candidates
          </span>
        </span>
      </label>
      {wanted && (
        <div class="budget inset">
          <NumberField label="Documents by BM25" testid="bm25" value={bm25} max={100} />
        </div>
      )}
    </>
  );
}
