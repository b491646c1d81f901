import type { ComponentChildren } from "preact";

interface Props {
  number: number;
  title: string;
  sentence: string;
  /** How things stand, in a few words. */
  state: string;
  children: ComponentChildren;
}

/** Moves the focus to a section's heading, where what had it goes away. */
export function leadTo(section: number): void {
  document.getElementById(`section-${section}`)?.focus();
}

/** One part of the road, with a sentence on what happens in it. */
export function Section({ number, title, sentence, state, children }: Props) {
  const id = `section-${number}`;
  return (
    <section aria-labelledby={id}>
      <div class="head">
        <h2 id={id} tabIndex={-1}>
          <span class="number">{number}</span> {title}
        </h2>
        <span class="state" data-testid={`${id}-state`}>
          {state}
        </span>
      </div>
      <p>{sentence}</p>
      {children}
    </section>
  );
}
