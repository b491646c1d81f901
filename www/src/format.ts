/** Numbers as the reader's browser writes them. */

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const four = new Intl.NumberFormat(undefined, { minimumFractionDigits: 4, maximumFractionDigits: 4 });
const two = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const signed = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
  signDisplay: "exceptZero",
});

export const count = (n: number) => whole.format(n);
export const rate = (n: number) => (n >= 100 ? whole : one).format(n);
export const metric = (n: number) => four.format(n);
export const score = (n: number) => two.format(n);
export const difference = (n: number) => signed.format(n);
export const percent = (part: number, total: number) => (total > 0 ? Math.floor((100 * part) / total) : 0);

export function bytes(n: number): string {
  return n >= 1e6 ? `${one.format(n / 1e6)} MB` : `${whole.format(n / 1e3)} kB`;
}

/** A stretch of time in words, from seconds. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  return m < 60 ? `${m} min ${s % 60} s` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

/** "1 row", "2 rows". */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
