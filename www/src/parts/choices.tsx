/** What a file's reader can be told, to be chosen from. */

import type { Column } from "../columns.js";

/** What a delimiter is called. */
export const DELIMITERS: Record<string, string> = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe" };
/** Encodings that are offered. */
export const ENCODINGS = [
  "utf-8",
  "windows-1252",
  "utf-16le",
  "utf-16be",
  "windows-1250",
  "windows-1251",
  "shift_jis",
  "gb18030",
];

/** Stands for what is not known yet; no column has that name. */
export const UNKNOWN = "\0";

/** The column in use, or asked for. */
export function chosen(columns: Column[], used: string | null | undefined, asked: string | undefined, isRead: boolean) {
  if (isRead) return used ?? "";
  return columns.find(({ value, name }) => asked === value || asked === name)?.value ?? asked ?? UNKNOWN;
}

/** One thing to choose; what the file itself tells is shown as detected. */
export function Choice(props: {
  label: string;
  testid: string;
  value: string;
  options: [string, string][];
  onPick: (value: string) => void;
}) {
  return (
    <label>
      {props.label}
      <select
        data-testid={props.testid}
        value={props.value}
        onChange={(event) => props.onPick(event.currentTarget.value)}
      >
        {!props.options.some(([value]) => value === props.value) && <option value={props.value}>detected</option>}
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
