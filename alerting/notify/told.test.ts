import assert from 'node:assert/strict';
import test from 'node:test';
import type { Message } from '#alerting/message.ts';
import { after, circumstances, groupMessage, incidentMessage, LINKS, NOON, toldAlert } from '#test/kit/notices.ts';
import { ALERTS_MOST, DRILL_NOTICE, MISSED_NOTICE, tell } from './told.ts';

const told = (message: Message, more = {}, now = NOON) => tell(message, circumstances(more), now);
const facts = (message: Message, now = NOON) =>
  Object.fromEntries(told(message, {}, now).facts.map(({ name, value }) => [name, value]));

const PROCESSED = 'Documents processed (burnline-documents)';
const resolved = { state: 'resolved', resolvedAt: after(600) } as const;
const headlines: readonly [title: string, message: Message, want: string][] = [
  ['a page', incidentMessage(), `CRITICAL · ${PROCESSED}`],
  ['a warning', incidentMessage({ incident: { severity: 'warning' } }), `WARNING · ${PROCESSED}`],
  ['a drill', incidentMessage({ incident: { drill: true } }), `DRILL · CRITICAL · ${PROCESSED}`],
  ['more of it', incidentMessage({ action: 'update' }), `CRITICAL · update · ${PROCESSED}`],
  ['an acknowledgement', incidentMessage({ action: 'acknowledge' }), `CRITICAL · acknowledged · ${PROCESSED}`],
  ['an end', incidentMessage({ action: 'resolve', incident: resolved }), `RESOLVED · critical · ${PROCESSED}`],
  [
    'what was missed',
    incidentMessage({ action: 'missed', incident: resolved }),
    `RESOLVED · critical · ${PROCESSED} · fired and resolved while unreachable`,
  ],
  [
    'a service named already',
    incidentMessage({ incident: { title: 'burnline-documents is gone' } }),
    'CRITICAL · burnline-documents is gone',
  ],
  ['no service', incidentMessage({ incident: { service: '' } }), 'CRITICAL · Documents processed'],
  ['no title', incidentMessage({ incident: { title: ' \n', service: '' } }), 'CRITICAL · Alert'],
  ['a title of two lines', incidentMessage({ incident: { title: 'a\r\nb', service: '' } }), 'CRITICAL · a b'],
  ['a group', groupMessage(), 'WARNING · DiskFull (storage)'],
  [
    'a group with a summary',
    groupMessage({ commonAnnotations: { summary: 'Disk of db-1 is full' } }),
    'WARNING · Disk of db-1 is full (storage)',
  ],
  ['a group that ended', groupMessage({ status: 'resolved' }), 'RESOLVED · warning · DiskFull (storage)'],
  ['a group’s drill', groupMessage({ commonLabels: { alertname: 'X', drill: 'true' } }), 'DRILL · WARNING · DiskFull'],
  [
    'a group of which one is grave',
    groupMessage({ alerts: { firing: 2, resolved: 0, list: [...groupMessage().alerts.list, toldAlert()] } }),
    'CRITICAL · DiskFull (storage)',
  ],
];
for (const [title, message, want] of headlines) {
  test(`the headline of ${title} is readable at once`, () => assert.equal(told(message).headline, want));
}

test('a page says what is needed to decide', () => {
  assert.deepEqual(facts(incidentMessage()), {
    State: 'open',
    Severity: 'critical',
    Service: 'burnline-documents',
    'Burn rate': '31 times what the budget allows',
    'Error budget': "1.2 % spent in this rule's window, a whole one lasts 21.7 h at this pace",
    Since: '2025-11-24 15:59:20 UTC (40 s ago)',
    Paged: 'ada, #documents',
    Next: 'grace, 2025-11-24 16:05:00 UTC (in 5 min)',
    Incident: '#7, 1 firing, step 1',
    Objective: 'burnline-documents-documents-processed',
  });
});

test('the words of Prometheus’ rules say the same', () => {
  const annotations = { long_window: '12.3% bad over 1h', budget_left: '71.2%', exhausted_in: '2h 3m 4s' };
  const message = incidentMessage({ alerts: { firing: 1, resolved: 0, list: [toldAlert({ annotations })] } });
  const { 'Burn rate': rate, 'Error budget': budget } = facts(message);
  assert.deepEqual([rate, budget], ['12.3% bad over 1h', '71.2% left, exhausted in 2h 3m 4s']);
});

test('an end says when and after how long, and whom nobody needs any more', () => {
  const ended = facts(incidentMessage({ action: 'resolve', incident: resolved }), after(660));
  assert.deepEqual(
    [ended['Ended'], ended['Paged'], ended['Next']],
    ['2025-11-24 16:10:00 UTC, after 10.5 min', undefined, undefined],
  );
});

test('who acknowledged is said', () => {
  const message = incidentMessage({
    action: 'acknowledge',
    incident: { state: 'acknowledged', acknowledgedBy: 'ada' },
  });
  assert.equal(facts(message)['State'], 'acknowledged by ada');
});

const notices: readonly [title: string, message: Message, more: object, now: number, want: readonly string[]][] = [
  ['a page in time', incidentMessage(), {}, 60, []],
  [
    'a page a minute late',
    incidentMessage(),
    {},
    61,
    ['Late: decided 2025-11-24 16:00:00 UTC (61 s ago), not deliverable before.'],
  ],
  ['a drill', incidentMessage({ incident: { drill: true } }), {}, 0, [DRILL_NOTICE]],
  ['what was missed', incidentMessage({ action: 'missed', incident: resolved }), {}, 0, [MISSED_NOTICE]],
  ['a group that was missed', groupMessage({ status: 'resolved', missed: true }), {}, 0, [MISSED_NOTICE]],
];
for (const [title, message, more, now, want] of notices) {
  test(`what must not be overlooked of ${title}`, () =>
    assert.deepEqual(told(message, more, after(now)).notices, want));
}
test('missed is said in those words', () => assert.match(MISSED_NOTICE, /fired and resolved while unreachable/));

test('the gravest five are told, and how many more', () => {
  const list = Array.from({ length: 20 }, (_, i) => toldAlert({ labels: { alertname: `A${i}` } }));
  const { alerts, more } = told(incidentMessage({ alerts: { firing: 100, resolved: 3, list } }));
  assert.deepEqual([alerts.map(({ name }) => name), more], [['A0', 'A1', 'A2', 'A3', 'A4'], 103 - ALERTS_MOST]);
});

test('links lead to pages, and only to what can still be done', () => {
  const labels = (message: Message) => told(message).links.map(({ label }) => label);
  const rest = ['Runbook', 'Dashboard', 'Source', 'Incident'];
  assert.deepEqual(labels(incidentMessage()), ['Acknowledge', 'Silence', ...rest]);
  assert.deepEqual(labels(incidentMessage({ incident: { state: 'acknowledged' } })), ['Silence', ...rest]);
  assert.deepEqual(labels(incidentMessage({ action: 'resolve' })), rest);
  assert.deepEqual(labels(groupMessage()), ['Source', 'Alerts']);
  assert.deepEqual(labels(incidentMessage({ links: { ...LINKS, runbook: 'javascript:alert(1)' } })), [
    'Acknowledge',
    'Silence',
    'Dashboard',
    'Source',
    'Incident',
  ]);
});
