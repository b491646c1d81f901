import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

interface Props {
  /** What it is about, for who comes across it. */
  label: string;
  testid: string;
  yes: string;
  no: string;
  disabled?: boolean;
  onYes: () => void;
  onNo: () => void;
  /** What will be lost. */
  children: ComponentChildren;
}

/** Asks before something is lost. Its buttons go away with the answer: the focus goes back to what had it before. */
export function Question({ label, testid, yes, no, disabled, onYes, onNo, children }: Props) {
  const asker = useRef(document.activeElement);
  const answer = (then: () => void) => () => {
    if (asker.current instanceof HTMLElement) asker.current.focus();
    then();
  };
  return (
    <section class="notice" aria-label={label} data-testid={testid}>
      <p role="alert">{children}</p>
      <p class="buttons">
        <button type="button" data-testid={`${testid}-yes`} disabled={disabled} onClick={answer(onYes)}>
          {yes}
        </button>
        <button type="button" data-testid={`${testid}-no`} onClick={answer(onNo)}>
          {no}
        </button>
      </p>
    </section>
  );
}
