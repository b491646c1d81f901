import { difference } from "../format.js";
import { type Method, method } from "../settings.js";

const METHODS: [value: Method, name: string, when: string][] = [
  ["query-head", "Head for queries", "seconds; documents keep their vectors, so an index stays as it is: always first"],
  [
    "head",
    "Heads for queries and documents",
    `seconds, but documents have to be indexed again: judged nDCG@10 rose a little more than with a head for queries on SciFact (${difference(0.0475)}, ${difference(0.0452)}) and on an electronics shop’s log (${difference(0.1092)}, ${difference(0.1037)})`,
  ],
  ["lora", "LoRA", "slow, up to hours on a CPU: changes the encoder itself, where just that is wanted"],
];

/** What is trained; folded, as the default is nearly always right. */
export function Training() {
  return (
    <details>
      <summary data-testid="training">Training: {METHODS.find(([value]) => value === method.value)?.[1]}</summary>
      <fieldset class="plain">
        <legend class="hidden">What is trained</legend>
        {METHODS.map(([value, name, when]) => (
          <label class="choice" key={value}>
            <input
              type="radio"
              name="method"
              data-testid={`method-${value}`}
              checked={method.value === value}
              onChange={() => {
                method.value = value;
              }}
            />
            <span>
              {name} <span class="quiet">– {when}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </details>
  );
}
