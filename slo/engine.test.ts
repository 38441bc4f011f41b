import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { days, hours, minutes, type Ratio, seconds } from '#kernel/units.ts';
import {
  at,
  healthy,
  isPage,
  newStack,
  newWorker,
  outage,
  play,
  ROUTER_TEXT,
  type Second,
  SHIPPED,
  type Stack,
  scrape,
  shipped,
  told,
  word,
  workerText,
} from '#test/kit/engine.ts';
import { objective, promql, selector } from '#test/kit/objectives-by-hand.ts';
import { blindnessOf, enterCorrected, LEFT_KEPT, LEFT_MAX, reconfigure, retarget, tick } from './engine.ts';
import { checkpoint, restore } from './engine-checkpoint.ts';
import { viewOf } from './engine-view.ts';

const PROCESSED = 'burnline-documents-documents-processed';
const all = (of: readonly string[], offset: number, change: string) =>
  of.map((name) => [offset, name, change] as const);
const OF_WORKER = SHIPPED.map(({ name }) => name).filter((name) => name !== 'pages-delivered');

function restored(stack: Stack, away = 0): void {
  const outcome = restore(checkpoint(stack.engine, at(stack.now)), SHIPPED, at(stack.now + away));
  assert(outcome.kind === 'restored', outcome.kind === 'refused' ? outcome.reason : '');
  stack.engine = outcome.value;
  stack.now += away;
}

describe('the shipped objectives, from scrapes to changes', () => {
  // Scrapes every 5 s and every 15 s: the same story, a scrape or two apart.
  const stories = {
    15: { paged: 30, mended: 30, vanished: 40, returned: 15, clear: [435, 450], stuck: [120, 210] },
    5: { paged: 20, mended: 30, vanished: 15, returned: 5, clear: [435, 435], stuck: [120, 200] },
  } as const;
  for (const [every, story] of Object.entries(stories)) {
    for (const interrupted of [false, true]) {
      test(`every ${every} s${interrupted ? ', with a checkpoint in the middle of each stretch' : ''}`, () => {
        const stack = newStack(SHIPPED, Number(every));
        const stretch = (...[length, second, answers]: [number, Parameters<typeof play>[2], boolean?]) => {
          const half = Math.floor(length / 2 / 7) * 7;
          const first = play(stack, half, second, answers);
          if (interrupted) restored(stack);
          return told([...first, ...play(stack, length - half, second, answers)]);
        };
        assert.deepEqual(stretch(3_600, healthy), all([...OF_WORKER, 'pages-delivered'], Number(every), 'none → ok'));

        const broken = stretch(300, outage);
        assert.deepEqual(
          broken,
          all(['documents-processed', 'step-attempts'], 3_600 + story.paged, 'ok → critical evidence'),
        );
        const mended = stretch(1_800, healthy);
        assert.deepEqual(
          mended.map(([, name, change]) => [name, change]),
          [
            ['documents-processed', 'critical evidence → warning ticket-fast'],
            ['step-attempts', 'critical evidence → warning ticket-slow'],
          ],
        );
        for (const [when] of mended) assert(when - 3_900 <= story.mended, `mended at ${when}`);

        const vanished = stretch(300, healthy, false);
        assert.deepEqual(
          vanished.map(([when, name, change]) => [when, name, change.replace(/^.* →/, '→')]),
          all(OF_WORKER, 5_700 + story.vanished, '→ unknown'),
        );
        const returned = stretch(300, healthy);
        assert.deepEqual(
          returned.map(([when, name]) => [when, name]),
          OF_WORKER.map((name) => [6_000 + story.returned, name]),
        );

        // All counters begin anew: no event is bad by that, and nothing pages.
        Object.assign(stack.worker, { ...newWorker(), startedAt: at(stack.now) });
        assert.deepEqual(
          stretch(300, healthy).filter(([, , change]) => /critical|unknown/.test(change)),
          [],
        );

        const stalled = stretch(300, (worker) => worker.age++).filter(([, , change]) => change.endsWith('evidence'));
        assert.deepEqual(
          stalled.map(([, name]) => name),
          ['documents-not-stuck'],
        );
        const [when = 0] = stalled[0] ?? [];
        assert(when >= 6_600 + story.stuck[0] && when <= 6_600 + story.stuck[1], `paged at ${when - 6_600}`);
        const free = stretch(300, (worker, second) => {
          worker.age = 3;
          healthy(worker, second);
        });
        assert.match(
          free.find(([, name]) => name === 'documents-not-stuck')?.[2] ?? '',
          /^critical evidence → warning/,
        );
      });
    }
  }
});

describe('OpenAI is gone, while LlamaParse does well', () => {
  const wholly: Second = (worker) => {
    worker.completed++;
    worker.attempts += 2;
    worker.embedded++;
  };
  /** What waits is tried again now and then. */
  const gone: Second = (worker, second) => {
    worker.attempts += 2;
    worker.badEmbedded += second % 4 === 0 ? 2 : 1;
  };
  const pagedAfter = (...names: string[]): number => {
    const stack = newStack(shipped(...names), 5);
    play(stack, 600, wholly);
    return play(stack, 120, gone).find(isPage)?.at ?? Number.POSITIVE_INFINITY;
  };

  test('is seen at embedding as soon as any total outage, long before it is seen among all attempts', () => {
    const [embedding, all] = [pagedAfter('embed-attempts'), pagedAfter('step-attempts')];
    assert(embedding <= at(630), `after ${embedding - at(600)} s`);
    assert(all > embedding + 10, `among all attempts after ${all - at(600)} s`);
  });
});

describe('blindness', () => {
  test('names the target and since when, and never speaks of one missed scrape', () => {
    const stack = newStack(shipped('documents-processed'), 15);
    play(stack, 600, healthy);
    assert.deepEqual(play(stack, 15, healthy, false), []);
    assert.deepEqual(play(stack, 600, healthy), []);
    const [change] = play(stack, 60, healthy, false);
    assert.deepEqual(change?.to, { kind: 'unknown', because: 'worker has not answered since 2025-06-15T15:26:55Z' });
    assert.deepEqual([change?.at, blindnessOf(stack.engine, PROCESSED)?.since], [at(1_255), at(1_215)]);
  });

  test('is of a target that answers without the metric, too', () => {
    const stack = newStack(shipped('documents-processed'), 15);
    play(stack, 600, healthy);
    for (let i = 0; i < 4; i++) {
      stack.now += 15;
      scrape(stack, 'worker', ROUTER_TEXT);
    }
    const [change] = tick(stack.engine, at(stack.now));
    assert.match(
      change?.to.kind === 'unknown' ? change.to.because : '',
      /^worker answers, but has not shown documents_finished_total since 2025-06-15T15:16:40Z$/,
    );
  });

  test('waits a minute for a target that was never seen, and says nothing until then', () => {
    const stack = newStack(shipped('documents-processed'), 15, { targets: [{ id: 'worker', interval: seconds(15) }] });
    assert.deepEqual(play(stack, 59, healthy, false), []);
    assert.equal(viewOf(stack.engine, PROCESSED, at(59))?.verdict.kind, 'unknown');
    const [change] = play(stack, 5, healthy, false);
    assert.equal(change?.at, at(60));
    assert.match(
      change?.to.kind === 'unknown' ? change.to.because : '',
      /no target has shown documents_finished_total since .*Z: worker never answered, router answers without it$/,
    );
    assert.deepEqual(told(play(stack, 20, healthy)), [[75, 'documents-processed', 'unknown → ok']]);
  });

  test('is over when the only target is replaced by another within a minute', () => {
    const stack = newStack(shipped('documents-processed'), 15);
    play(stack, 600, healthy);
    retarget(stack.engine, [{ id: 'other', interval: seconds(15) }], at(600));
    assert.deepEqual(tick(stack.engine, at(655)), []);
    stack.now = 655;
    scrape(stack, 'other', workerText(stack.worker));
    assert.deepEqual(tick(stack.engine, at(655)), []);
    assert.equal(viewOf(stack.engine, PROCESSED, at(655))?.verdict.kind, 'ok');
  });

  test('is not made of the time that the router was away', () => {
    const stack = newStack(SHIPPED, 15);
    play(stack, 600, healthy);
    restored(stack, 7_200);
    assert.deepEqual(told(play(stack, 300, healthy)), []);
    restored(stack, 600);
    assert.deepEqual(
      told(play(stack, 60, healthy, false)),
      all(OF_WORKER, 8_740, 'ok → unknown'),
      'and two missed scrapes after it are',
    );
  });

  test('is not said of the targets for two restarts in a row', () => {
    const stack = newStack(shipped('documents-processed'), 5);
    play(stack, 300, healthy);
    restored(stack, 120);
    stack.now += 2;
    restored(stack, 2);
    stack.now += 1;
    assert.deepEqual(told(tick(stack.engine, at(stack.now))), []);
    assert.equal(blindnessOf(stack.engine, PROCESSED), undefined);
    stack.now += 60;
    assert(told(tick(stack.engine, at(stack.now))).length > 0, 'but it is of those that stay silent');
  });

  test('does not thin the first events after the router was away: an outage under way pages as soon', () => {
    const stack = newStack(shipped('documents-processed'), 15);
    play(stack, 600, healthy);
    const outcome = restore(checkpoint(stack.engine, at(600)), shipped('documents-processed'), at(4_200));
    assert(outcome.kind === 'restored');
    stack.engine = outcome.value;
    stack.now = 4_200;
    const page = play(stack, 120, outage).find(isPage);
    assert(page && page.at <= at(4_200 + 45), `paged at ${page?.at}`);
  });
});

describe('corrections', () => {
  const correction = (from: number, to: number) => ({
    id: 'c1',
    author: 'a',
    reason: 'maintenance',
    enteredAt: at(to),
    spans: [{ from: at(from), to: at(to) }],
    of: { kind: 'ids' as const, ids: [PROCESSED] },
    how: { kind: 'all' as const },
  });

  test('end a page whose failures they excuse, at the next tick; what is not excused pages again', () => {
    const stack = newStack(shipped('documents-processed'), 15);
    play(stack, 600, healthy);
    play(stack, 60, outage);
    assert.deepEqual(enterCorrected(stack.engine, correction(590, 700), at(661)), [PROCESSED]);
    assert.deepEqual(told(tick(stack.engine, at(662))), [[662, 'documents-processed', 'critical evidence → ok']]);
    assert.deepEqual(told(play(stack, 40, outage)), []);
    assert(play(stack, 60, outage).some(isPage), 'the outage outlives its excuse');
    const view = viewOf(stack.engine, PROCESSED, at(stack.now));
    assert.equal(view?.total, 570 + 60, 'before and after; of the scrape at 600 all is in the span');
  });

  test('entered between a scrape and a tick hide nothing that came with it', () => {
    const plain = newStack(shipped('documents-processed'), 15);
    const corrected = newStack(shipped('documents-processed'), 15);
    for (const stack of [plain, corrected]) {
      play(stack, 600, (worker, second) => (second > 60 && second < 90 ? outage : healthy)(worker, second));
      stack.now = 615;
      stack.worker.failed += 15;
      scrape(stack, 'worker', workerText(stack.worker));
    }
    assert(enterCorrected(corrected.engine, correction(0, 300), at(616)));
    for (const stack of [plain, corrected]) {
      tick(stack.engine, at(617));
      const standing = stack.engine.counted.get(PROCESSED)?.standing.evidence;
      assert.equal(Math.round((standing?.bad ?? 0) + (standing?.open.bad ?? 0)), 15);
    }
  });
});

describe('reconfigure()', () => {
  const [one] = shipped('documents-processed');
  assert(one);

  test('keeps the history and the verdict by id, and judges by the new target at once', () => {
    const stack = newStack([one], 15);
    play(stack, 3_600, (worker, second) => (second % 100 === 0 ? outage : healthy)(worker, second));
    const before = viewOf(stack.engine, PROCESSED, at(3_600));
    reconfigure(stack.engine, [{ ...one, target: 0.999 as Ratio, budget: 0.001 as Ratio }], at(3_600));
    const after = viewOf(stack.engine, PROCESSED, at(3_600));
    assert.deepEqual([after?.good, after?.total, after?.since], [before?.good, before?.total, before?.since]);
    assert.deepEqual(told(tick(stack.engine, at(3_602))), [[3_602, 'documents-processed', 'ok → warning ticket-fast']]);
  });

  test('does not leave one green, or burning, whose query nobody here can judge any more', () => {
    const stack = newStack([one], 15);
    play(stack, 600, healthy);
    const query = promql('sum(rate(a[5m])) - sum(rate(b[5m]))');
    reconfigure(stack.engine, [{ ...one, indicator: { kind: 'ratio', bad: query, total: query } }], at(600));
    const [change] = tick(stack.engine, at(605));
    assert.deepEqual([change?.from?.kind, change?.to.kind], ['ok', 'unknown']);
  });

  test('forgets the accounts of objectives that left, after the time that is named', () => {
    const stack = newStack([one], 15);
    play(stack, 60, healthy);
    reconfigure(stack.engine, [], at(60));
    tick(stack.engine, at(60 + LEFT_KEPT));
    assert(stack.engine.book.accounts.has(PROCESSED));
    tick(stack.engine, at(61 + LEFT_KEPT));
    assert.deepEqual([stack.engine.book.accounts.size, stack.engine.left.size], [0, 0]);
  });

  test('keeps one that came back meanwhile, and no more than so many', () => {
    const stack = newStack([one], 15);
    reconfigure(stack.engine, [], at(60));
    reconfigure(stack.engine, [one], at(90));
    tick(stack.engine, at(61 + LEFT_KEPT));
    assert(stack.engine.book.accounts.has(PROCESSED));
    const many = Array.from({ length: LEFT_MAX + 5 }, (_, i) => ({ ...one, id: `o${i}` }));
    reconfigure(stack.engine, many, at(100));
    reconfigure(stack.engine, [one], at(101));
    assert.equal(stack.engine.left.size, LEFT_MAX);
    assert.equal(stack.engine.book.accounts.size, LEFT_MAX + 1);
  });

  test('says of an objective that only a PromQL server can judge, that it is one', () => {
    const stack = newStack([objective('own', { kind: 'ratio', bad: promql('a'), total: promql('b') })], 15);
    const [change] = tick(stack.engine, at(1));
    assert.match(change?.to.kind === 'unknown' ? change.to.because : '', /only a PromQL server can judge it/);
  });
});

describe('viewOf()', () => {
  test('shows counts, budget, burn rates and when the budget ends', () => {
    const stack = newStack(shipped('documents-processed'), 15);
    play(stack, hours(2), (worker, second) => (second % 25 === 0 ? outage : healthy)(worker, second));
    const view = viewOf(stack.engine, PROCESSED, at(stack.now));
    assert(view);
    assert.deepEqual([view.total, view.good, view.objective], [7_185, 6_897, 0.98]);
    assert.equal(view.sli, view.good / view.total);
    for (const rate of Object.values(view.burnRates)) assert(Math.abs(rate - 2) < 0.1, `${rate}`);
    assert.deepEqual(Object.keys(view.burnRates), ['5m', '30m', '1h', '2h', '6h', '1d', '3d', 'period']);
    assert.equal(view.budgetRemaining.value.toFixed(2), '-1.00');
    assert.equal(view.exhaustsAt, at(stack.now), 'all is spent, of the little there was');
    assert.equal(viewOf(stack.engine, 'nobody', at(0)), undefined);
  });

  test('says never while nothing fails', () => {
    const stack = newStack(shipped('documents-processed'), 15);
    play(stack, 600, healthy);
    const view = viewOf(stack.engine, PROCESSED, at(600));
    assert.deepEqual([view?.exhaustsAt, view?.budgetRemaining.value, view?.verdict], [null, 1, { kind: 'ok' }]);
  });
});

test('a threshold with events of its own pages, too', () => {
  const gauge = objective('age', {
    kind: 'threshold',
    query: selector('document_oldest_unfinished_age_seconds'),
    op: 'lt',
    limit: 120,
  });
  const stack = newStack([{ ...gauge, window: { kind: 'rolling', period: days(7) } }], 15);
  play(stack, minutes(30), healthy);
  const changes = play(stack, 300, (worker) => {
    worker.age = 500;
  });
  assert.equal(word(changes.at(-1)?.to), 'critical evidence');
});
