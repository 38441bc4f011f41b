import assert from 'node:assert/strict';
import test from 'node:test';
import { milliseconds, seconds } from '#kernel/units.ts';
import { seriesOf } from '#slo/exposition/series.ts';
import { errorsOf, KINDS, objective } from '#test/kit/objectives-by-hand.ts';
import type { Ask } from './query.ts';
import { readVisits, visitsOf } from './visits.ts';

const point = (at: number, value: number) => ({ at: milliseconds(at * 1000), value });
const labels = (instance: string, more: Readonly<Record<string, string>> = {}) => ({
  __name__: 'requests_total',
  job: 'app',
  instance,
  ...more,
});
const NOTHING = { good: [], bad: [], total: [], value: [], warnings: [] };

test('visitsOf() gathers what each target showed at each step, in the order of time', () => {
  const reading = {
    ...NOTHING,
    total: [
      { labels: labels('one'), points: [point(15, 2), point(30, 3)] },
      { labels: labels('two'), points: [point(0, 7)] },
    ],
    bad: [{ labels: { ...labels('one'), __name__: 'errors_total' }, points: [point(15, 1)] }],
  };
  assert.deepEqual(
    visitsOf(reading).map(({ at, target, values }) => [
      at,
      target,
      values.map(({ name, value }) => `${name} ${value}`),
    ]),
    [
      [0, 'app two', ['requests_total 7']],
      [15, 'app one', ['errors_total 1', 'requests_total 2']],
      [30, 'app one', ['requests_total 3']],
    ],
  );
});

test('a series that answers two queries is one value', () => {
  const series = { labels: labels('one', { outcome: 'failed' }), points: [point(0, 5)] };
  assert.equal(visitsOf({ ...NOTHING, bad: [series], total: [series] })[0]?.values.length, 1);
});

test('whatever a label holds, the ledger reads it back', () => {
  for (const value of ['', 'a"b', 'c\\d', 'e\nf', 'tab\t', '\\n', 'ü{}=,']) {
    const [visit] = visitsOf({
      ...NOTHING,
      total: [{ labels: labels('one', { path: value }), points: [point(0, 1)] }],
    });
    const { name, labels: read } = seriesOf(visit?.values[0]?.series ?? '');
    assert.deepEqual([name, read.get('path'), read.get('job')], ['requests_total', value, 'app']);
  }
  const dotted = { __name__: 'http.requests', 'service.name': 'a', job: 'app' };
  const [visit] = visitsOf({ ...NOTHING, total: [{ labels: dotted, points: [point(0, 1)] }] });
  const read = seriesOf(visit?.values[0]?.series ?? '');
  assert.deepEqual([read.name, read.labels.get('service.name')], ['http.requests', 'a']);
});

test('readVisits() reads a long span in pieces, and passes warnings on once', async () => {
  const asked: number[] = [];
  const server: Ask = {
    instant: () => assert.fail('no range'),
    range: async (query, { from }) => {
      if (query.startsWith('process_start_time_seconds and on (job, instance) (')) {
        const began = { ...labels('one'), __name__: 'process_start_time_seconds' };
        return { series: [{ labels: began, points: [{ at: from, value: 7 }] }], warnings: ['one store is down'] };
      }
      asked.push(from);
      const series = { labels: { ...labels('one'), burnline_part: 'total' }, points: [{ at: from, value: 1 }] };
      return { series: [series], warnings: ['one store is down'] };
    },
  };
  const span = { from: seconds(0), to: seconds(25_000 * 15), step: seconds(15) };
  const read = await readVisits(server, objective('answers', errorsOf('app')), span);
  assert(read.kind === 'visits');
  assert.deepEqual([asked, read.visits.length, read.warnings], [[0, 150e6, 300e6], 3, ['one store is down']]);
  assert.deepEqual(
    read.visits[0]?.values.map(({ name, value }) => [name, value]),
    [
      ['requests_total', 1],
      ['process_start_time_seconds', 7],
    ],
  );
  const own = KINDS.find(({ name }) => name === 'own-promql');
  assert(own);
  const refused = await readVisits(server, own, span);
  assert(refused.kind === 'fault');
  assert.match(refused.reason, /no plain selector/);
});
