/** Objectives, targets and scrapes for tests of the ledger: short texts in, counts out. */
import assert from 'node:assert/strict';
import { days, type Seconds, seconds } from '#kernel/units.ts';
import { readSamples } from '#slo/exposition/read-samples.ts';
import { type Book, enterScrape, newBook } from '#slo/ledger/book.ts';
import { type Ledger, windowCounts } from '#slo/ledger/ledger.ts';
import { planOf } from '#slo/ledger/plan.ts';
import { DEFAULT_ALERTING, type Indicator, type Method, type Objective, type Query } from '#slo/objective.ts';

export const START = seconds(1_700_000_000);
export const at = (offset: number): Seconds => seconds(START + offset);
export const STEP = seconds(15);

export const query = (name: string, ...labels: (readonly [string, string])[]): Query => ({
  kind: 'selector',
  selector: { name, matchers: labels.map(([label, value]) => ({ label, op: '=', value })) },
  source: undefined,
});

export function objective(id: string, indicator: Indicator, method: Method = { kind: 'occurrences' }): Objective {
  return {
    id,
    service: 'documents',
    name: id,
    displayName: id,
    description: '',
    target: 0.98 as Objective['target'],
    budget: 0.02 as Objective['budget'],
    window: { kind: 'rolling', period: days(28) },
    method,
    indicator,
    labels: {},
    annotations: {},
    alerting: DEFAULT_ALERTING,
    source: { file: 'test.yaml', line: 1, column: 1 },
  };
}

export const DONE = objective('done', {
  kind: 'ratio',
  bad: query('done_total', ['outcome', 'failed']),
  total: query('done_total'),
});
export const book = (...objectives: Objective[]): Book => newBook(planOf(objectives).plan, START, days(28));

/** Scrapes `text` from target `of`; undefined: nobody answered. */
export function scrape(one: Book, offset: number, text: string | undefined, of = 'w1') {
  if (text === undefined) return;
  const exposition = readSamples(`${text}\n`, 'text', one.plan.wanted);
  return enterScrape(one, { target: of, at: at(offset), interval: STEP }, exposition);
}

export function counts(one: Book, now: number, id = 'done'): readonly [number, number] {
  const { good, bad } = windowCounts(ledgerIn(one, id), at(now), days(28));
  return [good, bad];
}

export const done = (completed: number, failed?: number, more = ''): string =>
  `done_total{outcome="completed"} ${completed}${failed === undefined ? '' : `\ndone_total{outcome="failed"} ${failed}`}${more}`;
export const started = (offset: number) => `\nprocess_start_time_seconds ${START + offset}`;

export function ledgerIn(one: Book, id = 'done'): Ledger {
  const ledger = one.accounts.get(id)?.ledger;
  assert(ledger);
  return ledger;
}
