/**
 * What nobody means well: each is refused with a reason, nothing of it is stored by halves, the memory has a bound, and
 * the router goes on.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { getJson, postAlerts } from '#test/kit/alertmanager.ts';
import { NO_PROC, peakMemory, residentMemory } from '#test/kit/memory.ts';
import { type Running, startRole, temporaryFolder } from '#test/kit/stack.ts';

/**
 * In all, in MiB: two bodies of the largest size at once, and what they are taken apart into; and once in its life 600 for
 * a second (kernel/pglite.ts, TIERING_BUDGET).
 */
const MEMORY_MOST = 1_150;

let folder = '';
let router: Running | undefined;
let url = '';
let atRest = 0;
before(async () => {
  folder = temporaryFolder();
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n');
  const env = { BURNLINE_STATE: folder, RATE_PER_SECOND: '100000', RATE_BURST: '100000' };
  router = await startRole('router', env, [`--config.file=${config}`, '--web.listen-address=127.0.0.1:0']);
  url = router.urls['router'] ?? '';
  if (!NO_PROC) atRest = residentMemory(router.process.pid ?? 0);
});
after(async () => {
  await router?.kill();
  rmSync(folder, { recursive: true, force: true });
});

type Sent = { readonly status: number; readonly body: unknown };

async function send(path: string, body: string | Buffer, type = 'application/json', method = 'POST'): Promise<Sent> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : new Uint8Array(body),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

const stored = async (): Promise<string[]> =>
  (await getJson<{ labels: Record<string, string> }[]>(`${url}/api/v2/alerts`)).map(
    ({ labels }) => labels['alertname'] ?? '',
  );

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`label_${i}`, 'x']));
const X = 'x'.repeat(1_048_576);
/** Right in itself, so that it would be seen if anything of a body were stored. */
const GOOD = { labels: { alertname: 'Halves' } };

const BODIES: readonly [what: string, body: string | Buffer, status: number, reason: RegExp][] = [
  ['no JSON', '[{"labels":', 400, /JSON/],
  ['nothing', '', 400, /empty/],
  ['an object', '{}', 400, /expected a list/],
  ['null', 'null', 400, /expected a list/],
  ['a key __proto__', '[{"labels":{"a":"b"},"__proto__":{}}]', 400, /not valid JSON/],
  [
    'bytes that are no UTF-8',
    Buffer.from([...Buffer.from('[{"labels":{"a":"'), 0xff, ...Buffer.from('"}}]')]),
    400,
    /UTF-8/,
  ],
  ['values without end', `[${'0,'.repeat(2_100_000)}0]`, 400, /more than 2000000 values/],
  ['too many alerts', `[${'0,'.repeat(60_000)}0]`, 400, /at most 50000/],
  ['brackets without end', '['.repeat(200_000), 400, /./],
  ['more than the limit', `"${'x'.repeat(33 * 1_048_576)}"`, 413, /limit of 33554432/],
];

/** One alert, beside a right one. */
const ALERTS: readonly [what: string, alert: unknown, reason: RegExp][] = [
  ['no object', 7, /alert 1/],
  ['no labels', {}, /labels/],
  ['empty labels', { labels: {} }, /at least one label/],
  ['labels whose values are all empty', { labels: { a: '' } }, /at least one label/],
  ['a label without a name', { labels: { alertname: 'Bad', '': 'x' } }, /is no label name/],
  ['a label that is a number', { labels: { alertname: 'Bad', a: 1 } }, /labels\.a/],
  ['a label of 1 MB', { labels: { alertname: 'Bad', a: X } }, /has 1048576 characters, at most/],
  ['a name of 1 MB', { labels: { alertname: 'Bad', [X]: 'a' } }, /label name of 1048576 characters/],
  ['10,000 labels', { labels: { alertname: 'Bad', ...many(10_000) } }, /10001 labels, at most/],
  ['10,000 annotations', { labels: { alertname: 'Bad' }, annotations: many(10_000) }, /10000 annotations, at most/],
  [
    '100 labels of 8 KB',
    { labels: Object.fromEntries(Object.keys(many(100)).map((name) => [name, X.slice(0, 8_000)])) },
    /together/,
  ],
  ['half of a character', { labels: { alertname: 'Bad', a: '\ud800' } }, /half of a character/],
  ['a NUL in a label', { labels: { alertname: 'Bad', a: 'a\0b' } }, /NUL/],
  ['a NUL in an annotation', { labels: { alertname: 'Bad' }, annotations: { a: '\0' } }, /NUL/],
  ['a NUL in the link', { labels: { alertname: 'Bad' }, generatorURL: '\0' }, /NUL/],
  [
    'an end before its start',
    { labels: { alertname: 'Bad' }, startsAt: '2026-01-02T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' },
    /endsAt is before startsAt/,
  ],
  ['a start that is none', { labels: { alertname: 'Bad' }, startsAt: 'yesterday' }, /startsAt is no RFC 3339 time/],
  ['a start in words', { labels: { alertname: 'Bad' }, startsAt: 'Jan 1 2020' }, /startsAt is no RFC 3339 time/],
  [
    'an end beyond all time',
    { labels: { alertname: 'Bad' }, endsAt: '+275760-09-13T00:00:00Z' },
    /endsAt is no RFC 3339 time/,
  ],
];

describe('POST /api/v2/alerts', () => {
  for (const [what, body, status, reason] of BODIES) {
    test(`refuses ${what}`, async () => {
      const answer = await send('/api/v2/alerts', body);
      assert.equal(answer.status, status, JSON.stringify(answer.body).slice(0, 300));
      assert.equal(typeof answer.body, 'string');
      assert.match(String(answer.body), reason);
      assert.deepEqual(await stored(), []);
    });
  }

  for (const [what, alert, reason] of ALERTS) {
    test(`refuses an alert with ${what}, and takes the one beside it`, async () => {
      const answer = await send('/api/v2/alerts', JSON.stringify([GOOD, alert]));
      assert.equal(answer.status, 400, JSON.stringify(answer.body).slice(0, 300));
      assert.match(String(answer.body), reason);
      assert.match(String(answer.body), /^alert 1: /);
      assert(String(answer.body).length < 5_000);
      assert.deepEqual(await stored(), ['Halves']);
      // The router's clock is its store's, which may be a few milliseconds behind.
      await postAlerts(url, [{ ...GOOD, endsAt: new Date(Date.now() - 1_000).toISOString() }]);
      assert.deepEqual(await stored(), []);
    });
  }

  test('names the first twenty faults and counts the rest', async () => {
    const answer = await send('/api/v2/alerts', `[${'0,'.repeat(49_000)}0]`);
    assert.equal(answer.status, 400);
    assert.match(String(answer.body), /alert 19: .*and 48981 more$/);
  });

  test('refuses another type, and another method', async () => {
    assert.equal((await send('/api/v2/alerts', '[]', 'text/yaml')).status, 415);
    assert.equal((await send('/api/v2/alerts', '[]', 'application/json', 'PUT')).status, 405);
  });

  test('keeps its memory bounded when many send what is as large as allowed', { skip: NO_PROC }, async () => {
    const large = `[${Array.from({ length: 240 }, (_, i) => JSON.stringify({ labels: { a: `${i}`, '': 'x' }, annotations: { text: X.slice(0, 130_000) } })).join()}]`;
    const answers = await Promise.all(Array.from({ length: 8 }, () => send('/api/v2/alerts', large)));
    // Two are read at once; who would wait too long is told when to come back.
    for (const { status } of answers) assert(status === 400 || status === 503, `${status}`);
    assert(answers.filter(({ status }) => status === 400).length >= 2);
    assert.deepEqual(await stored(), []);
    const { pid = 0 } = router?.process ?? {};
    assert(peakMemory(pid) < MEMORY_MOST, `${atRest} → ${peakMemory(pid)} MiB`);
  });

  test('reads two large bodies at once, and tells the others to come back', {
    skip: NO_PROC,
    timeout: 60_000,
  }, async () => {
    const bytes = 30 * 1_048_576;
    const body = Buffer.alloc(bytes, ' ');
    const senders = Array.from({ length: 20 }, () => {
      const headers = { 'content-type': 'application/json', 'content-length': bytes + 1 };
      const outgoing = request(`${url}/api/v2/alerts`, { method: 'POST', headers });
      const answer = new Promise<number>((resolve) => {
        outgoing.on('response', ({ statusCode = 0 }) => resolve(statusCode));
        outgoing.on('error', () => resolve(0));
      });
      // All but the last byte: whoever is read stays in memory.
      outgoing.write(body);
      return { outgoing, answer };
    });
    const statuses: number[] = [];
    await new Promise<void>((resolve) => {
      for (const { answer } of senders) void answer.then((status) => statuses.push(status) === 18 && resolve());
    });
    assert.deepEqual([...new Set(statuses)], [503]);
    for (const { outgoing } of senders) outgoing.destroy();
    const { pid = 0 } = router?.process ?? {};
    assert(peakMemory(pid) < MEMORY_MOST, `${atRest} → ${peakMemory(pid)} MiB`);
  });

  test('serves others while somebody sends a byte now and then, or goes in the middle', async () => {
    const { hostname, port } = new URL(url);
    const slow = Array.from({ length: 20 }, () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.write(
        `POST /api/v2/alerts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n[{"labels":{"alertname":"Slow"}}`,
      );
      return socket;
    });
    await Promise.all(slow.map((socket) => once(socket, 'connect')));
    assert.equal(
      (await postAlerts(url, [{ labels: { alertname: 'Quick' }, endsAt: new Date().toISOString() }])).status,
      200,
    );
    for (const socket of slow) socket.destroy();
    assert.deepEqual(await stored(), []);
  });

  test('lets no sender of large bodies keep others out who send small ones', async () => {
    const unfinished = Array.from({ length: 6 }, () => {
      const outgoing = request(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 30_000_000 },
      });
      outgoing.on('error', () => {});
      outgoing.write('[');
      return outgoing;
    });
    assert.equal(
      (await postAlerts(url, [{ labels: { alertname: 'Small' }, endsAt: new Date().toISOString() }])).status,
      200,
    );
    for (const outgoing of unfinished) outgoing.destroy();
    // Their places are free again.
    const large = JSON.stringify([{ labels: { a: 'b' }, annotations: { a: X.repeat(3) } }]);
    assert.equal((await send('/api/v2/alerts', large)).status, 400);
  });
});

const silence = (over: object): string =>
  JSON.stringify({
    matchers: [{ name: 'a', value: 'b', isRegex: false }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 60_000).toISOString(),
    createdBy: 'ada',
    comment: 'x',
    ...over,
  });
const regex = (value: string) => ({ matchers: [{ name: 'a', value, isRegex: true }] });

describe('POST /api/v2/silences', () => {
  for (const [what, over, reason] of [
    ['no matchers', { matchers: [] }, /matchers/],
    ['1,000 matchers', { matchers: Array(1_000).fill({ name: 'a', value: 'b', isRegex: false }) }, /matchers/],
    ['a matcher without a name', { matchers: [{ name: '', value: 'b', isRegex: false }] }, /label name/],
    ['a matcher for everything', regex('.*'), /every alert|empty text/],
    ['a bomb', regex('((a{0,100}){0,100}){0,100}'), /repeat|steps/],
    ['another bomb', regex(`${'(a?){500}'.repeat(20)}`), /repeats too much/],
    ['a pattern of 100 KB', regex('a|'.repeat(50_000)), /./],
    ['no pattern', regex('('), /regular expression/],
    ['a pattern that looks back', regex('(a)\\1'), /regular expression/],
    ['a NUL', { comment: '\0' }, /comment/],
    ['half of a character', { createdBy: '\udc00' }, /createdBy/],
    ['a comment of 1 MB', { comment: X.slice(0, 200_000) }, /comment/],
    ['an end before its start', { endsAt: '2020-01-01T00:00:00Z' }, /start must be before/],
    ['an annotation with a NUL', { annotations: { a: 'b\0' } }, /annotation a holds a NUL/],
    ['an annotation without a name', { annotations: { '': 'b' } }, /no annotation name/],
    ['an annotation of 100 KB', { annotations: { a: X.slice(0, 100_000) } }, /at most 65536/],
    ['an annotation that is a number', { annotations: { a: 1 } }, /annotations/],
    ['no moment', { startsAt: 'soon' }, /startsAt is no RFC 3339 time/],
  ] as const) {
    test(`refuses ${what}`, async () => {
      const answer = await send('/api/v2/silences', silence(over));
      assert.equal(answer.status, 400, JSON.stringify(answer.body).slice(0, 300));
      assert.match(String(answer.body), reason);
      assert.deepEqual(await getJson(`${url}/api/v2/silences`), []);
    });
  }

  test('refuses one with an id that nobody has, and a body over the limit', async () => {
    assert.equal((await send('/api/v2/silences', silence({ id: 'nothing' }))).status, 404);
    assert.equal((await send('/api/v2/silences', silence({ comment: X }))).status, 413);
    assert.deepEqual(await getJson(`${url}/api/v2/silences`), []);
  });
});

describe('what is asked', () => {
  for (const [path, status] of [
    ['/api/v2/alerts?filter=%7B', 400],
    ['/api/v2/alerts?filter=a%3D~%28', 400],
    [`/api/v2/alerts?filter=${encodeURIComponent('a=~"(((a{0,100}){0,100}){0,100})"')}`, 400],
    [`/api/v2/alerts?${'filter=a%3Db&'.repeat(101)}`, 400],
    ['/api/v2/alerts?limit=0', 400],
    ['/api/v2/alerts?limit=1e9', 400],
    ['/api/v2/alerts?cursor=x', 400],
    ['/api/v2/alerts?active=perhaps', 400],
    ['/api/v2/alerts/groups?receiver=%28', 400],
    ['/api/v2/silences?filter=%3D', 400],
    ['/api/v2/silence/%00', 400],
    ['/api/v2/silence/%E0%A4%A', 400],
    ['/api/v2/silence/nothing', 404],
    [`/api/v2/silence/${'x'.repeat(300)}`, 414],
    ['/api/v1/incidents/%00', 400],
    ['/api/v1/incidents/99999999999999999999', 404],
    ['/api/v1/incidents?cursor=99999999999999999999', 400],
    ['/api/v1/incidents?state=gone', 400],
    ['/api/v1/notifications?cursor=%00', 400],
    ['/api/v1/notifications?incident=nothing', 404],
    ['/api/v1/oncall?at=never', 400],
    ['/api/v1/slos/nothing/history', 404],
    ['/api/v1/slos/x/history?step=0', 400],
    ['/incidents/nothing/acknowledge?until=1&signature=x', 403],
    ['/nothing', 404],
    ['/api/v2/nothing', 404],
    ['/api/v3/alerts', 404],
  ] as const) {
    test(`GET ${path.slice(0, 70)} is answered ${status}, with a reason`, async () => {
      const answer = await fetch(`${url}${path}`);
      const text = await answer.text();
      assert.equal(answer.status, status, text);
      const type = answer.headers.get('content-type') ?? '';
      if (/problem\+json/.test(type)) assert.match((JSON.parse(text) as { detail: string }).detail, /./);
      else assert.match(type, /^(application\/json|text\/html)/);
      if (/\/nothing$|v3/.test(path) && !/silence\/|incident/.test(path)) assert.match(type, /problem\+json/);
    });
  }

  test('a filter that takes long for each alert keeps nobody else waiting, and has an end', async () => {
    const values = Array.from({ length: 300 }, (_, i) => ({
      labels: { alertname: 'Long', a: `${i}${'a'.repeat(2_000)}` },
    }));
    assert.equal((await postAlerts(url, values)).status, 200);
    const slow = fetch(`${url}/api/v2/alerts?limit=10&filter=${encodeURIComponent('a=~"\\\\d+(a?){800}a{800}"')}`);
    const others = [];
    for (let i = 0; i < 5; i++) others.push((await fetch(`${url}/-/ready`)).status);
    assert.deepEqual(others, [200, 200, 200, 200, 200]);
    const answer = await slow;
    assert.equal(answer.status, 400);
    assert.match((await answer.json()) as string, /filters took more than 5000 ms/);
    const endsAt = new Date().toISOString();
    await postAlerts(
      url,
      values.map((one) => ({ ...one, endsAt })),
    );
  });
});

test('after all of it the router is there, has logged no error, and its memory is bounded', async (t) => {
  assert.equal((await fetch(`${url}/-/ready`)).status, 200);
  assert.deepEqual(await stored(), []);
  const errors = (router?.output() ?? '').split('\n').filter((line) => line.includes('"level":"error"'));
  assert.deepEqual(errors, []);
  const { pid = 0 } = router?.process ?? {};
  if (!NO_PROC) t.diagnostic(`memory ${atRest.toFixed(0)} → ${peakMemory(pid).toFixed(0)} MiB`);
  if (!NO_PROC) assert(peakMemory(pid) < MEMORY_MOST, `${atRest} → ${peakMemory(pid)} MiB`);
});
