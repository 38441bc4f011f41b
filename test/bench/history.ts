/** Fills a Prometheus' folder with a past, by promtool. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Seconds } from '#kernel/units.ts';

export type PastSeries = {
  readonly name: string;
  /** As they stand between the braces. */
  readonly labels: string;
  /** How far back it goes, and how far from now it ends. */
  readonly from: Seconds;
  readonly to: Seconds;
  readonly step: Seconds;
  readonly value: (at: number) => number;
};

/** @param series those of one name stand together. @returns how many samples there are. */
export function fill(promtool: string, folder: string, series: Iterable<PastSeries>, end = Date.now() / 1_000): number {
  const file = join(folder, 'history.om');
  const samples = writeHistory(file, series, Math.floor(end));
  if (samples > 0) {
    // Blocks as long as they come: with the usual two hours the file would be read some 300 times.
    const args = ['tsdb', 'create-blocks-from', '--max-block-duration=744h', 'openmetrics', file, join(folder, 'data')];
    execFileSync(promtool, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 3_600_000 });
  }
  rmSync(file);
  return samples;
}

/** Written piece by piece: a past may be larger than the memory. */
const PIECE = 20_000;

/** OpenMetrics text, series by series. */
function writeHistory(file: string, series: Iterable<PastSeries>, end: number): number {
  const out = openSync(file, 'w');
  let samples = 0;
  let last = '';
  for (const { name, labels, from, to, step, value } of series) {
    if (name !== last)
      writeSync(out, `# TYPE ${name.replace(/_total$/, '')} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n`);
    last = name;
    const head = `${name}{${labels}} `;
    let lines: string[] = [];
    for (let at = Math.floor((end - from) / step) * step; at < end - to; at += step) {
      lines.push(`${head}${value(at)} ${at}\n`);
      samples++;
      if (lines.length < PIECE) continue;
      writeSync(out, lines.join(''));
      lines = [];
    }
    writeSync(out, lines.join(''));
  }
  writeSync(out, '# EOF\n');
  closeSync(out);
  return samples;
}
