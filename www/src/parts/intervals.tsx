import { useEffect, useRef, useState } from "preact/hooks";
import type { Figure } from "../figures.js";
import { difference, metric, score } from "../format.js";

const ROW = 46;
const EDGE = 14;

/** A round stretch of the axis that has all in it. */
function span(figures: Figure[]): { from: number; to: number; ticks: number[] } {
  const all = figures.flatMap(({ base, tuned, ceiling, interval }) => [
    base,
    tuned,
    ceiling ?? base,
    base + interval[0],
    base + interval[1],
  ]);
  const [least, most] = [Math.max(0, Math.min(...all)), Math.min(1, Math.max(...all))];
  const step = most - least > 0.5 ? 0.2 : most - least > 0.2 ? 0.1 : 0.05;
  const from = Math.max(0, Math.floor(least / step) * step);
  const to = Math.min(1, Math.max(from + step, Math.ceil(most / step) * step));
  const ticks: number[] = [];
  for (let tick = 0; from + tick * step <= to + 1e-9; tick++) ticks.push(from + tick * step);
  return { from, to, ticks };
}

/** Base, tuned with the interval of its gain, and ceiling, a line for each comparison. */
export function Intervals({ figures, label, testid }: { figures: Figure[]; label: string; testid: string }) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const resized = new ResizeObserver(() => setWidth(element.clientWidth));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  const { from, to, ticks } = span(figures);
  const x = (value: number) => {
    const inside = Math.min(to, Math.max(from, value));
    return EDGE + ((width - 2 * EDGE) * (inside - from)) / (to - from);
  };
  const height = figures.length * ROW + 24;
  const ceilings = figures.some((figure) => figure.ceiling !== undefined);
  const words = figures.map(
    ({ name, base, tuned, interval }) =>
      `${name}: base ${metric(base)}, tuned ${metric(tuned)}, change from ${difference(interval[0])} to ${difference(interval[1])}`,
  );
  return (
    <figure class="intervals" data-testid={testid}>
      <figcaption class="quiet">
        <span class="dot base" /> Base <span class="dot tuned" /> Tuned, with the 95 % interval of the change{" "}
        {ceilings && (
          <>
            <span class="dot ceiling" /> Ceiling
          </>
        )}
      </figcaption>
      <div ref={place}>
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-label={`${label}. ${words.join("; ")}.`}>
            {ticks.map((tick) => (
              <g key={tick}>
                <line class="grid" x1={x(tick)} x2={x(tick)} y1={0} y2={height - 20} />
                <text class="tick" x={x(tick)} y={height - 5} text-anchor="middle">
                  {score(tick)}
                </text>
              </g>
            ))}
            {figures.map((figure, i) => {
              const y = i * ROW + 32;
              const { base, tuned, ceiling, interval } = figure;
              return (
                <g key={figure.key}>
                  <text class="name" x={EDGE} y={y - 16}>
                    {figure.name}
                  </text>
                  <line class="track" x1={EDGE} x2={width - EDGE} y1={y} y2={y} />
                  <line class="whisker" x1={x(base + interval[0])} x2={x(base + interval[1])} y1={y} y2={y} />
                  <line class="whisker" x1={x(base + interval[0])} x2={x(base + interval[0])} y1={y - 5} y2={y + 5} />
                  <line class="whisker" x1={x(base + interval[1])} x2={x(base + interval[1])} y1={y - 5} y2={y + 5} />
                  <circle class="base" cx={x(base)} cy={y} r={6} />
                  <circle class="tuned" cx={x(tuned)} cy={y} r={6} />
                  {ceiling !== undefined && <path class="ceiling" d={`M${x(ceiling)} ${y - 8} l6 8 l-6 8 l-6 -8 z`} />}
                </g>
              );
            })}
          </svg>
        )}
      </div>
    </figure>
  );
}
