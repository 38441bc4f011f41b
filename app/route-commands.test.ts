/** `burnline route test`, as a CI runs it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { burnline } from '#test/kit/cli.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';

const ROUTING = `route:
  receiver: team
  routes:
  - {receiver: pager, matchers: ['severity="critical"'], continue: true}
  - {receiver: archive, matchers: ['severity="critical"'], mute_time_intervals: [weekend]}
  - {receiver: quiet, matchers: ['team="ops"'], mute_time_intervals: [weekend]}
receivers:
- name: team
  webhook_configs: [{url: 'http://127.0.0.1:1/'}]
- name: pager
- name: archive
  webhook_configs: [{url: 'http://127.0.0.1:1/'}]
- name: quiet
  webhook_configs: [{url: 'http://127.0.0.1:1/'}]
time_intervals:
- {name: weekend, time_intervals: [{weekdays: ['saturday', 'sunday']}]}
inhibit_rules:
- {source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [service]}
`;
const ONCALL = `people:
- name: ada
  contacts: [{webhook_config: {url: 'http://127.0.0.1:1/'}}]
- name: bob
  display_name: Bob
  contacts: [{webhook_config: {url: 'http://127.0.0.1:1/'}}]
schedules:
- name: primary
  time_zone: UTC
  layers: [{name: weekly, people: [ada, bob], rotation: {unit: week}, start: 2026-01-05T09:00}]
policies:
- name: pager
  steps:
  - targets: [{schedule: primary}, {receiver: team}]
  - {delay: 5m, targets: [{person: ada}]}
heartbeats: [{name: prometheus, every: 1m, alert: {matchers: ['alertname="Watchdog"']}}]
`;
const RIGHT = `
- name: a page in the first week wakes Ada, on a weekday also the archive
  labels: {alertname: Down, severity: critical, service: docs}
  at: 2026-01-06T12:00:00Z
  expect: {receivers: [archive, pager], woken: [team, ada, archive], suppressed_by: none}
- name: and in the second week, on a Saturday, Bob
  labels: {alertname: Down, severity: critical, service: docs}
  at: 2026-01-17T12:00:00Z
  expect: {receivers: [pager, archive], woken: [bob, team], suppressed_by: none}
- name: a warning beside what is down is not told
  labels: {alertname: Slow, severity: warning, service: docs}
  with: [{labels: {alertname: Down, severity: critical, service: docs}}]
  expect: {receivers: [team], woken: [], suppressed_by: inhibition}
- name: beside what is down elsewhere it is
  labels: {alertname: Slow, severity: warning, service: docs}
  with: [{labels: {alertname: Down, severity: critical, service: other}}]
  expect: {woken: [team], suppressed_by: none}
- name: a silence
  labels: {alertname: Slow, severity: warning, code: 500}
  silences: ['alertname="Other"', 'alertname="Slow",code=~"5.."']
  expect: {woken: [], suppressed_by: silence}
- name: a weekend
  labels: {team: ops}
  at: 2026-01-17T12:00:00Z
  expect: {receivers: [quiet], woken: [], suppressed_by: interval}
- name: a heartbeat
  labels: {alertname: Watchdog}
  expect: {receivers: [], woken: [], suppressed_by: heartbeat}
`;

const folder = temporaryFolder();
after(() => removeFolder(folder));
const path = (name: string) => join(folder, name);
writeFileSync(path('alertmanager.yml'), ROUTING);
writeFileSync(path('oncall.yaml'), ONCALL);
const run = async (cases: string, ...more: string[]) => {
  writeFileSync(path('cases.yaml'), cases);
  const files = [`--config.file=${path('alertmanager.yml')}`, `--oncall.file=${path('oncall.yaml')}`];
  return await burnline(['route', 'test', path('cases.yaml'), ...files, ...more]);
};

test('route test passes when all is as expected', async () => {
  const { code, stdout, stderr } = await run(RIGHT);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^ok {5}a page in the first week [\s\S]*\nok {5}a heartbeat\n7 case\(s\), 0 fault\(s\)\n$/);
});

test('route test says of each fault what was expected and what was found', async () => {
  const cases = RIGHT.replaceAll('woken: [bob, team]', 'woken: [ada]')
    .replace('suppressed_by: inhibition', 'suppressed_by: silence')
    .replace('receivers: [quiet]', 'receivers: [team]');
  const { code, stdout } = await run(cases);
  assert.equal(code, 1);
  const faults = stdout
    .split('\n')
    .filter((line) => !line.startsWith('ok '))
    .map((line) => line.replace(path('cases.yaml'), 'cases.yaml'));
  assert.deepEqual(faults, [
    'fault  and in the second week, on a Saturday, Bob  cases.yaml:6:3',
    '         woken: expected ada, found bob, team',
    'fault  a warning beside what is down is not told  cases.yaml:10:3',
    '         suppressed by: expected silence, found inhibition',
    'fault  a weekend  cases.yaml:22:3',
    '         receivers: expected team, found quiet',
    '7 case(s), 3 fault(s)',
    '',
  ]);
  const json = JSON.parse((await run(cases, '--json')).stdout) as { ok: boolean; cases: { faults: object[] }[] };
  assert.equal(json.ok, false);
  assert.deepEqual(json.cases[1]?.faults, [{ what: 'woken', expected: ['ada'], found: ['bob', 'team'] }]);
});

test('route test refuses cases that say something else, with their place', async () => {
  const { code, stderr } = await run(`
- {name: a, labels: {x: y}, expect: {}}
- {name: b, labels: {x: y}, at: yesterday, expect: {woken: []}}
- {name: c, labels: {x: y}, expect: {woken: ada}}
- {name: d, labels: {x: y}, expects: {woken: []}}
`);
  assert.equal(code, 1);
  const lines = stderr.trim().split('\n');
  assert(lines.length >= 4, stderr);
  assert.match(stderr, /cases\.yaml:2:\d+ 0\.expect: expects nothing/);
  assert.match(stderr, /cases\.yaml:3:\d+ 1\.at: expected a moment/);
  assert.match(stderr, /cases\.yaml:4:\d+ 2\.expect\.woken: /);
  assert.match(
    (await run(`- {name: a, labels: {}, silences: ['{}'], expect: {woken: []}}\n`)).stderr,
    /holds every alert/,
  );
  assert.equal((await burnline(['route', 'test', path('nothing.yaml')])).code, 2);
  assert.equal((await burnline(['route', 'test'])).code, 2);
});
