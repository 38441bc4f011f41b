/**
 * `node test/bench/ledger.ts`: what the ledger costs: an addition, a window, a scrape of 1,000 objectives from text to
 * counts, a checkpoint, and memory. Run by hand; the figures that are quoted stand in docs/benchmarks.md.
 */
import { parseArgs } from 'node:util';
import { days, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { readSamples } from '#slo/exposition/read-samples.ts';
import { enterScrape, newBook } from '#slo/ledger/book.ts';
import { restoreBook, writeBook } from '#slo/ledger/checkpoint.ts';
import { add, ledgerBytes, newLedger, observe, windowCounts } from '#slo/ledger/ledger.ts';
import { planOf } from '#slo/ledger/plan.ts';
import { DEFAULT_ALERTING, type Objective } from '#slo/objective.ts';

const { values } = parseArgs({
  options: { objectives: { type: 'string', default: '1000' }, scrapes: { type: 'string', default: '40' } },
});
const OBJECTIVES = Number(values.objectives);
const SCRAPES = Number(values.scrapes);
const START = 1_700_000_000;
const STEP = 15;
const at = (offset: number): Seconds => seconds(START + offset);

function timed(name: string, unit: string, times: number, run: () => void): void {
  // CPU time: what else runs on the machine does not count.
  const from = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(from);
  const spent = (user + system) / 1000;
  const each = spent / times;
  const shown = each >= 1 ? `${each.toFixed(2)} ms` : `${(each * 1e6).toFixed(0)} ns`;
  process.stdout.write(`${name.padEnd(44)} ${shown.padStart(12)} per ${unit}\n`);
}

const WINDOWS = [5, 30, 60, 120, 360, 1_440, 4_320].map(minutes);

/** Thirty days at 15 s, ten windows a tick: the shape of a backtest. */
function replay(): void {
  const TICKS = 172_800;
  const ledger = newLedger(seconds(START), days(28));
  timed('add and observe', 'tick', TICKS, () => {
    for (let i = 1; i <= TICKS; i++) {
      observe(ledger, at(STEP * (i - 1)), at(STEP * i));
      add(ledger, at(STEP * i), 15, i % 50 === 0 ? 1 : 0);
    }
  });
  let sum = 0;
  const now = at(STEP * TICKS);
  timed('window read', 'window', TICKS * WINDOWS.length, () => {
    for (let i = 0; i < TICKS; i++) for (const window of WINDOWS) sum += windowCounts(ledger, now, window).bad;
  });
  process.stdout.write(
    `${'ledger of 28 days'.padEnd(44)} ${String(ledgerBytes(ledger)).padStart(12)} bytes (checked ${sum})\n`,
  );
}

function objective(i: number): Objective {
  const query = (outcome?: string) => ({
    kind: 'selector' as const,
    source: undefined,
    selector: {
      name: 'documents_finished_total',
      matchers: [
        { label: 'tenant', op: '=' as const, value: `t${i}` },
        ...(outcome === undefined ? [] : [{ label: 'outcome', op: '=' as const, value: outcome }]),
      ],
    },
  });
  return {
    id: `o${i}`,
    service: 's',
    name: `o${i}`,
    displayName: '',
    description: '',
    target: 0.98 as Objective['target'],
    budget: 0.02 as Objective['budget'],
    window: { kind: 'rolling', period: days(28) },
    method: { kind: 'occurrences' },
    indicator: { kind: 'ratio', bad: query('failed'), total: query() },
    labels: {},
    annotations: {},
    alerting: DEFAULT_ALERTING,
    source: { file: '', line: 0, column: 0 },
  };
}

function exposition(i: number): string {
  const lines = ['# HELP documents_finished_total Documents.', '# TYPE documents_finished_total counter'];
  for (let k = 0; k < OBJECTIVES; k++) {
    for (const [n, outcome] of ['completed', 'rejected', 'failed'].entries()) {
      lines.push(`documents_finished_total{tenant="t${k}",outcome="${outcome}"} ${i * (3 - n) + k}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function scrapes(): void {
  const { plan } = planOf(Array.from({ length: OBJECTIVES }, (_, i) => objective(i)));
  const before = process.memoryUsage();
  const book = newBook(plan, at(0), days(28));
  const texts = Array.from({ length: SCRAPES }, (_, i) => exposition(i));
  const visit = (i: number) => ({ target: 'w', at: at(STEP * i), interval: seconds(STEP) });
  timed('first scrape', `scrape of ${OBJECTIVES} objectives`, 1, () => {
    enterScrape(book, visit(0), readSamples(texts[0] ?? '', 'text', plan.wanted));
  });
  const read = texts.slice(1);
  timed('parse alone', 'scrape', read.length, () => {
    for (const text of read) readSamples(text, 'text', plan.wanted);
  });
  timed('parse and enter', 'scrape', read.length, () => {
    for (const [i, text] of read.entries()) enterScrape(book, visit(i + 1), readSamples(text, 'text', plan.wanted));
  });
  let bytes: Uint8Array = new Uint8Array();
  timed('write a checkpoint', 'checkpoint', 1, () => {
    bytes = writeBook(book, at(STEP * SCRAPES));
  });
  timed('restore it', 'checkpoint', 1, () => {
    const { kind } = restoreBook(bytes, plan, at(STEP * SCRAPES));
    if (kind !== 'restored') throw new Error(kind);
  });
  const after = process.memoryUsage();
  const each = (after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed) / OBJECTIVES;
  process.stdout.write(
    `checkpoint ${bytes.length} bytes; ${Math.round(each)} bytes of memory an objective, two books; rss ${Math.round(after.rss / 2 ** 20)} MiB\n`,
  );
}

replay();
scrapes();
