import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seconds } from '#kernel/units.ts';
import type { Objective } from '#slo/objective.ts';
import { at, book, DONE, done, ledgerIn, objective, query, START, scrape } from '#test/kit/ledger.ts';
import { restoreBook, writeBook } from './checkpoint.ts';
import { correct, unknownSeconds, windowCounts } from './ledger.ts';

test('rows of a range query fill the time the router was away, before it scrapes again', () => {
  const one = book(DONE);
  scrape(one, 15, done(10, 0));
  const restored = restoreBook(writeBook(one, at(15)), one.plan, at(600));
  assert(restored.kind === 'restored');
  for (let offset = 30; offset < 600; offset += 15) scrape(restored.value, offset, done(offset, offset > 300 ? 5 : 0));
  scrape(restored.value, 600, done(600, 6));
  const ledger = ledgerIn(restored.value);
  assert.deepEqual([ledger.bridges.length, unknownSeconds(ledger, at(15), at(600), 'corrected')], [0, 0]);
  assert.deepEqual(windowCounts(ledger, at(600), seconds(290)), { good: 300, bad: 6, length: 290, observed: 290 });
});

/**
 * A world with one worker: events happen to its series, it restarts, it is scraped or not. What a ledger can know of it is
 * said event by event: an event counts at the first scrape that shows it, unless its process died before.
 */
type Turn = { readonly events: readonly number[]; readonly turn: 'scraped' | 'missed' | 'restarted' };
const turn: fc.Arbitrary<Turn> = fc.record({
  events: fc.array(fc.nat(5), { maxLength: 4 }),
  turn: fc.oneof(
    { weight: 6, arbitrary: fc.constant('scraped' as const) },
    { weight: 3, arbitrary: fc.constant('missed' as const) },
    { weight: 1, arbitrary: fc.constant('restarted' as const) },
  ),
});

test('every stream is counted to the event: resets, gaps, restarts, late series; with checkpoints at any moment', () => {
  const property = (turns: readonly Turn[], checkpoints: readonly number[]) => {
    let one = book(DONE);
    const shown: { t: number; bad: boolean }[] = [];
    let process = { created: 1, series: new Map<number, number>(), fresh: [] as number[] };
    let last: number | undefined;
    for (const [i, { events, turn }] of turns.entries()) {
      for (const series of events) {
        process.series.set(series, (process.series.get(series) ?? 0) + 1);
        process.fresh.push(series);
      }
      const offset = 15 * (i + 1);
      if (turn === 'restarted') process = { created: offset, series: new Map(), fresh: [] };
      if (turn === 'scraped') {
        const lines = [...process.series].flatMap(([series, value]) => {
          const set = `{outcome="${series < 2 ? 'failed' : 'completed'}",n="${series}"}`;
          return [`done_total${set} ${value}`, `done_created${set} ${START + process.created}`];
        });
        scrape(one, offset, ['# TYPE done_total counter', ...lines].join('\n'));
        const gap = last !== undefined && offset - last > 37.5;
        // The first scrape says only where counting begins.
        if (last !== undefined)
          for (const series of process.fresh) shown.push({ t: gap ? last + 0.001 : offset, bad: series < 2 });
        process.fresh = [];
        last = offset;
      }
      if (!checkpoints.includes(i)) continue;
      const restored = restoreBook(writeBook(one, at(offset)), one.plan, at(offset));
      assert(restored.kind === 'restored', restored.kind === 'refused' ? restored.reason : '');
      one = restored.value;
    }
    const now = 15 * turns.length;
    const ledger = ledgerIn(one);
    for (let length = 5; length <= now + 5; length += 5) {
      const inside = shown.filter(({ t }) => t > Math.floor((now - length) / 5) * 5);
      const { good, bad } = windowCounts(ledger, at(now), seconds(length));
      assert.deepEqual([good, bad], [inside.filter((e) => !e.bad).length, inside.filter((e) => e.bad).length]);
    }
  };
  const checkpoints = fc.array(fc.nat(60), { maxLength: 3 });
  fc.assert(fc.property(fc.array(turn, { minLength: 1, maxLength: 60 }), checkpoints, property), { numRuns: 300 });
});

test('a checkpoint gives back the same book, and goes on the same', () => {
  const one = book(
    DONE,
    objective(
      'age',
      { kind: 'threshold', query: query('age'), op: 'lt', limit: 120 },
      { kind: 'ratio-timeslices', slice: seconds(40) },
    ),
  );
  for (let i = 1; i < 40; i++) if (i % 7 > 1) scrape(one, 15 * i, `${done(i * i, i)}\nage ${i * 9}`);
  const account = one.accounts.get('done');
  assert(account);
  correct(account.ledger, {
    id: 'c',
    from: at(100),
    to: at(700),
    how: { kind: 'bad', share: (1 / 3) as Objective['target'] },
  });
  const restored = restoreBook(writeBook(one, at(600)), one.plan, at(600));
  assert(restored.kind === 'restored');
  const other = restored.value;
  for (let i = 40; i < 60; i++) for (const each of [one, other]) scrape(each, 15 * i, `${done(i * i, i)}\nage ${i}`);
  assert.deepEqual(other.accounts, one.accounts);
  assert.deepEqual(
    [...other.targets.values()].map(({ counters, at }) => [at, [...counters.keys()]]),
    [...one.targets.values()].map(({ counters, at }) => [at, [...counters.keys()]]),
  );
});

test('a checkpoint of a quiet month is small', () => {
  const one = book(DONE);
  for (let i = 1; i < 3_000; i++) scrape(one, 15 * i, done(7));
  assert(writeBook(one, at(45_000)).length < 2_000, `${writeBook(one, at(45_000)).length} bytes`);
});

test('a checkpoint that is damaged, cut, of another kind or version is refused with its reason', () => {
  const one = book(DONE);
  scrape(one, 15, done(1));
  const bytes = writeBook(one, at(15));
  const refusal = (damaged: Uint8Array) => {
    const restored = restoreBook(damaged, one.plan, at(15));
    return restored.kind === 'refused' ? restored.reason : 'restored';
  };
  assert.equal(refusal(bytes), 'restored');
  assert.match(refusal(new Uint8Array()), /no checkpoint/);
  assert.match(refusal(bytes.with(8, 9)), /version 9/);
  for (let i = 0; i < bytes.length; i++)
    assert.notEqual(refusal(bytes.with(i, (bytes[i] ?? 0) ^ 0x20)), 'restored', `byte ${i}`);
  for (let i = 0; i < bytes.length; i++) assert.notEqual(refusal(bytes.subarray(0, i)), 'restored', `cut at ${i}`);
});
