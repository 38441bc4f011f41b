/** Slack, PagerDuty and the mail server over real sockets; what they took stands in the inbox. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test from 'node:test';
import { fakeClock } from '#kernel/clock.ts';
import { simulatorsFor } from '#simulators/harness.ts';
import type { Message } from '#simulators/inbox.ts';

const post = async (url: string, body: unknown, headers: Record<string, string> = {}) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  });
  return { status: answer.status, text: await answer.text(), retryAfter: answer.headers.get('retry-after') };
};
const put = async (url: string, body: object) =>
  assert.equal(
    (await fetch(url, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }))
      .status,
    200,
  );
const inbox = async (url: string, channel: string) =>
  (await (await fetch(`${url}/inbox?channel=${channel}`)).json()) as Message[];

test('Slack takes a webhook’s message, as JSON and as a form', async (t) => {
  const { url } = await simulatorsFor(t);
  const hook = `${url}/slack/services/T1/B2/x3`;
  const message = { text: 'Budget burns', blocks: [{ type: 'divider' }] };
  assert.deepEqual(await post(hook, message), { status: 200, text: 'ok', retryAfter: null });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.equal((await post(hook, `payload=${encodeURIComponent('{"text":"form"}')}`, form)).text, 'ok');
  const got = await inbox(url, 'slack');
  assert.deepEqual(
    got.map(({ target, body }) => [target, body]),
    [
      ['/services/T1/B2/x3', message],
      ['/services/T1/B2/x3', { text: 'form' }],
    ],
  );
  assert.match(got[0]?.at ?? '', /^\d{4}-.*Z$/);
});

const slackRefusals: readonly [title: string, path: string, body: unknown, status: number, text: string][] = [
  ['half a JSON', 'T/B/X', '{"text":', 400, 'invalid_payload'],
  ['no text', 'T/B/X', {}, 400, 'no_text'],
  ['bad blocks', 'T/B/X', { blocks: [{ type: 'x' }] }, 400, 'invalid_blocks'],
  ['an unknown webhook', 'T/B/unknown', { text: 'x' }, 404, 'no_service'],
  ['a forbidden webhook', 'T/B/forbidden', { text: 'x' }, 403, 'action_prohibited'],
  ['an archived channel', 'T/B/archived', { text: 'x' }, 410, 'channel_is_archived'],
  ['a path that is none', 'T/B', { text: 'x' }, 404, 'no_service'],
];
test('Slack refuses what Slack refuses, and keeps none of it', async (t) => {
  const { url } = await simulatorsFor(t);
  for (const [title, path, body, status, text] of slackRefusals) {
    const got = await post(`${url}/slack/services/${path}`, body);
    assert.deepEqual([got.status, got.text], [status, text], title);
  }
  assert.deepEqual(await inbox(url, 'slack'), []);
  assert.equal((await post(`${url}/slack/services/T/B/constructor`, { text: 'x' })).text, 'ok');
});

test('Slack paces when told to', async (t) => {
  const clock = fakeClock(1_000_000);
  const { url } = await simulatorsFor(t, { clock });
  await put(`${url}/faults/slack`, { messagesPerSecond: 1 });
  const send = (token: string) => post(`${url}/slack/services/T/B/${token}`, { text: 'x' });
  assert.equal((await send('a')).status, 200);
  assert.deepEqual(await send('a'), { status: 429, text: 'rate_limited', retryAfter: '1' });
  assert.equal((await send('b')).status, 200);
  await clock.advance(1000);
  assert.equal((await send('a')).status, 200);
});

test('Slack can call a refusal a success', async (t) => {
  const { url } = await simulatorsFor(t);
  await put(`${url}/faults/slack`, { garble: 'shape' });
  const got = await post(`${url}/slack/services/T/B/X`, { text: 'x' });
  assert.deepEqual([got.status, got.text], [200, 'invalid_payload']);
});

test('Slack’s Web API says what is wrong inside a 200', async (t) => {
  const { url } = await simulatorsFor(t);
  const call = async (body: unknown, headers = {}) =>
    JSON.parse((await post(`${url}/slack/api/chat.postMessage`, body, headers)).text);
  const key = { authorization: 'Bearer xoxb-1' };
  assert.deepEqual(await call({ channel: 'C1', text: 'x' }), { ok: false, error: 'not_authed' });
  assert.deepEqual(await call({ text: 'x' }, key), { ok: false, error: 'channel_not_found' });
  assert.deepEqual(await call({ channel: 'C1' }, key), { ok: false, error: 'no_text' });
  const sent = await call({ channel: 'C1', text: 'x' }, key);
  assert.deepEqual([sent.ok, sent.channel, sent.message.text], [true, 'C1', 'x']);
});

test('PagerDuty opens, acknowledges, resolves and drops', async (t) => {
  const { url } = await simulatorsFor(t);
  const payload = { summary: 'Budget burns', source: 'burnline', severity: 'critical' };
  const send = async (event_action: string, dedup_key?: string) => {
    const got = await post(`${url}/pagerduty/v2/enqueue`, { routing_key: 'r', event_action, dedup_key, payload });
    return { status: got.status, ...JSON.parse(got.text) };
  };
  assert.deepEqual(await send('trigger', 'd'), { status: 'success', message: 'Event processed', dedup_key: 'd' });
  assert.match((await send('trigger')).dedup_key, /^[0-9a-f]{32}$/);
  for (const action of ['acknowledge', 'resolve', 'resolve', 'trigger']) await send(action, 'd');
  const got = await inbox(url, 'pagerduty');
  assert.deepEqual(
    got.map(({ effect }) => effect),
    ['opened', 'opened', 'acknowledged', 'resolved', 'dropped', 'opened'],
  );
  const open = (await (await fetch(`${url}/pagerduty/alerts`)).json()) as { dedupKey: string; status: string }[];
  assert.deepEqual(
    open.map(({ status }) => status),
    ['triggered', 'triggered'],
  );
  const change = await post(`${url}/pagerduty/v2/change/enqueue`, {
    routing_key: 'r',
    payload: { summary: 'Deployed' },
  });
  assert.equal(change.status, 202);
});

test('PagerDuty refuses bad events with their faults, and large ones', async (t) => {
  const { url } = await simulatorsFor(t);
  const bad = await post(`${url}/pagerduty/v2/enqueue`, { event_action: 'trigger' });
  assert.equal(bad.status, 400);
  assert.deepEqual(JSON.parse(bad.text).errors, ["'routing_key' is missing or blank", "'payload' is missing or blank"]);
  assert.equal((await post(`${url}/pagerduty/v2/enqueue`, '{')).status, 400);
  assert.equal((await post(`${url}/pagerduty/v2/enqueue`, { pad: 'x'.repeat(512 * 1024) })).status, 413);
  await put(`${url}/faults/pagerduty`, { retryAfterSeconds: 60 });
  const late = await post(`${url}/pagerduty/v2/enqueue`, {});
  assert.deepEqual([late.status, late.retryAfter, JSON.parse(late.text).status], [429, '60', 'throttle exceeded']);
});

/** Says SMTP lines one after the other and gathers the replies; ends when the server does or all is said. */
function talk(port: number, lines: readonly string[], limit = 1500): Promise<string[]> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1');
    const heard: string[] = [];
    const queue = [...lines];
    let rest = '';
    socket.setTimeout(limit, () => {
      heard.push('(silence)');
      socket.destroy();
    });
    socket.on('data', (piece) => {
      rest += piece;
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (line[3] === '-') continue;
        heard.push(line);
        const next = queue.shift();
        if (next === undefined) socket.end();
        else socket.write(`${next}\r\n`);
      }
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') heard.push('(reset)');
      else fail(error);
    });
    socket.on('close', () => done(heard));
  });
}
const codes = (heard: readonly string[]) => heard.map((line) => (/^\d{3} /.test(line) ? line.slice(0, 3) : line));
const MAIL = [
  'From: Burnline <a@example.test>',
  'To: on-call <b@example.test>',
  'Subject: =?utf-8?Q?Budget_brennt_=E2=80=93_jetzt?=',
  'Message-ID: <row-7@burnline>',
  'X-Incident: 7',
  '',
  'It burns.',
  '.',
].join('\r\n');
const envelope = (...to: string[]) => [
  'EHLO test',
  'MAIL FROM:<a@example.test>',
  ...to.map((address) => `RCPT TO:<${address}>`),
  'DATA',
  MAIL,
  'QUIT',
];

test('Mail is taken and read', async (t) => {
  const { url, smtpPort } = await simulatorsFor(t);
  assert.deepEqual(codes(await talk(smtpPort, envelope('b@example.test', 'c@example.test'))), [
    '220',
    '250',
    '250',
    '250',
    '250',
    '354',
    '250',
    '221',
  ]);
  const [mail] = await inbox(url, 'email');
  const body = mail?.body as {
    to: string[];
    subject: string;
    text: string;
    messageId: string;
    headers: Record<string, string>;
  };
  assert.equal(mail?.target, 'b@example.test, c@example.test');
  assert.deepEqual(
    [body.to, body.subject, body.text.trim(), body.messageId],
    [['b@example.test', 'c@example.test'], 'Budget brennt – jetzt', 'It burns.', '<row-7@burnline>'],
  );
  assert.equal(body.headers['x-incident'], '7');
});
test('Mail takes any user and password', async (t) => {
  const { smtpPort } = await simulatorsFor(t);
  const plain = Buffer.from('\0user\0secret').toString('base64');
  assert.deepEqual(codes(await talk(smtpPort, ['EHLO test', `AUTH PLAIN ${plain}`, 'QUIT'])), [
    '220',
    '250',
    '235',
    '221',
  ]);
});
test('Mail refuses single recipients', async (t) => {
  const { url, smtpPort } = await simulatorsFor(t);
  const heard = await talk(smtpPort, envelope('reject@example.test', 'defer@example.test', 'b@example.test'));
  assert.deepEqual(codes(heard), ['220', '250', '250', '550', '450', '250', '354', '250', '221']);
  assert.deepEqual(
    (await inbox(url, 'email')).map(({ target }) => target),
    ['b@example.test'],
  );
});
const mailFaults: readonly [title: string, plan: object, want: string[], kept: number][] = [
  ['a temporary failure', { status: 450 }, ['220', '250', '450'], 0],
  ['a permanent failure', { status: 550 }, ['220', '250', '550'], 0],
  ['silence', { hang: true }, ['220', '250', '(silence)'], 0],
  ['no connection at all', { refuse: true }, [], 0],
  ['a mail that is kept without a word', { dropAfterAccept: true }, ['220', '250', '250', '250', '354'], 1],
  ['another protocol', { garble: true }, ['220', '250', 'HTTP/1.1 400 Bad Request'], 0],
];
for (const [title, plan, want, kept] of mailFaults) {
  test(`Mail misbehaves as told: ${title}`, async (t) => {
    const { url, smtpPort } = await simulatorsFor(t);
    await put(`${url}/faults/smtp`, plan);
    const heard = codes(await talk(smtpPort, envelope('b@example.test'), 1000)).filter((line) => line !== '(reset)');
    assert.deepEqual(heard.slice(0, want.length), want);
    assert(!heard.includes('221') || want.includes('450') || want.includes('550'));
    assert.equal((await inbox(url, 'email')).length, kept);
  });
}
