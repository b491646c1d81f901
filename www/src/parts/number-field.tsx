import type { Signal } from "@preact/signals";

interface Props {
  label: string;
  /** Whether the label is for those who do not see that it is clear. */
  hidden?: boolean;
  testid: string;
  value: Signal<number>;
  max: number;
}

/** A whole number from 1; what is no such number is taken back. */
export function NumberField({ label, hidden, testid, value, max }: Props) {
  return (
    <label class="number-field">
      <span class={hidden ? "hidden" : ""}>{label}</span>
      <input
        type="number"
        min={1}
        max={max}
        data-testid={testid}
        value={value.value}
        onChange={(event) => {
          const input = event.currentTarget;
          if (input.checkValidity() && input.value !== "") value.value = input.valueAsNumber;
          else input.value = String(value.value);
        }}
      />
    </label>
  );
}
