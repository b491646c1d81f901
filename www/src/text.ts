/** The text alone: what is encoded, and what the engine shows, has the title before it. */
export function withoutTitle({ title, text }: { title?: string; text: string }): string {
  return title && text.startsWith(`${title} `) ? text.slice(title.length + 1) : text;
}
