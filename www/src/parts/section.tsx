import type { ComponentChildren } from "preact";

/** One part of the road, with a sentence on what happens in it. */
export function Section(props: { number: number; title: string; sentence: string; children: ComponentChildren }) {
  const id = `section-${props.number}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>
        <span class="number">{props.number}</span> {props.title}
      </h2>
      <p>{props.sentence}</p>
      {props.children}
    </section>
  );
}
