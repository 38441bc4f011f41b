import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '#kernel/random.ts';
import { makeFaultBoard } from './fault-board.ts';
import { decideFault, type FaultPlan, parsePlan, SERVED, type Vendor } from './faults.ts';

const accepted: readonly [title: string, vendor: Vendor, body: object][] = [
  ['nothing', 'slack', {}],
  ['a rate of 0', 'openai', { errorRate: 0 }],
  ['a rate of 1', 'openai', { errorRate: 1 }],
  ['the lowest status', 'pagerduty', { status: 400 }],
  ['the highest status', 'pagerduty', { status: 599 }],
  [
    'all common fields',
    'slack',
    {
      errorRate: 0.5,
      status: 503,
      latencyMs: 1,
      jitterMs: 1,
      hang: false,
      retryAfterSeconds: 0,
      dropAfterAccept: false,
      garble: false,
      times: 1,
      seed: 0,
    },
  ],
  ['what only LlamaParse has', 'llamaparse', { operation: 'upload', credits: 0 }],
  ['what only OpenAI has', 'openai', { requestsPerMinute: 1, tokensPerMinute: 1, quotaExhausted: true }],
  ['a refused connection', 'smtp', { refuse: true }],
  ['a kind of nonsense', 'openai', { garble: 'html' }],
];
for (const [title, vendor, body] of accepted) {
  test(`parsePlan() accepts ${title}`, () => assert.deepEqual(parsePlan(vendor, body), { kind: 'valid', plan: body }));
}

const refused: readonly [title: string, vendor: Vendor, body: unknown, field: string, found: string, right: RegExp][] =
  [
    ['a percentage', 'openai', { errorRate: 50 }, 'errorRate', '50', /0 to 1.*not a percentage/],
    ['a rate below 0', 'openai', { errorRate: -0.1 }, 'errorRate', '-0.1', /0 to 1/],
    ['a status of success', 'slack', { status: 200 }, 'status', '200', /400 to 599/],
    ['a status beyond', 'slack', { status: 600 }, 'status', '600', /400 to 599/],
    ['half a status', 'slack', { status: 500.5 }, 'status', '500.5', /whole number/],
    ['words for a number', 'slack', { latencyMs: '2s' }, 'latencyMs', '"2s"', /milliseconds/],
    ['an unknown field', 'slack', { latency: 5 }, 'latency', '5', /one of the fields errorRate, /],
    ["another vendor's field", 'slack', { credits: 5 }, 'credits', '5', /messagesPerSecond/],
    ['a list', 'slack', [1], '(body)', '[1]', /JSON object/],
    ['no body', 'slack', undefined, '(body)', 'nothing', /JSON object/],
    ['an unknown kind of nonsense', 'smtp', { garble: 'klingon' }, 'garble', '"klingon"', /html, truncated, shape/],
  ];
for (const [title, vendor, body, field, found, right] of refused) {
  test(`parsePlan() refuses ${title} and names field, found and right`, () => {
    const parsed = parsePlan(vendor, body);
    assert(parsed.kind === 'invalid');
    assert.equal(parsed.errors.length, 1);
    assert.equal(parsed.errors[0]?.field, field);
    assert.equal(parsed.errors[0]?.found, found);
    assert.match(parsed.errors[0]?.right ?? '', right);
  });
}

test('parsePlan() reports all faults at once', () => {
  const parsed = parsePlan('slack', { errorRate: 2, status: 7, nonsense: true });
  assert.deepEqual(parsed.kind === 'invalid' && parsed.errors.map(({ field }) => field).sort(), [
    'errorRate',
    'nonsense',
    'status',
  ]);
});

/** Chance stands still: `chance` is drawn for the hit, 0.5 for the rest. */
const fixed = (chance: number) => {
  const draws = [chance, 0.5, 0.5];
  return { next: () => draws.shift() ?? assert.fail('drew too often'), bytes: () => new Uint8Array() };
};
const decided: readonly [title: string, plan: FaultPlan, chance: number, want: object][] = [
  ['serves without a plan for errors', {}, 0, { kind: 'served', delay: 0 }],
  ['delays without hitting', { latencyMs: 200 }, 0, { kind: 'served', delay: 200 }],
  [
    'answers 500 to the share that is hit',
    { errorRate: 0.3 },
    0.29,
    { kind: 'error', delay: 0, status: 500, retryAfter: undefined },
  ],
  ['serves from the share on', { errorRate: 0.3 }, 0.3, { kind: 'served', delay: 0 }],
  [
    'hits all when only an effect is named',
    { status: 503 },
    0.99,
    { kind: 'error', delay: 0, status: 503, retryAfter: undefined },
  ],
  [
    'answers 429 when only a wish to wait is named',
    { retryAfterSeconds: 2 },
    0.9,
    { kind: 'error', delay: 0, status: 429, retryAfter: 2 },
  ],
  [
    'keeps a named status beside the wish to wait',
    { status: 503, retryAfterSeconds: 2 },
    0,
    { kind: 'error', delay: 0, status: 503, retryAfter: 2 },
  ],
  ['hangs', { hang: true }, 0.9, { kind: 'hang' }],
  ['lets hang outrank a status', { hang: true, status: 500 }, 0, { kind: 'hang' }],
  ['drops', { dropAfterAccept: true, latencyMs: 5 }, 0, { kind: 'dropped', delay: 5 }],
  ['garbles as told', { garble: 'shape' }, 0, { kind: 'garbled', delay: 0, how: 'shape' }],
  ['garbles by chance', { garble: true }, 0, { kind: 'garbled', delay: 0, how: 'truncated' }],
  ['refuses', { refuse: true, hang: true }, 0, { kind: 'refused' }],
  ['hits none at rate 0, whatever the effect', { errorRate: 0, hang: true }, 0, { kind: 'served', delay: 0 }],
];
for (const [title, plan, chance, want] of decided) {
  test(`decideFault() ${title}`, () => assert.deepEqual(decideFault(plan, fixed(chance)), want));
}

test('decideFault() hits at a higher rate whoever was hit at a lower one', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (seed, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const calm = decideFault({ errorRate: low }, seededRandom(seed)).kind;
        const rough = decideFault({ errorRate: high }, seededRandom(seed)).kind;
        return calm === 'served' || rough === 'error';
      },
    ),
  );
});

test('decideFault() keeps its delay within latency ± jitter', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(1000), fc.nat(1000), (seed, latencyMs, jitterMs) => {
      const fate = decideFault({ latencyMs, jitterMs }, seededRandom(seed));
      return (
        fate.kind === 'served' && fate.delay >= Math.max(0, latencyMs - jitterMs) && fate.delay <= latencyMs + jitterMs
      );
    }),
  );
});

const kinds = (board: ReturnType<typeof makeFaultBoard>, vendor: Vendor, count: number) =>
  Array.from({ length: count }, () => board.decide(vendor, 'any').kind);

test('makeFaultBoard() repeats the same faults for the same seed, plan and requests', () => {
  const board = makeFaultBoard(7);
  board.set('slack', { errorRate: 0.5 });
  const first = kinds(board, 'slack', 100);
  board.set('slack', { errorRate: 0.5 });
  assert.deepEqual(kinds(board, 'slack', 100), first);
  board.set('slack', { errorRate: 0.5, seed: 8 });
  assert.notDeepEqual(kinds(board, 'slack', 100), first);
});
test('makeFaultBoard() gives each vendor a chance of its own', () => {
  const [alone, busy] = [makeFaultBoard(7), makeFaultBoard(7)];
  alone.set('slack', { errorRate: 0.5 });
  busy.set('slack', { errorRate: 0.5 });
  busy.set('openai', { errorRate: 0.5 });
  const mixed = Array.from({ length: 50 }, () => {
    busy.decide('openai', 'any');
    return busy.decide('slack', 'any').kind;
  });
  assert.deepEqual(mixed, kinds(alone, 'slack', 50));
});
test('makeFaultBoard() hits no more than `times`', () => {
  const board = makeFaultBoard(1);
  board.set('openai', { status: 500, times: 2 });
  assert.deepEqual(kinds(board, 'openai', 4), ['error', 'error', 'served', 'served']);
  assert.equal(board.snapshot().openai?.['hits'], 2);
});
test('makeFaultBoard() leaves other operations alone', () => {
  const board = makeFaultBoard(1);
  board.set('llamaparse', { hang: true, operation: 'upload' });
  assert.deepEqual(board.decide('llamaparse', 'status'), SERVED);
  assert.deepEqual(board.decide('llamaparse', 'upload'), { kind: 'hang' });
});
test('makeFaultBoard() heals one vendor, or all', () => {
  const board = makeFaultBoard(1);
  for (const vendor of ['slack', 'openai', 'smtp'] as const) board.set(vendor, { hang: true });
  board.clear('slack');
  assert.deepEqual([board.plan('slack'), board.plan('openai')], [undefined, { hang: true }]);
  board.clear();
  assert.deepEqual(Object.values(board.snapshot()), [null, null, null, null, null]);
});
