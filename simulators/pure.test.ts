import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fakeClock } from '#kernel/clock.ts';
import { milliseconds } from '#kernel/units.ts';
import { embed, shorten } from './embedding.ts';
import { makeInbox } from './inbox.ts';
import { parseTime } from './latency.ts';
import { finish, isOver, type Job, moved, type Parsed } from './llamaparse-job.ts';
import { freshBudget, limitHeaders, span, spend } from './openai-limits.ts';
import { makeStats } from './stats.ts';

const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

test('embed() gives vectors of length one, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const vector = embed(text, 1536);
      return vector.length === 1536 && Math.abs(cosine(vector, vector) - 1) < 1e-5;
    }),
  );
});
test('embed() is the same on every machine', () => {
  const vector = embed('The budget is spent.', 8);
  const golden = [0.6428, 0.3461, -0.2472, 0, 0.1978, 0.4945, -0.2472, -0.2472];
  for (const [at, value] of vector.entries()) assert(Math.abs(value - (golden[at] ?? 9)) < 1e-4, `${at}: ${value}`);
});
const base = 'The invoice of the northern office was paid late in October';
const nearer: readonly [title: string, near: string, far: string][] = [
  [
    'a rewording than another subject',
    'In October the northern office paid its invoice late',
    'Wolves hunt in packs through deep snow',
  ],
  [
    'an inflected form than another word',
    'Invoices of northern offices were being paid later',
    'Reports on southern farms were written twice',
  ],
  ['the same words in another case', base.toUpperCase(), 'The contract of the southern office was signed early in May'],
];
for (const [title, near, far] of nearer) {
  test(`embed() puts nearer ${title}`, () => {
    const [a, b, c] = [base, near, far].map((text) => embed(text, 1536)) as [Float32Array, Float32Array, Float32Array];
    assert(cosine(a, b) > cosine(a, c) + 0.1, `${cosine(a, b)} against ${cosine(a, c)}`);
  });
}
test('embed() works without spaces between words', () => {
  const [a, b, c] = ['東京の天気は晴れです', '東京の天気は雨です', '会議は来週に延期された'].map((text) =>
    embed(text, 1536),
  );
  assert(a && b && c && cosine(a, b) > cosine(a, c) + 0.1);
});
test('shorten() keeps a unit vector', () => {
  const short = shorten(embed(base, 1536), 256);
  assert.equal(short.length, 256);
  assert(Math.abs(cosine(short, short) - 1) < 1e-5);
});

const at = milliseconds;
test('spend() grants a minute’s worth at once, then one by one', () => {
  let budget = freshBudget({ requests: 60, tokens: 6000 }, at(0));
  for (let i = 0; i < 60; i++) {
    const spent = spend(budget, 100, at(0));
    assert.equal(spent.kind, 'granted');
    budget = spent.budget;
  }
  const refused = spend(budget, 1, at(0));
  assert.deepEqual(
    [refused.kind, refused.kind === 'limited' && refused.by, refused.kind === 'limited' && refused.wait],
    ['limited', 'requests', 1000],
  );
  assert.equal(spend(refused.budget, 1, at(1000)).kind, 'granted');
});
test('spend() says when it was the tokens', () => {
  const { budget } = spend(freshBudget({ requests: 1000, tokens: 600 }, at(0)), 600, at(0));
  const refused = spend(budget, 60, at(0));
  assert.deepEqual(
    [refused.kind === 'limited' && refused.by, refused.kind === 'limited' && refused.wait],
    ['tokens', 6000],
  );
});
test('spend() takes nothing for what it refuses', () => {
  const { budget } = spend(freshBudget({ requests: 10, tokens: 600 }, at(0)), 600, at(0));
  const refused = spend(budget, 60, at(0));
  assert.equal(limitHeaders(refused.budget, at(0))['x-ratelimit-remaining-requests'], '9');
});
test('limitHeaders() fill up as time passes', () => {
  const { budget } = spend(freshBudget({ requests: 60, tokens: 6000 }, at(0)), 3000, at(0));
  assert.deepEqual(limitHeaders(budget, at(0)), {
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '59',
    'x-ratelimit-reset-requests': '1s',
    'x-ratelimit-limit-tokens': '6000',
    'x-ratelimit-remaining-tokens': '3000',
    'x-ratelimit-reset-tokens': '30s',
  });
  assert.equal(limitHeaders(budget, at(15_000))['x-ratelimit-remaining-tokens'], '4500');
});
for (const [ms, words] of [
  [0, '0ms'],
  [999, '999ms'],
  [1000, '1s'],
  [8640, '8.64s'],
  [60_000, '1m0s'],
  [90_500, '1m30.5s'],
] as const) {
  test(`span() writes ${ms} as ${words}`, () => assert.equal(span(ms), words));
}

const job: Job = {
  id: 'pjb-1',
  projectId: 'p',
  name: 'a.pdf',
  tier: 'agentic',
  version: 'latest',
  userMetadata: undefined,
  sha256: '',
  bytes: 1,
  webhooks: [],
  createdAt: at(0),
  updatedAt: at(0),
  status: 'RUNNING',
  errorMessage: undefined,
  pages: 0,
  credits: 0,
};
const endings: readonly [title: string, parsed: Parsed, status: string, credits: number, error: RegExp | undefined][] =
  [
    [
      'completes what was parsed and bills its pages',
      { kind: 'parsed', pages: ['a', 'b'] },
      'COMPLETED',
      20,
      undefined,
    ],
    [
      'completes a scan with nothing in it',
      { kind: 'rejected', code: 'no_text', because: '' },
      'COMPLETED',
      10,
      undefined,
    ],
    ['fails an encrypted file', { kind: 'rejected', code: 'encrypted', because: '' }, 'FAILED', 0, /^PDF_IS_PROTECTED/],
    ['fails a damaged file', { kind: 'rejected', code: 'damaged', because: '' }, 'FAILED', 0, /^PDF_IS_BROKEN/],
    [
      'fails an unsupported file',
      { kind: 'rejected', code: 'unsupported', because: '' },
      'FAILED',
      0,
      /^UNSUPPORTED_FILE_TYPE/,
    ],
    ['fails an empty file', { kind: 'rejected', code: 'empty', because: '' }, 'FAILED', 0, /^NO_DATA_FOUND_IN_FILE/],
    [
      'fails a boundless file',
      { kind: 'rejected', code: 'too_large', because: '' },
      'FAILED',
      0,
      /^DOCUMENT_TOO_LARGE/,
    ],
    ['fails when the parser fell over', { kind: 'crashed', because: '' }, 'FAILED', 0, /^ERROR_DURING_PROCESSING/],
  ];
for (const [title, parsed, status, credits, error] of endings) {
  test(`finish() ${title}`, () => {
    const ended = finish(job, parsed, at(9));
    assert.deepEqual([ended.status, ended.credits, ended.updatedAt], [status, credits, 9]);
    if (error) assert.match(ended.errorMessage ?? '', error);
    else assert.equal(ended.errorMessage, undefined);
  });
}
test('moved() refuses to leave an end', () => {
  const over = moved(job, 'CANCELLED', at(1));
  assert(isOver(over.status));
  assert.throws(() => moved(over, 'RUNNING', at(2)), /Cannot move job pjb-1 from CANCELLED to RUNNING/);
});
test('parseTime() is half a second and 150 ms a page', () => {
  assert.deepEqual([parseTime('realistic', 10), parseTime('zero', 10)], [2000, 0]);
});

test('makeInbox() forgets the oldest, by number and by size', () => {
  const clock = fakeClock(0);
  const inbox = makeInbox(clock, { messages: 3, bytes: 100 });
  for (const body of [1, 2, 3, 4]) inbox.add({ channel: 'slack', target: 'x', body }, 10);
  assert.deepEqual(
    inbox.list().map(({ body }) => body),
    [2, 3, 4],
  );
  inbox.add({ channel: 'email', target: 'y', body: 'big' }, 85);
  assert.deepEqual(
    inbox.list().map(({ body }) => body),
    [4, 'big'],
  );
  assert.deepEqual(inbox.list('email'), [
    { at: '1970-01-01T00:00:00.000Z', channel: 'email', target: 'y', body: 'big' },
  ]);
  inbox.clear();
  assert.deepEqual(inbox.list(), []);
});
test('makeStats() counts by vendor, operation and outcome', () => {
  const stats = makeStats();
  stats.count('slack', 'webhook', 'answered', 200);
  stats.count('slack', 'webhook', 'fault_hang');
  const { vendors } = stats.snapshot() as { vendors: Record<string, unknown> };
  assert.deepEqual(vendors['slack'], {
    requests: 2,
    outcomes: { answered: 1, fault_hang: 1 },
    statuses: { 200: 1 },
    operations: { webhook: { answered: 1, fault_hang: 1 } },
  });
});
