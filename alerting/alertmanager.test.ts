/**
 * Ours against a real Alertmanager: fingerprints, groups, who is inhibited, who is silenced.
 *
 * Needs the program: TEST_TOOL_ALERTMANAGER names it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { freePort } from '#test/tools/postgres.ts';
import { readAlertmanagerConfig } from './config/read.ts';
import { sourcesOf, targetsOf } from './inhibit.ts';
import { fingerprint, type Labels } from './labels.ts';
import { parseMatchers, toApi } from './matcher.ts';
import { groupOf, routesOf } from './route.ts';
import { silences } from './silence.ts';

const ALERTMANAGER = process.env['TEST_TOOL_ALERTMANAGER'];
const skip = ALERTMANAGER === undefined && 'TEST_TOOL_ALERTMANAGER names no alertmanager (npm run tools brings it)';

const CONFIG = `
route:
  receiver: all
  group_by: [alertname, cluster]
  routes:
    - { matchers: [severity=critical], receiver: page, continue: true, group_by: ['...'] }
    - { matchers: ['größe=~"x|y"'], receiver: size, group_by: [] }
receivers: [{ name: all }, { name: page }, { name: size }]
inhibit_rules:
  - { source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [cluster] }
  - { source_matchers: [role=source], target_matchers: [team=~"a|b"] }
`;
const SILENCE = 'service=~"db.*",cluster!=z';

const ALERTS: readonly Labels[] = [
  { alertname: 'Down', severity: 'critical', cluster: 'x' },
  { alertname: 'Slow', severity: 'warning', cluster: 'x' },
  { alertname: 'Slow', severity: 'warning', cluster: 'y' },
  { alertname: 'Slow', severity: 'warning' },
  { alertname: 'Größe', größe: 'x', note: 'tab\there "quoted" \\ \u00a0' },
  { alertname: 'Größe', größe: 'y', severity: 'critical' },
  { alertname: 'Both', role: 'source', team: 'a' },
  { alertname: 'Target', team: 'b' },
  { alertname: 'Db', service: 'db-1' },
  { alertname: 'Db', service: 'db-1', cluster: 'z' },
];

const STATUS = z.object({ inhibitedBy: z.array(z.string()), silencedBy: z.array(z.string()) });
const ALERT = z.object({ fingerprint: z.string(), status: STATUS });
const GROUPS = z.array(
  z.object({
    labels: z.record(z.string(), z.string()),
    receiver: z.object({ name: z.string() }),
    alerts: z.array(ALERT),
  }),
);

test('a real Alertmanager groups, inhibits and silences the same alerts', { skip, timeout: 60_000 }, async () => {
  await using server = await start();
  const read = readAlertmanagerConfig(CONFIG, { file: 'x', mode: 'default', readFile: () => undefined });
  const parsed = parseMatchers(SILENCE, 'default');
  assert(read.kind === 'config' && parsed.kind === 'matchers');
  const { root, inhibitRules } = read.config;

  const [startsAt, endsAt] = [new Date(), new Date(Date.now() + 3_600_000)];
  await server.post('silences', {
    matchers: parsed.matchers.map(toApi),
    startsAt,
    endsAt,
    createdBy: 'ada',
    comment: '',
  });
  await server.post(
    'alerts',
    ALERTS.map((labels) => ({ labels })),
  );

  const keys = new Set(ALERTS.flatMap((labels) => sourcesOf(inhibitRules, labels)));
  const ours = ALERTS.flatMap((labels) =>
    routesOf(root, labels).map((route) => ({
      receiver: route.receiver,
      group: groupOf(route, labels).labels,
      alert: fingerprint(labels),
      inhibited: targetsOf(inhibitRules, labels).some((key) => keys.has(key)),
      silenced: silences(parsed, labels),
    })),
  );
  const theirs = async () =>
    GROUPS.parse(await server.get('alerts/groups')).flatMap(({ labels, receiver, alerts }) =>
      alerts.map(({ fingerprint: alert, status }) => ({
        receiver: receiver.name,
        group: labels,
        alert,
        inhibited: status.inhibitedBy.length > 0,
        silenced: status.silencedBy.length > 0,
      })),
    );
  const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row, keysInOrder(row))).sort();
  // It works on what it was given in the background.
  for (let tries = 0; tries < 100; tries++) {
    if (sorted(await theirs()).join() === sorted(ours).join()) break;
    await sleep(100);
  }
  assert.deepEqual(sorted(await theirs()), sorted(ours));
  assert.deepEqual([ours.filter((one) => one.inhibited).length, ours.filter((one) => one.silenced).length], [3, 1]);
});

const keysInOrder = (row: object): string[] =>
  [...new Set(JSON.stringify(row).match(/"([^"\\]*)":/g))].map((key) => key.slice(1, -2)).sort();

async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'burnline-alertmanager-'));
  writeFileSync(join(folder, 'alertmanager.yml'), CONFIG);
  const port = await freePort();
  const options = [
    `--config.file=${folder}/alertmanager.yml`,
    `--storage.path=${folder}/data`,
    '--cluster.listen-address=',
  ];
  const child = spawn(ALERTMANAGER ?? '', [...options, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 200; tries++) {
    const up = await fetch(`${base}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) break;
    await sleep(100);
  }
  const call = async (path: string, init?: RequestInit): Promise<unknown> => {
    const response = await fetch(`${base}/api/v2/${path}`, init);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    get: (path: string) => call(path),
    post: (path: string, body: unknown) =>
      call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
