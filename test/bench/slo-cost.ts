/**
 * `node test/bench/slo-cost.ts [--sizes 1000,10000]`: what the engine costs, all in: objectives with a full period of
 * history, one exposition with their counters every 15 s, parsed, entered, judged at a tick every 5 s, a checkpoint a minute.
 * Each size in a process of its own, so that its memory is its own. And a backtest of 30 days at 15 s.
 *
 * CPU is that of the work alone: making the texts is left out, though their memory is not.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { seededRandom } from '#kernel/random.ts';
import { days, hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { backtest } from '#slo/backtest.ts';
import { type Engine, enter, newEngine, tick } from '#slo/engine.ts';
import { checkpoint, restore } from '#slo/engine-checkpoint.ts';
import { viewOf } from '#slo/engine-view.ts';
import { readSamples } from '#slo/exposition/read-samples.ts';
import { makeJudged } from '#slo/judge.ts';
import { add, type Ledger, observe } from '#slo/ledger/ledger.ts';
import type { Objective } from '#slo/objective.ts';
import { readRows } from '#slo/replay.ts';
import { objective, objectiveOf, selector } from '#test/kit/objectives-by-hand.ts';

const START = seconds(1_750_000_000);
const PERIOD = days(28);
const NOW = seconds(START + PERIOD);
const SCRAPE = 15;
const TICK = 5;
const SIMULATED = minutes(10);

type Spent = { readonly parse: number; readonly enter: number; readonly tick: number; readonly checkpoint: number };
type Cost = {
  readonly count: number;
  /** CPU seconds a minute. */
  readonly minute: Spent;
  readonly rssMb: number;
  readonly peakMb: number;
  readonly checkpointMb: number;
  readonly restoreSeconds: number;
  readonly viewsSeconds: number;
  readonly changes: number;
};

function objectives(count: number): Objective[] {
  return Array.from({ length: count }, (_, i) =>
    objective(`o${i}`, {
      kind: 'ratio',
      bad: selector(`documents_finished_total{tenant="t${i}",outcome="failed"}`),
      total: selector(`documents_finished_total{tenant="t${i}"}`),
    }),
  );
}

/** As fine as a ledger remembers: quarters of an hour, then minutes, then scrapes. Counts differ, so nothing is small by luck. */
function fill(ledger: Ledger, seed: number): void {
  const random = seededRandom(seed);
  const fillTo = (from: number, to: number, step: number) => {
    for (let at = from + step; at <= to; at += step) {
      observe(ledger, seconds(at - step), seconds(at));
      add(ledger, seconds(at), Math.floor(random.next() * step * 2), random.next() < 0.005 * step ? 1 : 0);
    }
  };
  fillTo(START, NOW - hours(26), 900);
  fillTo(NOW - hours(26), NOW - hours(2), 60);
  fillTo(NOW - hours(2), NOW, SCRAPE);
}

/** Distinct histories; more objectives have one of these again, as their own. */
const HISTORIES = 200;

function copy({ counted: from }: Ledger, { counted: to }: Ledger): void {
  const { head, good, bad, observed } = from;
  Object.assign(to, { head, good, bad, observed });
  for (const [i, level] of to.levels.entries()) {
    const source = from.levels[i];
    if (source === undefined) continue;
    for (const name of ['good', 'bad'] as const) {
      level[name].base = source[name].base;
      level[name].above.set(source[name].above);
    }
    level.observed.set(source.observed);
    level.last = source.last;
  }
}

type Counters = { readonly good: Float64Array; readonly bad: Float64Array };

function textOf({ good, bad }: Counters): string {
  const lines = ['# HELP documents_finished_total Documents.', '# TYPE documents_finished_total counter'];
  for (const [i, value] of good.entries()) {
    lines.push(`documents_finished_total{tenant="t${i}",outcome="completed"} ${value}`);
    lines.push(`documents_finished_total{tenant="t${i}",outcome="failed"} ${bad[i]}`);
  }
  return `${lines.join('\n')}\n`;
}

function costHere(count: number): Cost {
  const all = objectives(count);
  let engine: Engine = newEngine(all, START);
  const ledgers = [...engine.book.accounts.values()].map(({ ledger }) => ledger);
  for (const [i, ledger] of ledgers.entries()) {
    const known = i < HISTORIES ? undefined : ledgers[i % HISTORIES];
    if (known === undefined) fill(ledger, i + 1);
    else copy(known, ledger);
  }
  engine.book.knownUntil = NOW;
  const random = seededRandom(7);
  const counters: Counters = { good: new Float64Array(count), bad: new Float64Array(count) };
  const spent = { parse: 0, enter: 0, tick: 0, checkpoint: 0 };
  let [changes, rss] = [0, 0];
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  const timed = <T>(what: keyof Spent, run: () => T): T => {
    const from = process.cpuUsage();
    const value = run();
    const { user, system } = process.cpuUsage(from);
    spent[what] += (user + system) / 1e6;
    return value;
  };
  for (let offset = 0; offset <= SIMULATED; offset += TICK) {
    const now = seconds(NOW + offset);
    if (offset % SCRAPE === 0) {
      for (let i = 0; i < count; i++) {
        // One in a hundred burns, a little.
        counters.good[i] = (counters.good[i] ?? 0) + Math.floor(random.next() * 30);
        counters.bad[i] = (counters.bad[i] ?? 0) + (random.next() < (i % 100 === 0 ? 0.9 : 0.1) ? 1 : 0);
      }
      const text = textOf(counters);
      const exposition = timed('parse', () => readSamples(text, 'text', engine.book.plan.wanted));
      timed('enter', () => enter(engine, { target: 'worker', at: now, interval: seconds(SCRAPE) }, exposition));
    }
    changes += timed('tick', () => tick(engine, now)).length;
    if (offset > 0 && offset % 60 === 0) {
      bytes = timed('checkpoint', () => checkpoint(engine, now, bytes));
      rss = Math.max(rss, process.memoryUsage().rss);
    }
  }
  const per = SIMULATED / 60;
  const peak = process.resourceUsage().maxRSS / 1_024;
  const views = elapsed(() => {
    for (const { id } of all) viewOf(engine, id, seconds(NOW + SIMULATED));
  });
  const restoring = elapsed(() => {
    const outcome = restore(bytes ?? new Uint8Array(), all, seconds(NOW + SIMULATED));
    if (outcome.kind !== 'restored') throw new Error(outcome.reason);
    engine = outcome.value;
  });
  const minute = {
    parse: spent.parse / per,
    enter: spent.enter / per,
    tick: spent.tick / per,
    checkpoint: spent.checkpoint / per,
  };
  const sizes = { rssMb: rss / 2 ** 20, peakMb: peak, checkpointMb: (bytes?.length ?? 0) / 2 ** 20 };
  return { count, minute, ...sizes, restoreSeconds: restoring, viewsSeconds: views, changes };
}

function elapsed(run: () => void): number {
  const from = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}

/** @param count of objectives. Prints a row of a table. */
export function cost(count: number): void {
  const args = [...process.execArgv, import.meta.filename, '--child', String(count)];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const found = JSON.parse(stdout) as Cost;
  const { parse, enter: entering, tick: ticking, checkpoint: writing } = found.minute;
  const all = parse + entering + ticking + writing;
  const cells = [count, ...[all, parse, entering, ticking, writing].map((one) => one.toFixed(3))];
  const sizes = [found.rssMb, found.peakMb, found.checkpointMb].map((one) => one.toFixed(0));
  const once = [found.restoreSeconds, found.viewsSeconds].map((one) => one.toFixed(2));
  process.stdout.write(`| ${[...cells, ...sizes, ...once].join(' | ')} |\n`);
}

export function costHead(): void {
  process.stdout.write(
    '| objectives | CPU s/min | parse | enter | tick | checkpoint | resident MB | peak MB | checkpoint MB | restore s | all views s |\n' +
      '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n',
  );
}

/** Thirty days at 15 s, from text to summary, and the detector alone asked every 5 s as live. */
export function backtestCost(): void {
  const random = seededRandom(3);
  const lines = ['time,good,bad'];
  for (let i = 1; i <= days(30) / SCRAPE; i++) {
    const bad = random.next() < 0.1 ? 1 : 0;
    lines.push(`${START + i * SCRAPE},${Math.floor(random.next() * 30)},${i > 100_000 && i < 100_100 ? 9 : bad}`);
  }
  const text = lines.join('\n');
  for (const step of [SCRAPE, TICK] as readonly number[] as readonly Seconds[]) {
    let pages = 0;
    const spent = elapsed(() => {
      const rows = readRows(text);
      if (rows.kind !== 'rows') throw new Error(rows.reason);
      pages = backtest(makeJudged(objectiveOf()), rows, step, () => {}).pages.length;
    });
    process.stdout.write(
      `backtest of ${lines.length - 1} rows, a tick of ${step} s: ${spent.toFixed(2)} CPU s, ${pages} pages\n`,
    );
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { sizes: { type: 'string', default: '1000,10000' }, child: { type: 'string' } },
  });
  if (values.child !== undefined) process.stdout.write(JSON.stringify(costHere(Number(values.child))));
  else {
    costHead();
    for (const count of values.sizes.split(',').map(Number)) cost(count);
    backtestCost();
  }
}
