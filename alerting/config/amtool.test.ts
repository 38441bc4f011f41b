/**
 * Ours against Alertmanager's own amtool: what it takes for a configuration, and where it sends alerts.
 *
 * Needs the program: TEST_TOOL_AMTOOL names it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import fc from 'fast-check';
import { type Labels, sortedNames } from '#alerting/labels.ts';
import { routesOf } from '#alerting/route.ts';
import { labelSets, routingFiles } from '#test/kit/alertmanager-files.ts';
import type { AlertmanagerConfig } from './config.ts';
import { readAlertmanagerConfig } from './read.ts';

const AMTOOL = process.env['TEST_TOOL_AMTOOL'];
const skip = AMTOOL === undefined && 'TEST_TOOL_AMTOOL names no amtool (npm run tools brings it)';
const folder = mkdtempSync(join(tmpdir(), 'burnline-amtool-'));
after(() => rmSync(folder, { recursive: true }));

function amtool(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(AMTOOL ?? '', args, { encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout;
}

function file(text: string): string {
  const path = join(folder, 'alertmanager.yml');
  writeFileSync(path, text);
  return path;
}

function config(text: string): AlertmanagerConfig {
  const read = readAlertmanagerConfig(text, {
    file: 'alertmanager.yml',
    mode: 'default',
    readFile: (path) => (path.endsWith('url') ? 'https://hooks.example.org/SECRET' : 'SECRET'),
  });
  assert.deepEqual(read.kind === 'faults' ? read.faults : [], []);
  assert(read.kind === 'config');
  return read.config;
}

const SMALL = `
route: { receiver: nobody }
receivers:
  - name: nobody
`;

const EVERYTHING = `
global:
  resolve_timeout: 5m
  slack_api_url: https://hooks.slack.com/services/SECRET
  smtp_smarthost: mail.example.org:587
  smtp_from: alerts@example.org
  smtp_auth_username: alerts
  smtp_auth_password: SECRET
  opsgenie_api_key: SECRET
  pagerduty_url: https://events.eu.pagerduty.com/v2/enqueue
route:
  receiver: team
  group_by: [alertname, 'größe']
  routes:
    - { receiver: pager, match: { severity: critical }, match_re: { team: 'a|b' }, continue: yes }
    - { receiver: hook, matchers: ['service="db"', zone=~"eu-\\\\d+", '"a b"!=x'], active_time_intervals: [office] }
    - { matchers: [foo=, bar=~a|b], group_by: ['...'], mute_time_intervals: [nights], routes: [{ receiver: hook }] }
receivers:
  - name: team
    slack_configs: [{ channel: 007 }, { api_url: https://hooks.slack.com/services/SECRET, timeout: 10s }]
    email_configs: [{ to: ops@example.org, headers: { X-Team: ops }, auth_password_file: password, require_tls: off }]
  - name: pager
    pagerduty_configs: [{ routing_key: SECRET, severity: error }, { routing_key_file: key, details: { a: 1 } }]
  - name: hook
    webhook_configs:
      - { url: https://example.org/SECRET, max_alerts: 3, http_config: { basic_auth: { username: a, password: SECRET } } }
      - { url_file: url, http_config: { authorization: { type: Token, credentials_file: token }, follow_redirects: false } }
      - { url: http://example.org, http_config: { bearer_token: SECRET } }
inhibit_rules:
  - { source_match: { a: b }, target_match_re: { c: d.* }, equal: [e] }
  - { name: x, source_matchers: [a=b], target_matchers: ['{c=d,e!="f"}'] }
mute_time_intervals:
  - { name: nights, time_intervals: [{ times: [{ start_time: 00:00, end_time: 06:00 }], location: Europe/Berlin }] }
time_intervals:
  - name: office
    time_intervals: [{ weekdays: ['monday:friday'], months: [1, 'may:june'], days_of_month: [-1, '1:5'], years: [2026] }]
`;

for (const [name, text] of Object.entries({ SMALL, EVERYTHING })) {
  test(`amtool takes ${name} and what is shown of it for a configuration`, { skip }, () => {
    const { original } = config(text);
    assert.doesNotMatch(original, /SECRET/);
    for (const one of [text, original]) assert.match(amtool(['check-config', file(one)]), /SUCCESS/);
  });
}

/** In quotes, which only the grammar for UTF-8 reads: the classic one has other escapes. */
const labelArguments = (labels: Labels): string[] =>
  sortedNames(labels).map((name) => `${JSON.stringify(name)}=${JSON.stringify(labels[name])}`);

/** Its last line: warnings stand before it. */
const theirs = (text: string, labels: Labels): string =>
  amtool(['config', 'routes', 'test', `--config.file=${file(text)}`, ...labelArguments(labels)])
    .trim()
    .split('\n')
    .at(-1) ?? '';

const ours = ({ root }: AlertmanagerConfig, labels: Labels): string =>
  routesOf(root, labels)
    .map(({ receiver }) => receiver)
    .join();

const WALKS: readonly [labels: Labels, receivers: string][] = [
  [{}, 'team'],
  [{ severity: 'critical' }, 'team'],
  [{ severity: 'critical', team: 'a' }, 'pager'],
  [{ severity: 'critical', team: 'a', bar: 'b' }, 'pager,hook'],
  [{ severity: 'critical', team: 'ab', bar: 'c' }, 'team'],
  [{ service: 'db', zone: 'eu-12' }, 'hook'],
  [{ service: 'db', zone: 'eu-12', 'a b': 'x', foo: 'y' }, 'team'],
  [{ foo: '', bar: 'b' }, 'hook'],
];
for (const [labels, receivers] of WALKS) {
  test(`amtool and routesOf() send ${JSON.stringify(labels)} to ${receivers}`, { skip }, () => {
    assert.deepEqual([ours(config(EVERYTHING), labels), theirs(EVERYTHING, labels)], [receivers, receivers]);
  });
}

test('amtool and routesOf() send the alerts of drawn files to the same receivers', { skip }, () => {
  let forked = 0;
  fc.assert(
    fc.property(routingFiles, labelSets, (text, labels) => {
      const { root, original } = config(text);
      if (routesOf(root, labels).length > 1) forked++;
      assert.equal(ours(config(text), labels), theirs(original, labels));
    }),
    { numRuns: 60, seed: 20 },
  );
  assert(forked > 0, 'no alert took two routes');
});
