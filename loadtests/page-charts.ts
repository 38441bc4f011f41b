/** The two pictures of the page, as SVG in the page itself. Pure. */
import type { Judged } from './judge.ts';
import type { PhaseResult } from './phases.ts';
import { share, text } from './words.ts';

const BAR = { width: 320, height: 26, end: 310, start: 10 } as const;

/** The interval and the target, on a line that ends at 100 % and begins well below both. */
export function shareBar({ promise, interval, share: counted }: Judged): string {
  if (counted === undefined) return '';
  const least = Math.max(0, 1 - 1.25 * Math.max(1 - interval.low, 1 - promise.target));
  const x = (value: number) => BAR.start + ((value - least) / (1 - least)) * (BAR.end - BAR.start);
  const label = `${share(interval.low, 1)} to ${share(interval.high, 1)}, target ${share(promise.target, 1)}`;
  return `<svg role="img" aria-label="${text(label)}" width="${BAR.width}" height="${BAR.height}" viewBox="0 0 ${BAR.width} ${BAR.height}">
<line x1="${BAR.start}" x2="${BAR.end}" y1="13" y2="13" stroke="var(--line)"/>
<line x1="${at(x(interval.low))}" x2="${at(x(interval.high))}" y1="13" y2="13" stroke="currentColor" stroke-width="5" opacity=".45"/>
<circle cx="${at(x(counted))}" cy="13" r="4" fill="currentColor"/>
<line x1="${at(x(promise.target))}" x2="${at(x(promise.target))}" y1="4" y2="22" stroke="var(--bad)" stroke-width="2"/></svg>`;
}

const CHART = { width: 720, height: 230, left: 44, right: 16, top: 14, bottom: 44 } as const;

/** What was offered and what was completed, by phase: where they part is the knee. */
export function phaseChart(phases: readonly PhaseResult[]): string {
  const most = Math.max(...phases.map(({ offered, goodput }) => Math.max(offered, goodput)), 0.001);
  const step = (CHART.width - CHART.left - CHART.right) / Math.max(1, phases.length - 1);
  const x = (i: number) => CHART.left + i * step;
  const y = (value: number) => CHART.height - CHART.bottom - (value / most) * (CHART.height - CHART.top - CHART.bottom);
  const line = (of: (one: PhaseResult) => number, colour: string) =>
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${phases.map((one, i) => `${at(x(i))},${at(y(of(one)))}`).join(' ')}"/>`;
  const marks = phases
    .map(
      (one, i) =>
        `<circle cx="${at(x(i))}" cy="${at(y(one.goodput))}" r="4" fill="${one.broken.length > 0 ? 'var(--bad)' : 'var(--good)'}"/>`,
    )
    .join('');
  const every = Math.ceil(phases.length / 10);
  const labels = phases
    .map((one, i) =>
      i % every === 0
        ? `<text x="${at(x(i))}" y="${CHART.height - 24}" text-anchor="middle">${text(String(one.phase.rate))}</text>`
        : '',
    )
    .join('');
  return `<svg role="img" aria-label="documents a second, offered and completed, by phase" width="${CHART.width}" height="${CHART.height}" viewBox="0 0 ${CHART.width} ${CHART.height}">
<text x="4" y="${CHART.top}">${text(most.toFixed(1))}/s</text><text x="4" y="${CHART.height - CHART.bottom}">0</text>
${line(({ offered }) => offered, 'var(--soft)')}${line(({ goodput }) => goodput, 'var(--good)')}${marks}${labels}
<text x="${CHART.left}" y="${CHART.height - 6}">documents a second that were to arrive (grey: sent, green: completed, red: not borne)</text></svg>`;
}

const at = (value: number): string => String(Math.round(value * 10) / 10);
