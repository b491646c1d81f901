import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

/** A colour of the style sheet. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

type Axis = NonNullable<uPlot.Options["axes"]>[number];

/** An axis in the page's colours. */
export function axis(label: string, more: Axis = {}): Axis {
  const grid = { stroke: colour("line"), width: 1 };
  return {
    label,
    stroke: colour("quiet"),
    grid,
    ticks: grid,
    font: "12px system-ui",
    labelFont: "12px system-ui",
    labelSize: 18,
    ...more,
  };
}

interface Props {
  /** Called again when the colours change. */
  options: () => Omit<uPlot.Options, "width" | "height">;
  data: uPlot.AlignedData;
  /** What it shows, for those who do not see it. */
  label: string;
  testid: string;
}

/** A plot as wide as its place. */
export function Plot({ options, data, label, testid }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let plot: uPlot | undefined;
    const size = () => ({ width: Math.max(200, element.clientWidth), height: 240 });
    const draw = () => {
      plot?.destroy();
      plot = new uPlot({ ...options(), ...size() }, data, element);
    };
    draw();
    const resized = new ResizeObserver(() => plot?.setSize(size()));
    resized.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      plot?.destroy();
    };
  }, [options, data]);
  return <div ref={place} class="plot" role="img" aria-label={label} data-testid={testid} />;
}
