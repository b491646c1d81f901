import { useRef, useState } from "preact/hooks";
import type { Slot } from "../data.js";
import { bytes } from "../format.js";

interface Props {
  label: string;
  hint: string;
  slot: Pick<Slot<never>, "file" | "busy" | "share">;
  optional?: boolean;
  testid: string;
  /** What the paste field shows while it is empty; without it there is none, for files that are no text. */
  example?: string;
  /** Names of files that a picker offers, such as `.zip`. */
  accept?: string;
  onChoose: (file: File | undefined) => void;
}

/** A file to choose, to drop, or to paste. */
export function FileField({ label, hint, slot, optional, testid, example, accept, onChoose }: Props) {
  const [file, busy, share] = [slot.file.value, slot.busy.value, slot.share.value];
  const [over, setOver] = useState(false);
  const taken = useRef<HTMLParagraphElement>(null);
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
        const text = event.dataTransfer?.getData("text/plain");
        if (dropped) onChoose(dropped);
        else if (text && example) onChoose(pasted(text));
      }}
      onPaste={(event) => {
        const file = copied(event.clipboardData);
        // What is disabled can still be pasted into, where text of it is selected.
        if (!file || event.currentTarget.matches(":disabled")) return;
        event.preventDefault();
        onChoose(file);
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
        accept={accept}
        data-testid={testid}
        aria-describedby={`${id}-hint`}
        onChange={(event) => {
          const input = event.currentTarget;
          if (input.files?.[0]) onChoose(input.files[0]);
          // The same file may be chosen again after it was changed.
          input.value = "";
        }}
      />
      <p class="chosen" role="status" ref={taken} tabIndex={-1} data-testid={`${testid}-chosen`}>
        {busy && `Reading ${file ? bytes(file.size) : ""} …`}
        {!busy && file && (
          <>
            <b>{file.name}</b> <span class="quiet">{bytes(file.size)}</span>{" "}
            <button
              type="button"
              class="link"
              data-testid={`${testid}-remove`}
              onClick={() => {
                onChoose(undefined);
                // The button goes with the file.
                taken.current?.focus();
              }}
            >
              Remove<span class="hidden"> {file.name}</span>
            </button>
          </>
        )}
        {!busy && !file && <span class="quiet">No file yet. Choose one or drop it here.</span>}
      </p>
      {busy && share > 0 && (
        <progress value={share} aria-label={`Reading ${file?.name ?? ""}`} data-testid={`${testid}-progress`} />
      )}
      {example && (
        <Paste
          label={label}
          testid={testid}
          example={example}
          onPaste={(text) => {
            onChoose(pasted(text));
            // The button that was pressed goes out of sight.
            taken.current?.focus();
          }}
        />
      )}
    </fieldset>
  );
}

/** The file that was copied. Cells of a spreadsheet come with a picture of themselves beside their text: that is none. */
function copied(data: DataTransfer | null): File | undefined {
  const file = data?.files[0];
  const isPicture = file?.type.startsWith("image/") && data?.getData("text/plain");
  return isPicture ? undefined : file;
}

function pasted(text: string): File {
  return new File([text], "pasted.txt", { type: "text/plain" });
}

function Paste(props: { label: string; testid: string; example: string; onPaste: (text: string) => void }) {
  const { label, testid, example, onPaste } = props;
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary data-testid={`${testid}-paste`}>
        Paste text instead<span class="hidden">: {label}</span>
      </summary>
      <label class="hidden" for={`${testid}-text`}>
        {label} as text
      </label>
      <textarea
        id={`${testid}-text`}
        rows={5}
        data-testid={`${testid}-text`}
        placeholder={example}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button
        type="button"
        data-testid={`${testid}-take`}
        disabled={text.trim() === ""}
        onClick={() => {
          onPaste(text);
          setText("");
          setOpen(false);
        }}
      >
        Take this text
      </button>
    </details>
  );
}
