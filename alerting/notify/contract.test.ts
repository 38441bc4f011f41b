/** The four channels pass the kit: over real HTTP and SMTP, with a server that repeats what it was sent in each error. */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { after } from 'node:test';
import type { Integration } from '#alerting/config/config.ts';
import { fakeClock } from '#kernel/clock.ts';
import { http } from '#kernel/http.ts';
import { seededRandom } from '#kernel/random.ts';
import { secret } from '#kernel/secret.ts';
import { simulatorsFor } from '#simulators/harness.ts';
import {
  after as at,
  circumstances,
  emailTo,
  incidentMessage,
  NOON,
  pagerdutyTo,
  slackTo,
  webhookTo,
} from '#test/kit/notices.ts';
import { type Reaction, type Received, startReceiver } from '#test/kit/receiver.ts';
import { type Script, startScriptedMail } from '#test/kit/smtp-script.ts';
import { contract, type Given, type Way } from './contract.ts';
import { makeNotify } from './notify.ts';
import type { Outcome } from './outcome.ts';
import { BODY_MOST } from './webhook.ts';

const clock = fakeClock(NOON);
const given: Given = {
  notifyBy: (log) => makeNotify({ http, clock, random: seededRandom(1), log }),
  message: incidentMessage(),
  circumstances: circumstances({ mayRepeat: true }),
};
const simulators = await simulatorsFor({ after });
const receiver = await startReceiver();
const mail = await startScriptedMail();
/** Takes a connection and says nothing. */
const mute = createServer(() => {});
await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
after(async () => {
  mute.close();
  await receiver[Symbol.asyncDispose]();
  await mail[Symbol.asyncDispose]();
});

/** Nobody listens there any more. */
const closedPort = async (): Promise<number> => {
  const gone = await startReceiver();
  await gone[Symbol.asyncDispose]();
  return Number(new URL(gone.url).port);
};

type Echo = (request: Received) => string;
const ECHOES: readonly Echo[] = [
  ({ url }) => `you called ${url}`,
  ({ headers }) => `you said ${headers.authorization?.split(' ')[1]}`,
  ({ body }) => `you sent ${body}`,
  ({ body }) => `you sent ${/"acknowledge":"[^"]*|"href":"[^"]*|<https[^|]*/.exec(String(body))?.[0]}`,
];
let echo = 0;
const answer =
  (status: number, headers: Record<string, string> = {}, body?: string): Reaction =>
  (request, response) => {
    const said = body ?? ECHOES[echo++ % ECHOES.length]?.(request);
    response.writeHead(status, headers).end(said);
  };

function httpWays(integrationAt: (url: string) => Integration, own: readonly Way[]): Way[] {
  const way = (title: string, expected: Outcome['kind'], reaction: Reaction, wait?: number): Way => ({
    title,
    expected,
    ...(wait === undefined ? {} : { after: wait }),
    to: () => {
      receiver.react(reaction);
      return integrationAt(receiver.url);
    },
  });
  const inHalfAMinute = new Date(at(30)).toUTCString();
  return [
    ...own,
    ...[301, 302, 303, 307, 308].map((status) => way(`${status}`, 'refused', answer(status, { location: '/x' }))),
    ...[400, 401, 402, 403, 404, 405, 409, 410, 411, 413, 415, 422, 451].flatMap((status) =>
      ECHOES.map((_, i) => way(`${status} (echo ${i})`, 'refused', answer(status))),
    ),
    ...[408, 425, 429, 500, 501, 502, 503, 504, 599].flatMap((status) => [
      way(`${status}`, 'retry', answer(status)),
      way(`${status} with patience in seconds`, 'retry', answer(status, { 'retry-after': '7' }), 7_000),
      way(`${status} with patience as a date`, 'retry', answer(status, { 'retry-after': inHalfAMinute }), 30_000),
      way(`${status} with nonsense for patience`, 'retry', answer(status, { 'retry-after': 'soon' })),
    ]),
    way('no patience at all', 'retry', answer(429, { 'retry-after': '0' }), 0),
    way('a date where seconds should be', 'retry', answer(429, { 'retry-after': '1764000030' }), 86_400_000),
    { ...way('silence', 'ambiguous', () => {}), patience: 300 },
    way('a connection cut after the request', 'ambiguous', (_, response) => response.destroy()),
    way('a refusal that breaks off', 'refused', (_, response) => {
      response.writeHead(400, { 'content-length': '1000' }).write('half');
      setImmediate(() => response.destroy());
    }),
    way('a refusal without end', 'refused', (_, response) => {
      response.writeHead(400).write('x'.repeat(100_000));
    }),
    {
      ...way('a refusal that dawdles', 'refused', (_, response) => void response.writeHead(400).write('x')),
      patience: 2_000,
    },
    {
      title: 'nobody there',
      expected: 'retry',
      to: async () => integrationAt(`http://127.0.0.1:${await closedPort()}`),
    },
    { title: 'no such name', expected: 'retry', to: () => integrationAt('http://no-such-host.invalid') },
    {
      title: 'TLS with who does not speak it',
      expected: 'retry',
      to: () => integrationAt(receiver.url.replace('http:', 'https:')),
    },
    {
      title: 'a cut while TLS is agreed on',
      expected: 'retry',
      to: () => {
        mail.script = { greeting: 'cut' };
        return integrationAt(`https://127.0.0.1:${mail.port}`);
      },
    },
    {
      title: 'silence while TLS is agreed on',
      expected: 'retry',
      to: () => integrationAt(`https://127.0.0.1:${(mute.address() as AddressInfo).port}`),
      patience: 300,
    },
    { title: 'an address that is none', expected: 'refused', to: () => integrationAt('no address') },
    { title: 'a port that is forbidden', expected: 'refused', to: () => integrationAt('http://127.0.0.1:6667') },
  ];
}

const saying =
  (status: number, body: string): (() => void) =>
  () =>
    receiver.react(answer(status, {}, body));
const got = async () => receiver.received.map(({ body, headers }) => `${headers['idempotency-key'] ?? ''}\n${body}`);
const inbox = async (channel: string) =>
  ((await (await fetch(`${simulators.url}/inbox?channel=${channel}`)).json()) as { body: unknown }[]).map(({ body }) =>
    JSON.stringify(body),
  );
const HOOK = '/services/T0SECRETT/B0SECRETB/SECRET-OF-SLACK';
const SIGNATURES = ['SIGNATURE-OF-THE-LINK', 'SIGNATURE-OF-THE-OTHER'];

const slackSays = (title: string, expected: Outcome['kind'], body: string, status = 200): Way => ({
  title,
  expected,
  to: () => {
    saying(status, body)();
    return slackTo(`${receiver.url}${HOOK}`);
  },
});
contract(
  {
    name: 'slack',
    well: () => slackTo(`${simulators.url}/slack${HOOK}`),
    took: () => inbox('slack'),
    keyOf: () => undefined,
    most: 40_000,
    secrets: ['SECRET', ...SIGNATURES],
    ways: httpWays(
      (url) => slackTo(`${url}${HOOK}`),
      [
        slackSays('ok', 'delivered', 'ok'),
        slackSays('an ok of another server', 'delivered', '{"ok":true}'),
        slackSays('a refusal that calls itself a success', 'refused', 'invalid_payload'),
        slackSays('a refusal in JSON', 'refused', '{"ok":false,"error":"channel_not_found"}'),
        slackSays('a trouble that passes', 'retry', 'rollup_error'),
        slackSays('a page of a hotel', 'ambiguous', '<h1>Welcome to Hotel Wi-Fi</h1>'),
        slackSays('half an answer', 'ambiguous', '{"ok":'),
        slackSays('an answer without end', 'ambiguous', 'ok'.repeat(100_000)),
      ],
    ),
  },
  given,
);

const pagerdutySays = (title: string, expected: Outcome['kind'], status: number, body: string): Way => ({
  title,
  expected,
  to: () => {
    saying(status, body)();
    return pagerdutyTo(`${receiver.url}/v2/enqueue`);
  },
});
contract(
  {
    name: 'pagerduty',
    well: () => pagerdutyTo(`${simulators.url}/pagerduty/v2/enqueue`),
    took: () => inbox('pagerduty'),
    keyOf: (taken) => /"dedup_key":"([^"]+)"/.exec(taken)?.[1],
    most: 512 * 1024,
    secrets: ['ROUTING-KEY-OF-32', ...SIGNATURES],
    ways: httpWays(
      (url) => pagerdutyTo(`${url}/v2/enqueue`),
      [
        pagerdutySays('202', 'delivered', 202, '{"status":"success"}'),
        pagerdutySays('202 with nonsense', 'delivered', 202, '{'),
        pagerdutySays('200, which PagerDuty never says', 'ambiguous', 200, '<h1>Welcome to Hotel Wi-Fi</h1>'),
      ],
    ),
  },
  given,
);

const authorization = { type: 'Bearer', credentials: secret('SECRET-OF-BEARER') };
const basicAuth = { username: 'ada', password: secret('SECRET-OF-BASIC') };
const hookAt = (url: string, i: number) =>
  webhookTo(
    `${url.replace('//', i === 2 ? '//ada:SECRET-OF-ADDRESS@' : '//')}/hook/SECRET-OF-PATH?key=SECRET-OF-QUERY`,
    {
      authorization: i === 0 ? authorization : undefined,
      basicAuth: i === 1 ? basicAuth : undefined,
    },
  );
const unprintable = { type: 'Bearer', credentials: secret('SECRET-OF-BEARER\n🔥') };
const BASIC = ['SECRET-OF-BASIC', 'SECRET-OF-ADDRESS'].map((one) => Buffer.from(`ada:${one}`).toString('base64'));
let hooks = 0;
contract(
  {
    name: 'webhook',
    well: () => {
      receiver.react(answer(200, {}, ''));
      return hookAt(receiver.url, 0);
    },
    took: got,
    keyOf: (taken) => taken.split('\n')[0],
    most: BODY_MOST + 100,
    secrets: ['SECRET', ...BASIC, ...SIGNATURES],
    ways: httpWays(
      (url) => hookAt(url, Math.floor(hooks++ / ECHOES.length) % 3),
      [
        ...[200, 201, 202, 204].map(
          (status): Way => ({
            title: `${status}`,
            expected: 'delivered',
            to: () => {
              receiver.react(answer(status, {}, ''));
              return hookAt(receiver.url, status % 3);
            },
          }),
        ),
        {
          title: 'credentials that fit into no header',
          expected: 'refused',
          to: () => webhookTo(receiver.url, { authorization: unprintable }),
        },
      ],
    ),
  },
  given,
);

const fault = async (plan: object | undefined) => {
  const body = plan && JSON.stringify(plan);
  const url = `${simulators.url}/faults/smtp`;
  const init = body === undefined ? { method: 'DELETE' } : { method: 'PUT', body };
  const { status } = await fetch(body === undefined ? `${simulators.url}/faults` : url, init);
  assert(status < 300);
};
const PASSWORD = 'SECRET-OF-MAIL';
const auth = { username: 'ada', password: secret(PASSWORD) };
const simulated = (title: string, expected: Outcome['kind'], plan: object | undefined, to = 'b@example.test'): Way => ({
  title,
  expected,
  to: async () => {
    await fault(plan);
    return emailTo(simulators.smtpPort, { to, auth });
  },
});
const scripted = (title: string, expected: Outcome['kind'], script: Script, more = {}): Way => ({
  title,
  expected,
  to: () => {
    mail.script = script;
    return emailTo(mail.port, { auth, ...more });
  },
});
contract(
  {
    name: 'email',
    well: async () => {
      await fault(undefined);
      return emailTo(simulators.smtpPort);
    },
    took: () => inbox('email'),
    keyOf: (taken) => /"messageId":"([^"]+)"/.exec(taken)?.[1],
    most: 100_000,
    secrets: ['SECRET', Buffer.from(`\0ada\0${PASSWORD}`).toString('base64'), ...SIGNATURES],
    ways: [
      simulated('a server in good health', 'delivered', undefined),
      simulated('450 at the sender', 'retry', { status: 450 }),
      simulated('550 at the sender', 'refused', { status: 550 }),
      { ...simulated('silence at the sender', 'retry', { hang: true }), patience: 500 },
      simulated('no connection', 'retry', { refuse: true }),
      simulated('a cut after the text', 'ambiguous', { dropAfterAccept: true }),
      simulated('another protocol', 'retry', { garble: true }),
      simulated('a recipient refused', 'refused', undefined, 'reject@example.test'),
      simulated('a recipient put off', 'retry', undefined, 'defer@example.test'),
      simulated('one refused, one put off', 'retry', undefined, 'reject@example.test, defer@example.test'),
      simulated('one refused, one taken', 'delivered', undefined, 'reject@example.test, b@example.test'),
      scripted('421 for a greeting', 'retry', { greeting: '421 busy' }),
      scripted('554 for a greeting', 'refused', { greeting: '554 not you' }),
      { ...scripted('silence for a greeting', 'retry', { greeting: 'silence' }), patience: 300 },
      scripted('a cut for a greeting', 'retry', { greeting: 'cut' }),
      scripted('a password that is wrong', 'refused', { AUTH: '535 5.7.8 wrong: {said}' }),
      scripted('a log-in that is put off', 'retry', { AUTH: '454 4.7.0 later: {said}' }),
      scripted('no way to log in', 'refused', { EHLO: '250 scripted', AUTH: '502 no such command' }),
      scripted('no TLS where it is required', 'refused', {}, { requireTls: true }),
      scripted('a sender that is not liked', 'refused', { MAIL: '553 not you' }),
      scripted('a cut before the text', 'retry', { DATA: 'cut' }),
      scripted('451 before the text', 'retry', { DATA: '451 later' }),
      scripted('452 after the text', 'retry', { text: '452 full' }),
      scripted('554 after the text', 'refused', { text: '554 spam' }),
      { ...scripted('silence after the text', 'ambiguous', { text: 'silence' }), patience: 2_000 },
      scripted('a farewell that is missing', 'delivered', { QUIT: 'silence' }),
      { title: 'nobody there', expected: 'retry', to: async () => emailTo(await closedPort()) },
      {
        title: 'no such name',
        expected: 'retry',
        to: () => emailTo(25, { smarthost: { host: 'no-such-host.invalid', port: 25 } }),
      },
      {
        title: 'TLS with who does not speak it',
        expected: 'retry',
        to: () => {
          mail.script = {};
          return emailTo(mail.port, { implicitTls: true });
        },
      },
    ],
  },
  given,
);
