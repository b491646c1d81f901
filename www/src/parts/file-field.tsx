import { useState } from "preact/hooks";

interface Props {
  label: string;
  hint: string;
  file: File | undefined;
  busy: boolean;
  optional?: boolean;
  testid: string;
  onChoose: (file: File | undefined) => void;
}

/** A file to choose or to drop. */
export function FileField({ label, hint, file, busy, optional, testid, onChoose }: Props) {
  const [over, setOver] = useState(false);
  const id = `input-${testid}`;
  return (
    <fieldset
      class={over ? "file over" : "file"}
      aria-labelledby={`${id}-label`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(!event.currentTarget.matches(":disabled"));
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        // What is disabled can still be dropped on.
        if (event.currentTarget.matches(":disabled")) return;
        const dropped = event.dataTransfer?.files[0];
        if (dropped) onChoose(dropped);
      }}
    >
      <label for={id} id={`${id}-label`}>
        {label}
        {optional && <span class="quiet"> (optional)</span>}
      </label>
      <p class="quiet" id={`${id}-hint`}>
        {hint}
      </p>
      <input
        id={id}
        type="file"
        data-testid={testid}
        aria-describedby={`${id}-hint`}
        onChange={(event) => {
          const input = event.currentTarget;
          if (input.files?.[0]) onChoose(input.files[0]);
          // The same file may be chosen again after it was changed.
          input.value = "";
        }}
      />
      <p class="chosen">
        {busy && "Reading …"}
        {!busy && file && (
          <>
            <b>{file.name}</b>{" "}
            <button type="button" class="link" data-testid={`${testid}-remove`} onClick={() => onChoose(undefined)}>
              Remove<span class="hidden"> {file.name}</span>
            </button>
          </>
        )}
        {!busy && !file && <span class="quiet">No file yet. Choose one or drop it here.</span>}
      </p>
    </fieldset>
  );
}
