import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { days, hours, minutes, type Ratio, type Seconds, seconds } from '#kernel/units.ts';
import { budgetBetween, budgetRemaining } from './budget.ts';
import type { How } from './corrections.ts';
import {
  add,
  BRIDGES_MAX,
  bookAcross,
  correct,
  countsBetween,
  type Ledger,
  ledgerBytes,
  markBridged,
  newLedger,
  observe,
  unknownSeconds,
  windowCounts,
  witnessed,
} from './ledger.ts';
import { addEvents, addObserved, newRing, newSums, readSums, widenRing } from './ring.ts';

const START = seconds(1_700_000_000);
const at = (offset: number) => seconds(START + offset);
const ledgerOf = (kept = days(28)) => newLedger(START, kept);

test('windowCounts() counts what came after the old edge, up to the new one', () => {
  const ledger = ledgerOf();
  add(ledger, at(5), 1, 0);
  add(ledger, at(10), 10, 0);
  add(ledger, at(15), 100, 1);
  assert.deepEqual(windowCounts(ledger, at(15), seconds(10)), { good: 110, bad: 1, length: 10, observed: 0 });
  assert.equal(windowCounts(ledger, at(15), seconds(7)).good, 110, 'an edge inside a bucket moves to its beginning');
  assert.equal(windowCounts(ledger, at(15), seconds(15)).good, 111);
  assert.equal(windowCounts(ledger, at(1_000), seconds(10)).good, 0);
  assert.equal(countsBetween(ledger, at(5), at(10)).good, 10);
});

test('a ledger of 28 days is small, and one of a year not much larger', () => {
  assert(ledgerBytes(ledgerOf()) <= 66_000, `${ledgerBytes(ledgerOf())}`);
  assert(ledgerBytes(ledgerOf(days(366))) <= 175_000, `${ledgerBytes(ledgerOf(days(366)))}`);
  assert.throws(() => ledgerOf(days(401)), /keeps at most/);
});

/** What the header of ring.ts says, said again: where an edge lies, by its age. */
function border(edge: number, head: number, kept: number): number {
  if (edge >= head) return edge;
  const shape = [[5, 5_400], [60, 90_000], [900, 29 * 86_400], ...(kept > days(28) ? [[3_600, kept + 7_200]] : [])];
  for (const [width = 1, span = 1] of shape) {
    const newest = Math.ceil(head / width) - 1;
    if (Math.floor(edge / width) > newest - Math.ceil(span / width)) return Math.floor(edge / width) * width;
  }
  return Number.NEGATIVE_INFINITY;
}

type Happening =
  | {
      readonly kind: 'events';
      readonly after: number;
      readonly back: number;
      readonly good: number;
      readonly bad: number;
    }
  | { readonly kind: 'watched'; readonly for: number };
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    kind: fc.constant('events' as const),
    after: fc.oneof(fc.nat(20), fc.nat(4_000), fc.nat(400_000)).map((n) => n / 4),
    back: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(20_000)),
    good: fc.nat(1_000),
    bad: fc.nat(20),
  }),
  fc.record({ kind: fc.constant('watched' as const), for: fc.integer({ min: 1, max: 2_000 }).map((n) => n / 2) }),
);
const windows = fc.array(fc.tuple(fc.nat({ max: 40 * 86_400 }), fc.nat(100_000)), { minLength: 5, maxLength: 20 });

test('any window is exact to the event and the watched second, against a list of all events', () => {
  const property = (happenings: Happening[], asked: [number, number][], kept: Seconds) => {
    const ledger = ledgerOf(kept);
    const events: { t: number; good: number; bad: number }[] = [];
    const watched: [number, number][] = [];
    let now = 0;
    for (const one of happenings) {
      if (one.kind === 'watched') {
        observe(ledger, at(now), at(now + one.for));
        watched.push([START + now, START + now + one.for]);
        now += one.for;
        continue;
      }
      now += one.after;
      const t = START + Math.max(0.5, now - one.back);
      add(ledger, seconds(t), one.good, one.bad);
      events.push({ t, good: one.good, bad: one.bad });
    }
    const head = Math.max(START, ...events.map(({ t }) => t), ...watched.map(([, end]) => end));
    // At random, and where it is narrow: about the edges of what happened.
    const places = [...events.map(({ t }) => t), ...watched.flat()].flatMap((t) => [Math.ceil(t / 5) * 5, t]);
    const narrow = places.filter((t) => t <= START + now).map((t): [number, number] => [START + now - t, 0]);
    for (const [length, early] of [...asked, ...narrow]) {
      const to = START + now - Math.min(early, now);
      const [a, b] = [border(to - length, head, kept), to >= head ? Number.POSITIVE_INFINITY : border(to, head, kept)];
      if (a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY) continue;
      const inside = events.filter(({ t }) => t > a && t <= b);
      const counts = countsBetween(ledger, seconds(to - length), seconds(to));
      const want = inside.reduce((sum, { good, bad }) => ({ good: sum.good + good, bad: sum.bad + bad }), {
        good: 0,
        bad: 0,
      });
      assert.deepEqual({ good: counts.good, bad: counts.bad }, want, `${to - length - START}..${to - START}`);
      const seen = watched.reduce((sum, [from, end]) => sum + Math.max(0, Math.min(end, b) - Math.max(from, a)), 0);
      assert(Math.abs(counts.observed - Math.min(seen, length)) <= 0.1, `${counts.observed} watched, ${seen}`);
    }
  };
  const kept = fc.constantFrom(days(28), days(40));
  fc.assert(fc.property(fc.array(happening, { maxLength: 60 }), windows, kept, property), { numRuns: 300 });
});

test('budgetRemaining() is one number while everything is known', () => {
  const ledger = ledgerOf();
  observe(ledger, START, at(1_000));
  add(ledger, at(1_000), 990, 10);
  const budget = budgetRemaining(ledger, at(1_000), { budget: 0.02 as Ratio, period: days(28) });
  assert.deepEqual(budget, { value: 0.5, low: 0.5, high: 0.5, known: 1 });
});

test('budgetRemaining() is an interval when something is not known', () => {
  const ledger = ledgerOf();
  observe(ledger, START, at(1_000));
  add(ledger, at(1_000), 990, 10);
  const { value, low, high, known } = budgetRemaining(ledger, at(1_250), { budget: 0.02 as Ratio, period: days(28) });
  // 250 more events at the traffic seen: all bad or all good.
  const near = (a: number, b: number) => assert(Math.abs(a - b) < 1e-9, `${a}, ${b}`);
  near(value, 0.5);
  near(low, 1 - 260 / 1_250 / 0.02);
  near(high, 1 - 10 / 1_250 / 0.02);
  near(known, 0.8);
});

test('budgetBetween() of a calendar window knows nothing before its ledger and asks for nothing there', () => {
  const ledger = ledgerOf();
  const budget = 0.01 as Ratio;
  assert.deepEqual(budgetBetween(ledger, budget, at(-86_400), START), { value: 1, low: 1, high: 1, known: 1 });
  assert.deepEqual(budgetBetween(ledger, budget, at(-86_400), at(60)), { value: 1, low: -99, high: 1, known: 0 });
  observe(ledger, START, at(60));
  assert.deepEqual(budgetBetween(ledger, budget, at(-86_400), at(60)), { value: 1, low: 1, high: 1, known: 1 });
});

test('growth across a gap is in the windows that cover it, and in no shorter one', () => {
  const ledger = ledgerOf();
  observe(ledger, START, at(600));
  bookAcross(ledger, at(600), 500, 50);
  markBridged(ledger, at(600), at(1_200));
  observe(ledger, at(1_200), at(1_500));
  add(ledger, at(1_500), 5, 1);
  assert.deepEqual(windowCounts(ledger, at(1_500), seconds(900)), { good: 505, bad: 51, length: 900, observed: 300 });
  assert.deepEqual(windowCounts(ledger, at(1_500), seconds(895)), { good: 5, bad: 1, length: 895, observed: 300 });
  assert.deepEqual(witnessed(ledger), { good: 5, bad: 1, observed: 900 });
  assert.equal(unknownSeconds(ledger, START, at(1_500), 'corrected'), 0);
  assert.equal(unknownSeconds(ledger, at(900), at(1_700), 'corrected'), 200);
});

test('bridges have a limit, and the oldest become unknown again', () => {
  const ledger = ledgerOf();
  for (let i = 0; i < BRIDGES_MAX + 10; i++) {
    observe(ledger, at(100 * i), at(100 * i + 50));
    markBridged(ledger, at(100 * i + 50), at(100 * i + 100));
  }
  assert.equal(ledger.bridges.length, BRIDGES_MAX);
  assert.equal(unknownSeconds(ledger, START, at(100 * (BRIDGES_MAX + 10)), 'corrected'), 500);
});

const how: fc.Arbitrary<How> = fc.oneof(
  fc.constant<How>({ kind: 'all' }),
  fc.constantFrom(0, 0.5, 1).map((share): How => ({ kind: 'bad', share: share as Ratio })),
  fc.nat(40).map((bad): How => ({ kind: 'events', bad })),
);

test('a correction equals a recount without its events, whenever it is entered', () => {
  type Event = { readonly after: number; readonly good: number; readonly bad: number };
  const event = fc.record({ after: fc.oneof(fc.nat(30), fc.nat(3_000)), good: fc.nat(100), bad: fc.nat(20) });
  const property = (before: Event[], after: Event[], from: number, lasts: number, how: How) => {
    const ledger = ledgerOf();
    const list: { t: number; good: number; bad: number }[] = [];
    let now = 0;
    const play = (events: Event[]) => {
      for (const { after, good, bad } of events) {
        now += after + 1;
        add(ledger, at(now), good, bad);
        list.push({ t: START + now, good, bad });
      }
    };
    play(before);
    const head = START + now;
    const span = { from: at(from), to: at(from + lasts) };
    // Exact for what comes later; to the bucket for what is there.
    const [a, b] = [
      span.from > head ? span.from : border(span.from, head, days(28)),
      span.to > head ? span.to : border(span.to, head, days(28)),
    ];
    const entered = list.length;
    correct(ledger, { id: 'c', ...span, how });
    play(after);
    let left = how.kind === 'events' ? how.bad : 0;
    const kept = list.map(({ t, good, bad }, i) => {
      const inside = i < entered ? t > a && t <= b : t > span.from && t <= span.to;
      if (!inside) return { t, good, bad };
      if (how.kind === 'all') return { t, good: 0, bad: 0 };
      if (how.kind === 'bad') return { t, good, bad: bad * (1 - how.share) };
      const out = Math.min(left, bad);
      left -= out;
      return { t, good, bad: bad - out };
    });
    const ends = [span.from, span.to].flatMap((t) => [0, 5, 60, 900].map((later) => START + now - t - later));
    for (const length of [60, 600, 6_000, 60_000, 2_000_000, ...ends.filter((one) => one > 0)]) {
      const edge = border(START + now - length, START + now, days(28));
      const sum = (events: typeof list) =>
        events.filter(({ t }) => t > edge).reduce((s, e) => [(s[0] ?? 0) + e.good, (s[1] ?? 0) + e.bad], [0, 0]);
      const { good, bad } = windowCounts(ledger, at(now), seconds(length));
      assert.deepEqual([good, bad], sum(kept));
      const counted = windowCounts(ledger, at(now), seconds(length), 'counted');
      assert.deepEqual([counted.good, counted.bad], sum(list), 'what was counted stays beside');
    }
  };
  const events = fc.array(event, { maxLength: 40 });
  fc.assert(fc.property(events, events, fc.nat(60_000), fc.nat(20_000), how, property), { numRuns: 500 });
});

test('what a correction excludes needs no watching', () => {
  const ledger = ledgerOf();
  observe(ledger, START, at(hours(1)));
  correct(ledger, { id: 'c', from: at(hours(1)), to: at(hours(2)), how: { kind: 'all' } });
  observe(ledger, at(hours(2)), at(hours(3)));
  assert.equal(unknownSeconds(ledger, START, at(hours(3)), 'corrected'), 0);
  assert.equal(unknownSeconds(ledger, START, at(hours(3)), 'counted'), hours(1));
});

test('an old correction stays what it was while its buckets grow coarser', () => {
  const ledger: Ledger = ledgerOf();
  for (let t = 5; t <= 600; t += 5) add(ledger, at(t), 1, 1);
  correct(ledger, { id: 'c', from: at(100), to: at(200), how: { kind: 'all' } });
  const before = windowCounts(ledger, at(600), minutes(15));
  assert.deepEqual([before.good, before.bad], [100, 100]);
  add(ledger, at(days(20)), 1, 0);
  const later = windowCounts(ledger, at(days(20)), days(21));
  assert.deepEqual([later.good, later.bad], [101, 100]);
});

test('widenRing() reaches further from now on, and what was forgotten before is unknown, not nothing', () => {
  const ring = newRing(seconds(0), days(28));
  const feed = (into: typeof ring, from: number, to: number) => {
    for (let t = from; t < to; t += 600) {
      addObserved(into, seconds(t), seconds(t + 600));
      addEvents(into, seconds(t + 600), 9, 1);
    }
  };
  feed(ring, 0, days(40));
  const wide = widenRing(ring, days(90));
  assert.equal(widenRing(wide, days(90)), wide);
  feed(wide, days(40), days(70));
  const sums = newSums();
  const over = (length: number) => {
    readSums(wide, days(70) - length, sums);
    return { bad: wide.bad - sums.bad, watched: wide.observed - sums.ticks / 64 };
  };
  assert.deepEqual(over(days(28)), { bad: days(28) / 600, watched: days(28) });
  assert.deepEqual(over(days(50)), { bad: days(50) / 600, watched: days(50) });
  // The ring of 28 days had kept 29 of 40: of day 8 nothing is known, and nothing is told.
  const { bad, watched } = over(days(62));
  assert(watched < days(59.1) && watched > days(58.9), `${watched / 86_400} days`);
  assert.equal(bad, Math.round(watched / 600));
});
