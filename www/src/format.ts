/** Numbers, times and dates as the reader's browser writes them. */

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const four = new Intl.NumberFormat(undefined, { minimumFractionDigits: 4, maximumFractionDigits: 4 });
const two = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const share = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const signed = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
  signDisplay: "exceptZero",
});
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const sizes = (["byte", "kilobyte", "megabyte", "gigabyte"] as const).map(
  (unit) =>
    new Intl.NumberFormat(undefined, {
      style: "unit",
      unit,
      unitDisplay: unit === "byte" ? "long" : "short",
      maximumFractionDigits: unit === "byte" || unit === "kilobyte" ? 0 : 1,
    }),
);
const [single, kilobytes, megabytes, gigabytes] = sizes as [
  Intl.NumberFormat,
  Intl.NumberFormat,
  Intl.NumberFormat,
  Intl.NumberFormat,
];

export const count = (n: number) => whole.format(n);
export const rate = (n: number) => (n >= 100 ? whole : one).format(n);
export const metric = (n: number) => four.format(n);
export const score = (n: number) => two.format(n);
export const difference = (n: number) => signed.format(n);
const exact = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });

/** A constant of any kind; more digits than these are of its way to the page. */
export function constant(value: unknown): string {
  if (typeof value === "number") return exact.format(value);
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value)) return value.map(constant).join("; ");
  if (typeof value !== "object") return String(value);
  return Object.entries(value)
    .map(([name, one]) => `${name} ${constant(one)}`)
    .join("; ");
}

export const date = (milliseconds: number) => moment.format(milliseconds);

/** Whole percents, rounded down: 100 only when all is done. */
export const percent = (part: number, total: number) => (total > 0 ? Math.floor((100 * part) / total) : 0);
export const percents = (part: number, total: number) => share.format(percent(part, total) / 100);

export function bytes(n: number): string {
  if (n >= 1e9) return gigabytes.format(n / 1e9);
  if (n >= 1e6) return megabytes.format(n / 1e6);
  return n >= 1e3 ? kilobytes.format(n / 1e3) : single.format(n);
}

/** A stretch of time in words, from seconds. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${count(s)} s`;
  const m = Math.floor(s / 60);
  return m < 60 ? `${m} min ${s % 60} s` : `${count(Math.floor(m / 60))} h ${m % 60} min`;
}

/** The same of an estimate, which is not that exact. */
export function about(seconds: number): string {
  if (seconds < 50) return `${count(Math.max(5, 5 * Math.round(seconds / 5)))} s`;
  const m = Math.round(seconds / 60);
  if (m < 60) return `${count(Math.max(1, m))} min`;
  return m < 600 ? `${count(Math.floor(m / 60))} h ${10 * Math.floor((m % 60) / 10)} min` : `${count(m / 60)} h`;
}

/** The engine's sentences have decimals as English has them: those of the text as the reader writes them. */
export const localized = (text: string) =>
  text.replace(/(?<![\w.])\d*\.\d+(?!\.?\w)/g, (decimal) => {
    const digits = decimal.length - decimal.indexOf(".") - 1;
    return new Intl.NumberFormat(undefined, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      useGrouping: false,
    }).format(Number(decimal));
  });

/** "1 row", "2 rows". */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
