import { useEffect, useRef, useState } from "preact/hooks";
import type { Figure } from "../figures.js";
import { difference, metric, score } from "../format.js";

const ROW = 46;
/** The ceiling has a line of its own below base and tuned. */
const LANE = 14;
const EDGE = 14;

/** A round stretch of the axis that has all in it. */
function span(figures: Figure[]): { from: number; to: number; ticks: number[] } {
  const all = figures.flatMap(({ base, tuned, ceiling, interval, ceilingInterval = [0, 0] }) => [
    base,
    tuned,
    ceiling ?? base,
    ...[...interval, ...ceilingInterval].map((end) => base + end),
  ]);
  const [least, most] = [Math.max(0, Math.min(...all)), Math.min(1, Math.max(...all))];
  const step = most - least > 0.5 ? 0.2 : most - least > 0.2 ? 0.1 : 0.05;
  const from = Math.max(0, Math.floor(least / step) * step);
  const to = Math.min(1, Math.max(from + step, Math.ceil(most / step) * step));
  const ticks: number[] = [];
  for (let tick = 0; from + tick * step <= to + 1e-9; tick++) ticks.push(from + tick * step);
  return { from, to, ticks };
}

/** Base, tuned and ceiling, with the intervals of their distances from base, a line for each comparison. */
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
  const ceilings = figures.some((figure) => figure.ceiling !== undefined);
  const row = ceilings ? ROW + LANE : ROW;
  const height = figures.length * row + 24;
  const words = figures.map(({ name, base, tuned, ceiling, interval, ceilingInterval }) => {
    const change = `change from ${difference(interval[0])} to ${difference(interval[1])}`;
    const parts = [`${name}: base ${metric(base)}`, `tuned ${metric(tuned)}`, change];
    if (ceiling !== undefined) parts.push(`ceiling ${metric(ceiling)}`);
    if (ceilingInterval) {
      parts.push(`from ${difference(ceilingInterval[0])} to ${difference(ceilingInterval[1])} beside base`);
    }
    return parts.join(", ");
  });
  return (
    <figure class="intervals" data-testid={testid}>
      <figcaption class="quiet">
        <span class="dot base" /> Base <span class="dot tuned" /> Tuned, with the 95 % interval of the change{" "}
        {ceilings && (
          <>
            <span class="dot ceiling" /> Ceiling, with its own
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
              const y = i * row + 32;
              const { base, tuned, ceiling, interval, ceilingInterval } = figure;
              return (
                <g key={figure.key}>
                  <text class="name" x={EDGE} y={y - 16}>
                    {figure.name}
                  </text>
                  <line class="track" x1={EDGE} x2={width - EDGE} y1={y} y2={y} />
                  <Whisker kind="tuned" from={x(base + interval[0])} to={x(base + interval[1])} y={y} />
                  {ceilingInterval && (
                    <Whisker
                      kind="ceiling"
                      from={x(base + ceilingInterval[0])}
                      to={x(base + ceilingInterval[1])}
                      y={y + LANE}
                    />
                  )}
                  <circle class="base" cx={x(base)} cy={y} r={6} />
                  <circle class="tuned" cx={x(tuned)} cy={y} r={6} />
                  {ceiling !== undefined && (
                    <path class="ceiling" d={`M${x(ceiling)} ${y + LANE - 8} l6 8 l-6 8 l-6 -8 z`} />
                  )}
                </g>
              );
            })}
          </svg>
        )}
      </div>
    </figure>
  );
}

function Whisker({ kind, from, to, y }: { kind: "tuned" | "ceiling"; from: number; to: number; y: number }) {
  return <path class={`whisker of-${kind}`} d={`M${from} ${y - 5} v10 m0 -5 H${to} m0 -5 v10`} />;
}
