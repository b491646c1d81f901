import type { ComponentChildren } from "preact";

interface Props {
  number: number;
  title: string;
  sentence: string;
  /** How things stand, in a few words. */
  state?: string;
  children: ComponentChildren;
}

/** One part of the road, with a sentence on what happens in it. */
export function Section({ number, title, sentence, state, children }: Props) {
  const id = `section-${number}`;
  return (
    <section aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>
          <span class="number">{number}</span> {title}
        </h2>
        {state && (
          <span class="state" data-testid={`${id}-state`}>
            {state}
          </span>
        )}
      </div>
      <p>{sentence}</p>
      {children}
    </section>
  );
}
