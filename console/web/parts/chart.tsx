/**
 * A chart of lines over time. uPlot comes when the first one is shown. A screen reader, which cannot see it, is given what
 * it shows in words; the numbers are in a table below for whoever opens it.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Options, Series } from 'uplot';
import type { BurnChart } from '#console/web/text/burn-chart.ts';
import { isDark } from './media.ts';
import { Wide } from './wide.tsx';

type Props = BurnChart & {
  readonly label: string;
  readonly scale?: 'linear' | 'log';
  readonly format: (value: number) => string;
};

/** Pixels. */
const HEIGHT = 260;

export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [fault, setFault] = useState(false);
  const dark = isDark.value;
  const { times, lines, values, marks, levels, scale } = props;
  // Not for each time that the page around it is drawn: the cursor would be lost. When the colours change, a canvas keeps
  // those it was drawn with.
  useEffect(() => {
    let gone = false;
    let end = () => {};
    void draw(box, props, () => gone).then(
      (destroy) => {
        end = destroy;
        if (gone) destroy();
      },
      () => setFault(true),
    );
    return () => {
      gone = true;
      end();
    };
  }, [times, lines, values, marks, levels, scale, dark]);
  return (
    <figure class="chart-figure">
      <div class="chart" ref={box} role="img" aria-label={`${props.label}. ${inWords(props)}`} />
      {fault && <p class="fault">The chart could not be drawn: its numbers are below.</p>}
      <Numbers {...props} />
    </figure>
  );
}

async function draw(box: { current: HTMLDivElement | null }, props: Props, isGone: () => boolean): Promise<() => void> {
  const { default: UPlot } = await import('./uplot.ts');
  const home = box.current;
  if (home === null || isGone()) return () => {};
  const data = [props.times as number[], ...(props.values as (number | null)[][])] as const;
  const chart = new UPlot(
    optionsOf(props, home, (tone) => inkOf(home, tone)),
    [...data],
    home,
  );
  const watcher = new ResizeObserver(() => {
    if (home.clientWidth > 0) chart.setSize({ width: home.clientWidth, height: HEIGHT });
  });
  watcher.observe(home);
  return () => {
    watcher.disconnect();
    chart.destroy();
  };
}

function optionsOf(props: Props, home: HTMLElement, ink: (tone: string) => string): Options {
  const { lines, format, scale = 'linear' } = props;
  const axis = {
    stroke: ink('quiet'),
    grid: { stroke: ink('line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(200, home.clientWidth),
    height: HEIGHT,
    padding: [12, 8, 0, 0],
    cursor: { drag: { x: false, y: false } },
    legend: { live: true },
    scales: { x: {}, y: scale === 'log' ? { distr: 3, log: 10 } : {} },
    axes: [
      { ...axis, values: (_chart, ticks) => ticks.map((at) => tickText(at, props)) },
      { ...axis, size: 62, values: (_chart, ticks) => ticks.map((tick) => (tick === null ? '' : format(tick))) },
    ],
    series: [
      { value: (_chart, at) => (at === null ? '' : new Date(at * 1_000).toLocaleString()) },
      ...lines.map(
        ({ label, tone, dash }): Series => ({
          label,
          stroke: ink(tone),
          width: 2,
          points: { show: false },
          value: (_chart, value) => (value === null ? 'no data' : format(value)),
          ...(dash === undefined ? {} : { dash: [...dash] }),
        }),
      ),
    ],
    hooks: {
      // Without a pointer over it, the legend says how it is now.
      ready: [(chart) => chart.setLegend({ idx: props.times.length - 1 })],
      draw: [(chart) => drawMarks(chart, props, ink)],
    },
  };
}

const [HOUR_TEXT, DAY_TEXT] = [
  new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' }),
  new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' }),
];
const DAYS = 2 * 86_400;

/** By the reader's own clock: hours of a day or two, days of what is longer. */
function tickText(at: number, { times }: Props): string {
  const isLong = (times.at(-1) ?? 0) - (times[0] ?? 0) > DAYS;
  return (isLong ? DAY_TEXT : HOUR_TEXT).format(at * 1_000);
}

/** A canvas knows neither our names nor `light-dark()`: the browser is asked what the colour is here. */
function inkOf(home: HTMLElement, tone: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${tone})`;
  home.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function drawMarks(chart: uPlot, { marks, levels }: Props, ink: (tone: string) => string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  for (const { at, label, tone } of marks) {
    const x = chart.valToPos(at, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    stroke(ctx, ink(tone), [x, bbox.top, x, bbox.top + bbox.height], [4, 4]);
    ctx.fillText(label, x + 4, bbox.top + 12 * devicePixelRatio, bbox.left + bbox.width - x - 4);
  }
  for (const { value, label, tone } of levels) {
    const y = chart.valToPos(value, 'y', true);
    if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue;
    stroke(ctx, ink(tone), [bbox.left, y, bbox.left + bbox.width, y], [8, 4]);
    ctx.fillText(label, bbox.left + 4 * devicePixelRatio, y - 4 * devicePixelRatio);
  }
  ctx.restore();
}

type Ends = readonly [x1: number, y1: number, x2: number, y2: number];
function stroke(ctx: CanvasRenderingContext2D, colour: string, [x1, y1, x2, y2]: Ends, dash: readonly number[]): void {
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([...dash]);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

function inWords({ lines, values, marks, format }: Props): string {
  const courses = lines.map(({ label }, i) => {
    const known = (values[i] ?? []).filter((value) => value !== null);
    const last = known.at(-1);
    if (last === undefined) return `${label}: no data`;
    return `${label}: now ${format(last)}, least ${format(Math.min(...known))}, most ${format(Math.max(...known))}`;
  });
  const marked = marks.map(({ at, label }) => `${label} at ${new Date(at * 1_000).toLocaleString()}`);
  return [...courses, ...marked].join('; ');
}

/** Of a chart with many points the last ones: who wants all of them asks the API. */
const ROWS_MOST = 60;

function Numbers({ label, times, lines, values, format }: Props) {
  const [isOpen, setOpen] = useState(false);
  const first = Math.max(0, times.length - ROWS_MOST);
  return (
    <details class="numbers unprinted" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Its numbers</summary>
      {isOpen && (
        <Wide label="Numbers">
          <table>
            <caption class="unseen">{label}</caption>
            <thead>
              <tr>
                <th scope="col">At</th>
                {lines.map((line) => (
                  <th key={line.label} scope="col" class="number">
                    {line.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.slice(first).map((at, i) => (
                <tr key={at}>
                  <td>{new Date(at * 1_000).toLocaleString()}</td>
                  {values.map((line, j) => {
                    const value = line[first + i];
                    return (
                      <td key={lines[j]?.label} class="number">
                        {value === null || value === undefined ? 'no data' : format(value)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </details>
  );
}
