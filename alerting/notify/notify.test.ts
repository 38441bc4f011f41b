/** Every channel over real HTTP and SMTP, against the simulators; what people got stands in their inbox. */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { after, beforeEach, describe, test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { fakeClock, systemClock } from '#kernel/clock.ts';
import { http } from '#kernel/http.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { seededRandom } from '#kernel/random.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import { simulatorsFor } from '#simulators/harness.ts';
import type { Message as Taken } from '#simulators/inbox.ts';
import {
  after as at,
  circumstances,
  emailTo,
  groupMessage,
  incidentMessage,
  NOON,
  pagerdutyTo,
  slackTo,
  toldAlert,
  webhookTo,
} from '#test/kit/notices.ts';
import { startReceiver } from '#test/kit/receiver.ts';
import { startScriptedMail } from '#test/kit/smtp-script.ts';
import { makeNotify } from './notify.ts';

const notifyWith = (log: Log = silentLog) => makeNotify({ http, clock: fakeClock(NOON), random: seededRandom(1), log });
const notify = notifyWith();
const soon = () => AbortSignal.timeout(8_000);
const DELIVERED = { kind: 'delivered', reference: undefined };
const { url, smtpPort } = await simulatorsFor({ after }, { clock: systemClock });

const SLACK = slackTo(`${url}/slack/services/T/B/X`);
const PAGERDUTY = pagerdutyTo(`${url}/pagerduty/v2/enqueue`);
const inbox = async (channel: string) =>
  (await (await fetch(`${url}/inbox?channel=${channel}`)).json()) as (Taken & { body: Record<string, unknown> })[];
const plan = async (vendor: string, faults: object) => {
  const { status } = await fetch(`${url}/faults/${vendor}`, { method: 'PUT', body: JSON.stringify(faults) });
  assert.equal(status, 200);
};

describe('the channels before the simulators', () => {
  beforeEach(async () => {
    for (const path of ['inbox', 'faults']) assert((await fetch(`${url}/${path}`, { method: 'DELETE' })).ok);
  });

  test('PagerDuty follows an incident from its begin to its end', async () => {
    for (const action of ['trigger', 'update', 'acknowledge', 'resolve'] as const) {
      const outcome = await notify(PAGERDUTY, incidentMessage({ action }), circumstances(), soon());
      assert.deepEqual(outcome, { kind: 'delivered', reference: incidentMessage().incident.id });
    }
    const effects = (await inbox('pagerduty')).map(({ effect }) => effect);
    assert.deepEqual(effects, ['opened', 'deduplicated', 'acknowledged', 'resolved']);
  });

  test('PagerDuty opens and closes what was missed', async () => {
    const over = { state: 'resolved', resolvedAt: at(60) } as const;
    await notify(PAGERDUTY, incidentMessage({ action: 'missed', incident: over }), circumstances(), soon());
    await notify(PAGERDUTY, groupMessage({ status: 'resolved', missed: true }), circumstances(), soon());
    const taken = await inbox('pagerduty');
    assert.deepEqual(
      taken.map(({ effect }) => effect),
      ['opened', 'resolved', 'opened', 'resolved'],
    );
    assert.match(JSON.stringify(taken[0]?.body), /fired and resolved while unreachable/);
  });

  test('a message that is taken without an answer is tried again and says so, where the channel cannot know', async () => {
    await using receiver = await startReceiver((_, response) => response.destroy());
    const channels = { slack: SLACK, pagerduty: PAGERDUTY, email: emailTo(smtpPort), webhook: webhookTo(receiver.url) };
    for (const vendor of ['slack', 'pagerduty', 'smtp']) await plan(vendor, { dropAfterAccept: true, times: 1 });
    for (const [name, channel] of Object.entries(channels)) {
      assert.equal((await notify(channel, incidentMessage(), circumstances(), soon())).kind, 'ambiguous', name);
    }
    receiver.react((_, response) => void response.end());
    for (const [name, channel] of Object.entries(channels)) {
      const again = await notify(channel, incidentMessage(), circumstances({ mayRepeat: true }), soon());
      assert.equal(again.kind, 'delivered', name);
    }
    const saysSo = (texts: readonly unknown[]) => texts.map((one) => /may be a repeat/i.test(JSON.stringify(one)));
    const hooks = receiver.received.map(({ body }) => String(body));
    assert.deepEqual(
      [saysSo(await inbox('slack')), saysSo(hooks)],
      [
        [false, true],
        [false, true],
      ],
    );
    assert.deepEqual(
      hooks.map((body) => JSON.parse(body).mayRepeat),
      [false, true],
    );
    const mails = (await inbox('email')).map(({ body }) => body['messageId']);
    assert.deepEqual(mails, Array(2).fill(`<${circumstances().id}@burnline>`));
    assert.deepEqual(
      (await inbox('pagerduty')).map(({ effect }) => effect),
      ['opened', 'deduplicated'],
    );
    const keys = receiver.received.map(({ headers }) => headers['idempotency-key']);
    assert.deepEqual(keys, [circumstances().id, circumstances().id]);
  });

  test('a drill says so in every channel', async () => {
    await using receiver = await startReceiver();
    for (const message of [
      incidentMessage({ incident: { drill: true } }),
      groupMessage({ commonLabels: { alertname: 'Test', drill: 'true' } }),
    ]) {
      for (const channel of [SLACK, PAGERDUTY, emailTo(smtpPort), webhookTo(receiver.url)]) {
        assert.equal((await notify(channel, message, circumstances(), soon())).kind, 'delivered');
      }
    }
    const all = [...(await inbox('slack')), ...(await inbox('pagerduty')), ...(await inbox('email'))].map(
      ({ body }) => body,
    );
    const texts = [...all.map((body) => JSON.stringify(body)), ...receiver.received.map(({ body }) => String(body))];
    assert.equal(texts.length, 8);
    for (const text of texts) assert.match(text, /"DRILL · /);
  });

  test('Slack’s patience is kept to the second', async () => {
    await plan('slack', { messagesPerSecond: 1 });
    assert.deepEqual(await notify(SLACK, incidentMessage(), circumstances(), soon()), DELIVERED);
    const outcome = await notify(SLACK, incidentMessage(), circumstances(), soon());
    assert.deepEqual(outcome, { kind: 'retry', because: 'answered 429: rate_limited', after: 1_000 });
  });

  test('Slack’s own words say why it refuses', async () => {
    for (const [token, because] of [
      ['unknown', 'answered 404: no_service'],
      ['archived', 'answered 410: channel_is_archived'],
    ] as const) {
      const to = slackTo(`${url}/slack/services/T/B/${token}`);
      assert.deepEqual(await notify(to, incidentMessage(), circumstances(), soon()), { kind: 'refused', because });
    }
  });

  test('Slack hears for whom and from whom where the file says so', async () => {
    const to = slackTo(`${url}/slack/services/T/B/X`, { channel: '#pages', username: 'burnline' });
    await notify(to, incidentMessage(), circumstances(), soon());
    const [taken] = await inbox('slack');
    assert.deepEqual([taken?.body['channel'], taken?.body['username']], ['#pages', 'burnline']);
  });

  test('PagerDuty gets the file’s own words', async () => {
    const own = {
      client: 'C',
      clientUrl: 'https://c.example.test/',
      source: 'S',
      severity: 'info',
      class: 'K',
      component: 'O',
      group: 'G',
      details: { team: 'x' },
    } as const;
    await notify(pagerdutyTo(`${url}/pagerduty/v2/enqueue`, own), incidentMessage(), circumstances(), soon());
    const [taken] = await inbox('pagerduty');
    assert(taken);
    const {
      payload,
      client,
      client_url: clientUrl,
    } = taken.body as { payload: Record<string, object>; client: string; client_url: string };
    const { source, severity, class: kind, component, group, custom_details: details } = payload;
    assert.deepEqual(
      [client, clientUrl, source, severity, kind, component, group],
      ['C', 'https://c.example.test/', 'S', 'info', 'K', 'O', 'G'],
    );
    assert.equal((details as Record<string, unknown>)['team'], 'x');
  });

  const credentials: readonly [
    title: string,
    of: (url: string) => ReturnType<typeof webhookTo>,
    want: string | undefined,
  ][] = [
    ['none', (to) => webhookTo(to), undefined],
    ['a token', (to) => webhookTo(to, { authorization: { type: 'Bearer', credentials: secret('T') } }), 'Bearer T'],
    [
      'a password',
      (to) => webhookTo(to, { basicAuth: { username: 'ada', password: secret('p:w') } }),
      `Basic ${Buffer.from('ada:p:w').toString('base64')}`,
    ],
    [
      'a password that is no percent-encoding',
      (to) => webhookTo(to.replace('//', '//ada:100%@')),
      'Basic YWRhOjEwMCU=',
    ],
    [
      'a password in the address',
      (to) => webhookTo(to.replace('//', '//ada:p%40w@')),
      `Basic ${Buffer.from('ada:p@w').toString('base64')}`,
    ],
  ];
  for (const [title, of, want] of credentials) {
    test(`a webhook is called with ${title}`, async () => {
      await using receiver = await startReceiver();
      assert.deepEqual(await notify(of(receiver.url), incidentMessage(), circumstances(), soon()), DELIVERED);
      assert.equal(receiver.received[0]?.headers.authorization, want);
    });
  }

  test('a webhook gets no more alerts than it takes', async () => {
    await using receiver = await startReceiver();
    const list = Array.from({ length: 5 }, () => toldAlert());
    const message = groupMessage({ alerts: { firing: 7, resolved: 0, list } });
    for (const maxAlerts of [0, 2])
      await notify(webhookTo(receiver.url, { maxAlerts }), message, circumstances(), soon());
    const bodies = receiver.received.map(({ body }) => JSON.parse(String(body)));
    assert.deepEqual(
      bodies.map(({ alerts, truncatedAlerts }) => [alerts.length, truncatedAlerts]),
      [
        [5, 2],
        [2, 5],
      ],
    );
  });

  test('a webhook’s redirect is not followed: the secret stays here', async () => {
    await using other = await startReceiver();
    await using receiver = await startReceiver(
      (_, response) => void response.writeHead(307, { location: other.url }).end(),
    );
    const outcome = await notify(webhookTo(receiver.url), incidentMessage(), circumstances(), soon());
    assert.equal(outcome.kind, 'refused');
    assert.match(JSON.stringify(outcome), /redirects are not followed/);
    assert.equal(other.received.length, 0);
  });

  test('a mail is a thread’s, cannot be answered by a machine, and is in two forms', async () => {
    const outcome = await notify(emailTo(smtpPort), incidentMessage(), circumstances({ thread: ['r1', 'r2'] }), soon());
    assert.equal(outcome.kind, 'delivered');
    const [taken] = await inbox('email');
    assert(taken);
    const { headers, subject, text, html } = taken.body as {
      headers: Record<string, string>;
      subject: string;
      text: string;
      html: string;
    };
    assert.equal(subject, 'CRITICAL · Documents processed (burnline-documents)');
    assert.deepEqual(
      ['references', 'in-reply-to', 'auto-submitted', 'importance', 'date'].map((name) => headers[name]),
      ['<r1@burnline> <r2@burnline>', '<r2@burnline>', 'auto-generated', 'high', 'Mon, 24 Nov 2025 16:00:00 +0000'],
    );
    for (const part of [text, html]) assert.match(part, /Documents processed.*SIGNATURE-OF-THE-LINK.*ada, #documents/s);
  });

  test('a mail takes no header from an alert, and only harmless ones from the file', async () => {
    const title = 'x\r\nBcc: evil@example.test\r\n\r\nbody';
    const headers = {
      'Reply-To': 'sre@example.test',
      'Content-Type': 'text/x',
      'Content-Transfer-Encoding': 'base64',
      'Message-Id': '<mine>',
      Subject: 'Page',
    };
    await notify(emailTo(smtpPort), incidentMessage({ incident: { title } }), circumstances(), soon());
    await notify(emailTo(smtpPort, { headers }), incidentMessage(), circumstances(), soon());
    const [first, second] = (await inbox('email')).map(({ body }) => body['headers'] as Record<string, string>);
    assert.equal(first?.['bcc'], undefined);
    assert.equal(second?.['reply-to'], 'sre@example.test');
    assert.match(second?.['content-type'] ?? '', /^multipart\/alternative/);
    assert.equal(second?.['content-transfer-encoding'], undefined);
    assert.equal(second?.['message-id'], `<${circumstances().id}@burnline>`);
    assert.equal((await inbox('email'))[1]?.body['subject'], 'Page');
  });

  test('a mail for some of its recipients is delivered, and names the others', async () => {
    const warned: unknown[] = [];
    const log: Log = { ...silentLog, warn: (fields) => void warned.push(fields['refused']) };
    const to = emailTo(smtpPort, { to: 'reject@example.test, b@example.test, defer@example.test' });
    const outcome = await notifyWith(log)(to, incidentMessage(), circumstances(), soon());
    assert.equal(outcome.kind, 'delivered');
    const reference = outcome.kind === 'delivered' ? outcome.reference : '';
    assert.match(reference ?? '', /^not for reject@example\.test \(550 .*\), defer@example\.test \(450 .*\)$/);
    assert.equal(warned.length, 1);
    assert.deepEqual(
      (await inbox('email')).map(({ target }) => target),
      ['b@example.test'],
    );
  });

  test('a password does not cross a network unencrypted', async () => {
    await using mail = await startScriptedMail();
    const auth = { username: 'ada', password: secret('PASSWORD') };
    const smarthost = { host: '0.0.0.0', port: mail.port };
    const outcome = await notify(emailTo(mail.port, { auth, smarthost }), incidentMessage(), circumstances(), soon());
    assert.equal(outcome.kind, 'refused');
    assert.deepEqual(
      mail.heard.filter((line) => line.startsWith('AUTH')),
      [],
    );
    assert.equal(
      (await notify(emailTo(mail.port, { auth }), incidentMessage(), circumstances(), soon())).kind,
      'delivered',
    );
  });

  test('what the router calls off in the middle may have arrived', async () => {
    const stop = new AbortController();
    await using receiver = await startReceiver(() => stop.abort(new Error('the router stops')));
    const outcome = await notify(webhookTo(receiver.url), incidentMessage(), circumstances(), stop.signal);
    assert.deepEqual(outcome, { kind: 'ambiguous', because: 'called off before an answer came' });
  });

  test('a connection’s own time limit is kept', async () => {
    await using receiver = await startReceiver(() => {});
    const timeout = milliseconds(50);
    for (const to of [
      webhookTo(receiver.url, { timeout }),
      slackTo(receiver.url, { timeout }),
      pagerdutyTo(receiver.url, { timeout }),
    ]) {
      const outcome = await notify(to, incidentMessage(), circumstances(), new AbortController().signal);
      assert.deepEqual(outcome, { kind: 'ambiguous', because: 'no answer in time' }, to.kind);
    }
  });

  test('a time limit before there was a connection is no attempt that may have arrived, one after is', async (t) => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const timeout = milliseconds(200);
    // It takes the connection and never speaks: over TLS nothing of ours leaves, without TLS all of it does.
    for (const make of [
      (url: string) => webhookTo(url, { timeout }),
      (url: string) => slackTo(url, { timeout }),
      (url: string) => pagerdutyTo(url, { timeout }),
    ]) {
      const attempt = async (scheme: string) =>
        await notify(make(`${scheme}://127.0.0.1:${port}/`), incidentMessage(), circumstances(), soon());
      const before = { kind: 'retry', because: 'not sent: no connection in time', after: undefined };
      assert.deepEqual(await attempt('https'), before);
      assert.deepEqual(await attempt('http'), { kind: 'ambiguous', because: 'no answer in time' });
      const stop = AbortSignal.timeout(100);
      assert.deepEqual(
        await notify(make(`https://127.0.0.1:${port}/`), incidentMessage(), circumstances(), stop),
        before,
      );
    }
  });

  /** With a certificate that nobody has signed: smtp-server's own. */
  async function startTlsMail(t: { after(work: () => Promise<void>): void }) {
    const secure: boolean[] = [];
    const server = new SMTPServer({
      authOptional: true,
      logger: false,
      onData: (stream, session, done) => {
        secure.push(session.secure);
        stream.on('end', () => done()).resume();
      },
    });
    server.on('error', () => {});
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    t.after(async () => await new Promise<void>((done) => server.close(done)));
    const address = server.server.address();
    assert(typeof address === 'object' && address);
    return { port: address.port, secure };
  }

  test('a mail server’s certificate is judged where TLS is asked for, and used where it is not', async (t) => {
    const { port, secure } = await startTlsMail(t);
    const strict = await notify(emailTo(port, { requireTls: true }), incidentMessage(), circumstances(), soon());
    assert.equal(strict.kind, 'retry');
    assert.match(JSON.stringify(strict), /cannot connect \((?:CERT|DEPTH|SELF)_\w+\)/);
    assert.equal((await notify(emailTo(port), incidentMessage(), circumstances(), soon())).kind, 'delivered');
    assert.deepEqual(secure, [true]);
  });
});
