import assert from 'node:assert/strict';
import test from 'node:test';
import { readOncall } from './read.ts';

const read = (text: string) =>
  readOncall(text, {
    file: 'oncall.yaml',
    receivers: new Map([['backup', { name: 'backup', integrations: [] }]]),
    contact: undefined,
    readFile: (path) => (path === 'url' ? 'https://hc.example.org/secret\n' : undefined),
  });

function oncallOf(text: string) {
  const result = read(text);
  assert(result.kind === 'oncall', JSON.stringify(result));
  return result.oncall;
}
function faults(text: string): string[] {
  const result = read(text);
  return result.kind === 'oncall' ? [] : result.faults.map(({ field, message }) => `${field} ${message}`);
}

test('a heartbeat has a period, and is missed after a second one unless it says otherwise', () => {
  const { heartbeats } = oncallOf(`heartbeats:
- {name: backup.nightly, every: 1d, grace: 1h, severity: warning, labels: {service: docs}}
- {name: prometheus, every: 1m, from_first_beat: true, alert: {matchers: ['alertname="Watchdog"']}}
`);
  const [nightly, prometheus] = [...heartbeats.values()];
  assert.deepEqual(nightly, {
    name: 'backup.nightly',
    every: 86_400_000,
    grace: 3_600_000,
    fromFirstBeat: false,
    severity: 'warning',
    labels: { service: 'docs' },
    alert: undefined,
  });
  assert.deepEqual([prometheus?.grace, prometheus?.severity], [60_000, 'critical']);
  assert.equal(prometheus?.fromFirstBeat, true);
  assert.deepEqual(
    prometheus?.alert?.map(({ name, op, value }) => `${name}${op}${value}`),
    ['alertname=Watchdog'],
  );
});

test('the watchdog names a receiver, an address that stays secret, or both', () => {
  const { watchdog } = oncallOf('watchdog: {receiver: backup, heartbeat_url_file: url, every: 30s}\n');
  assert.deepEqual([watchdog?.receiver, watchdog?.every], ['backup', 30_000]);
  assert.equal(watchdog?.heartbeatUrl?.reveal(), 'https://hc.example.org/secret');
  assert.doesNotMatch(JSON.stringify(watchdog), /example/);
  assert.equal(oncallOf('watchdog: {receiver: backup}\n').watchdog?.every, 60_000);
  assert.equal(oncallOf('people: []\n').watchdog, undefined);
});

const wrong: readonly [title: string, text: string, expected: string][] = [
  ['no period', 'heartbeats: [{name: a}]', 'heartbeats[0].every is missing: expected how often it comes, such as 1m'],
  ['no name', 'heartbeats: [{every: 1m}]', 'heartbeats[0].name is missing: expected the name of the heartbeat'],
  [
    'a name that is no part of an address',
    'heartbeats: [{name: a/b, every: 1m}]',
    'heartbeats[0].name is "a/b": expected letters, digits, _ . and -, which stand in its address',
  ],
  ['a period of nothing', 'heartbeats: [{name: a, every: 0s}]', 'heartbeats[0].every is 0 ms: the least is 1s'],
  [
    'a severity that there is not',
    'heartbeats: [{name: a, every: 1m, severity: bad}]',
    'heartbeats[0].severity is "bad": expected one of critical, warning, info',
  ],
  [
    'a label that is ours',
    'heartbeats: [{name: a, every: 1m, labels: {alertname: X}}]',
    'heartbeats[0].labels.alertname is set by the router: leave it out',
  ],
  [
    'matchers that hold every alert',
    `heartbeats: [{name: a, every: 1m, alert: {matchers: ['x=~".*"']}}]`,
    'heartbeats[0].alert.matchers holds alerts without any of these labels: none of them would be told',
  ],
  ['what is unknown', 'heartbeats: [{name: a, every: 1m, graze: 1m}]', 'heartbeats[0].graze is unknown'],
  ['a watchdog for nobody', 'watchdog: {every: 1m}', 'watchdog tells nobody: expected receiver, heartbeat_url or both'],
  [
    'a receiver that there is not',
    'watchdog: {receiver: other}',
    'watchdog.receiver is "other", which no receiver of alertmanager.yml is called: there is "backup"',
  ],
  [
    'an address that is none',
    'watchdog: {heartbeat_url: example.org}',
    'watchdog.heartbeat_url is no address: expected https://…',
  ],
];
for (const [title, text, expected] of wrong) {
  test(`the file is refused for ${title}`, () => assert.deepEqual(faults(`${text}\n`), [expected]));
}
