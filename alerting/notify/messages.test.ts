/** How messages look, against a golden file and the simulators' own readers. UPDATE_GOLDEN=1 writes the file anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import type { Message } from '#alerting/message.ts';
import { readEvent } from '#simulators/pagerduty-event.ts';
import { checkMessage } from '#simulators/slack-message.ts';
import {
  after,
  circumstances,
  groupMessage,
  incidentMessage,
  LINKS,
  NOON,
  pagerdutyTo,
  toldAlert,
} from '#test/kit/notices.ts';
import { emailMessage } from './email-message.ts';
import { actionsOf, bodyOf, EVENT_MOST, eventOf } from './pagerduty.ts';
import { BLOCKS_MOST, slackMessage } from './slack-message.ts';
import { tell } from './told.ts';
import { webhookBody } from './webhook.ts';

const GOLDEN = 'test/golden/notifications.txt';
const SENDER = { channel: undefined, username: undefined };
const told = (message: Message) => tell(message, circumstances(), NOON);
const slackOf = (message: Message, mayRepeat = false) => slackMessage(told(message), mayRepeat, SENDER);
const emailOf = (message: Message, more = {}) => emailMessage(told(message), circumstances(more));
const eventsOf = (message: Message) =>
  actionsOf(message).map((action) => eventOf(pagerdutyTo('http://p'), 'ROUTING-KEY', message, told(message), action));

const many = Array.from({ length: 20 }, (_, i) =>
  toldAlert({ startsAt: after(-40 - i), labels: { alertname: `Alert${i}`, severity: 'critical', host: `db-${i}` } }),
);
const missed = { state: 'resolved', resolvedAt: after(600) } as const;
const CASES: readonly [title: string, message: Message, mayRepeat: boolean][] = [
  ['a page', incidentMessage(), false],
  [
    'a storm, perhaps told twice',
    incidentMessage({ alerts: { firing: 312, resolved: 4, list: many }, step: 2, round: 2 }),
    true,
  ],
  [
    'a drill that was acknowledged',
    incidentMessage({
      action: 'acknowledge',
      next: undefined,
      incident: { drill: true, state: 'acknowledged', acknowledgedBy: 'ada' },
    }),
    false,
  ],
  ['what was missed', incidentMessage({ action: 'missed', incident: missed, next: undefined }), false],
  ['a group', groupMessage(), false],
];

test('messages are those of the golden file', () => {
  const found = CASES.map(([title, message, mayRepeat]) => {
    const email = emailOf(message, { thread: ['first', 'second'] });
    const parts = {
      slack: JSON.stringify(slackOf(message, mayRepeat), undefined, 1),
      email: [
        `Subject: ${email.subject}`,
        `References: ${email.references.join(' ')}`,
        '',
        email.text,
        email.html,
      ].join('\n'),
      pagerduty: JSON.stringify(eventsOf(message), undefined, 1),
      webhook: JSON.stringify(JSON.parse(webhookBody(message, told(message), mayRepeat, 2)), undefined, 1),
    };
    return Object.entries(parts).map(([channel, text]) => `=== ${title}: ${channel}\n${text}\n`);
  });
  const text = found.flat().join('\n');
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, text);
  assert.equal(text, readFileSync(GOLDEN, 'utf8'), 'UPDATE_GOLDEN=1 writes it anew');
});

const wild = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 1_000, size: 'max' }),
  fc.string({
    unit: fc.constantFrom('&', '<', '>', '"', '\\', '\n', '🔥', '\ud800', '*', '`', '|'),
    maxLength: 1_000,
    size: 'max',
  }),
);
const labels = fc.dictionary(wild, wild, { maxKeys: 12 });
const alert = fc
  .record({
    labels,
    annotations: fc.record(
      { summary: wild, description: wild, burn_rate: wild, budget_left: wild },
      { requiredKeys: [] },
    ),
  })
  .map((more) => toldAlert(more));
const link = fc.oneof(
  wild,
  fc.string({ unit: fc.constantFrom('a', '&', '|', '%'), maxLength: 2_000 }).map((path) => `https://a.example/${path}`),
);
const anything = fc
  .record({
    title: wild,
    service: wild,
    paged: fc.array(wild, { maxLength: 20 }),
    list: fc.array(alert, { maxLength: 8 }),
    runbook: link,
    dashboard: link,
    acknowledge: link,
  })
  .map(({ title, service, paged, list, ...links }) =>
    incidentMessage({
      paged,
      links: { ...LINKS, ...links },
      incident: { title, service },
      alerts: { firing: list.length + 3, resolved: 0, list },
    }),
  );

test('Slack takes whatever alerts hold, within its limits', () => {
  fc.assert(
    fc.property(anything, fc.boolean(), (message, mayRepeat) => {
      const body = slackOf(message, mayRepeat);
      const checked = checkMessage(JSON.parse(JSON.stringify(body)));
      assert.equal(checked.kind, 'accepted', JSON.stringify(checked));
      assert(JSON.stringify(body.blocks).length <= BLOCKS_MOST);
      assert(body.text.length > 0 && body.text.length <= 3_000);
    }),
  );
});

const crowded: readonly [
  title: string,
  names: number,
  labels: number,
  link: number,
  named: number,
  withLabels: boolean,
][] = [
  ['short names', 1, 1, 10, 5, true],
  ['labels that fill it', 1, 60, 10, 5, false],
  ['summaries that fill it', 250, 60, 10, 3, false],
  ['links that fill it', 250, 60, 400, 0, false],
];
for (const [title, names, size, link, named, withLabels] of crowded) {
  test(`Slack is told less of ${title}, and how many more there are`, () => {
    const and = (length: number) => '&'.repeat(length);
    const labels = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`label${i}`, and(size)]));
    const list = Array.from({ length: 5 }, () =>
      toldAlert({
        labels: { ...labels, alertname: and(names) },
        annotations: { summary: and(names), burn_rate: and(names), budget_left: and(names) },
      }),
    );
    const url = `https://a.example/${and(link / 5)}`;
    const message = incidentMessage({
      paged: [and(names)],
      incident: { service: and(names), objective: and(names) },
      alerts: { firing: 7, resolved: 0, list },
      links: { external: '', acknowledge: url, silence: url, runbook: url, dashboard: url, incident: url },
    });
    const text = JSON.stringify(slackOf(message).blocks);
    assert(text.length <= BLOCKS_MOST, `${text.length}`);
    assert.equal(checkMessage(slackOf(message)).kind, 'accepted');
    assert.equal(text.match(/\* firing, since/g)?.length ?? 0, named);
    assert.equal(text.includes('label0='), withLabels);
    assert.match(text, new RegExp(`and ${7 - named} more alerts`));
    assert.match(text, /\|Acknowledge>.*\|Incident>/);
  });
}

const longLink = (escaped: number) => `https://a.example/${'&'.repeat(escaped / 5)}`;
const links: readonly [title: string, runbook: string, crowd: string, want: readonly string[]][] = [
  [
    'a usual one beside the others',
    longLink(300),
    '',
    ['Acknowledge', 'Silence', 'Runbook', 'Dashboard', 'Source', 'Incident'],
  ],
  [
    'a long one on its own',
    longLink(2_500),
    '',
    ['Acknowledge', 'Silence', 'Dashboard', 'Source', 'Incident', 'Runbook'],
  ],
  ['none that is cut', longLink(3_500), '', ['Acknowledge', 'Silence', 'Dashboard', 'Source', 'Incident']],
  [
    'no long one where there is no room',
    longLink(2_900),
    '&'.repeat(250),
    ['Acknowledge', 'Silence', 'Source', 'Incident'],
  ],
];
for (const [title, runbook, crowd, want] of links) {
  test(`of links Slack is given ${title}`, () => {
    const dashboard = crowd === '' ? LINKS.dashboard : runbook;
    const list = [toldAlert({ annotations: { burn_rate: crowd, budget_left: crowd } })];
    const incident = { service: crowd, objective: crowd, ...(crowd === '' ? {} : { acknowledgedBy: crowd }) };
    const message = incidentMessage({
      paged: [crowd],
      next: { who: [crowd], at: NOON },
      alerts: { firing: 1, resolved: 0, list },
      links: { ...LINKS, runbook, dashboard },
      incident,
    });
    const text = JSON.stringify(slackOf(message).blocks);
    assert(text.length <= BLOCKS_MOST);
    assert.deepEqual(
      [...text.matchAll(/<https?:[^|>]*\|(\w+)>/g)].map(([, label]) => label),
      want,
    );
    assert(!text.includes('"…"'));
  });
}

test('of a stranger’s text nothing is a link, a mention or a tag', () => {
  const text = '<!channel> <https://evil.example|Acknowledge> <script>&amp;';
  const message = incidentMessage({
    incident: { title: text, service: text },
    paged: [text],
    links: { external: '' },
    alerts: {
      firing: 1,
      resolved: 0,
      list: [
        toldAlert({
          generatorUrl: text,
          labels: { alertname: text, [text]: text },
          annotations: { summary: text, description: `${text} ${text}`, burn_rate: text },
        }),
      ],
    },
  });
  const { text: plain, blocks } = slackOf(message);
  const mrkdwn = JSON.stringify(blocks.filter(({ type }) => type !== 'header'));
  assert(!/<[!@#h]/.test(plain) && !/<[!@#h]/.test(mrkdwn), mrkdwn);
  const { html } = emailOf(message);
  assert(!html.includes('<script') && !html.includes('<https') && !html.includes('<!channel'), html);
});

test('PagerDuty takes whatever alerts hold', () => {
  fc.assert(
    fc.property(anything, (message) => {
      for (const event of eventsOf(message)) assert.equal(readEvent(JSON.parse(JSON.stringify(event))).kind, 'event');
    }),
  );
});

test('PagerDuty gets no more than it takes: rather no alert than no event', () => {
  const labels = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}`.repeat(300), '"'.repeat(5_000)]));
  const list = Array.from({ length: 20 }, () => toldAlert({ labels, annotations: labels }));
  const [event] = eventsOf(incidentMessage({ alerts: { firing: 20, resolved: 0, list } }));
  assert(event);
  const body = bodyOf(event);
  assert(Buffer.byteLength(JSON.stringify(event)) > EVENT_MOST && Buffer.byteLength(body) <= EVENT_MOST);
  assert.equal(JSON.parse(body).payload.custom_details.num_firing, 20);
});

test('PagerDuty keeps an incident under its id, and a group under one key of fixed length', () => {
  const key = (message: Message) => eventsOf(message)[0]?.dedup_key;
  assert.equal(key(incidentMessage()), incidentMessage().incident.id);
  assert.match(key(groupMessage()) ?? '', /^[0-9a-f]{64}$/);
  assert.equal(key(groupMessage({ status: 'resolved' })), key(groupMessage()));
  assert.notEqual(key(groupMessage({ groupKey: 'x'.repeat(10_000) })), key(groupMessage()));
});

test('PagerDuty hears of the severity in its own words, the file’s first', () => {
  const severity = (message: Message, more = {}) =>
    eventOf(pagerdutyTo('http://p', more), 'k', message, told(message), 'trigger').payload.severity;
  const labelled = (word: string) =>
    groupMessage({ alerts: { firing: 1, resolved: 0, list: [toldAlert({ labels: { severity: word } })] } });
  assert.equal(severity(incidentMessage()), 'critical');
  assert.equal(severity(incidentMessage({ incident: { severity: 'info' } })), 'info');
  assert.equal(severity(labelled('error')), 'error');
  assert.equal(severity(labelled('page')), 'critical');
  assert.equal(severity(labelled('warning')), 'warning');
  assert.equal(severity(incidentMessage(), { severity: 'error' }), 'error');
});

test('a webhook’s body has Alertmanager’s fields, and says what it leaves out', () => {
  const list = many.slice(0, 3);
  const message = groupMessage({
    alerts: {
      firing: 30,
      resolved: 1,
      list: [...list.slice(0, 2), toldAlert({ status: 'resolved', endsAt: after(-1) })],
    },
  });
  const body = JSON.parse(webhookBody(message, told(message), false, 0));
  const names = [
    'receiver',
    'status',
    'alerts',
    'groupLabels',
    'commonLabels',
    'commonAnnotations',
    'externalURL',
    'version',
    'groupKey',
    'truncatedAlerts',
  ];
  for (const name of names) assert(name in body, name);
  assert.deepEqual([body.version, body.truncatedAlerts, body.alerts.length], ['4', 28, 3]);
  assert.deepEqual(Object.keys(body.alerts[0]), [
    'status',
    'labels',
    'annotations',
    'startsAt',
    'endsAt',
    'generatorURL',
    'fingerprint',
  ]);
  assert.deepEqual(
    [body.alerts[0].endsAt, body.alerts[2].endsAt],
    ['0001-01-01T00:00:00Z', '2025-11-24T15:59:59.000Z'],
  );
  assert.equal(JSON.parse(webhookBody(message, told(message), false, 1)).truncatedAlerts, 30);
});

test('a mail’s thread is shortened in its middle', () => {
  const thread = Array.from({ length: 100 }, (_, i) => `row${i}`);
  const { references, inReplyTo, messageId } = emailOf(incidentMessage(), { thread });
  assert.deepEqual(
    [references.length, references[0], references.at(-1), inReplyTo],
    [20, '<row0@burnline>', '<row99@burnline>', '<row99@burnline>'],
  );
  assert.equal(messageId, '<0192d5f0-0000-7000-8000-00000000000a@burnline>');
});

test('a subject is one line', () => {
  const { subject } = emailOf(
    incidentMessage({ incident: { title: 'x\r\nBcc: evil@example.test\r\n\r\nbody', service: '' } }),
  );
  assert.equal(subject, 'CRITICAL · x Bcc: evil@example.test body');
  const long = emailOf(incidentMessage({ incident: { title: 'x'.repeat(500), service: 'y'.repeat(500) } }));
  assert.equal(long.subject.length, 200);
});
