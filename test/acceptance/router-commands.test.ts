/** What people do with a running router from a shell, as they do it: drill, incidents, silence; heartbeats by HTTP. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { getJson, postAlerts, until } from '#test/kit/alertmanager.ts';
import { burnline } from '#test/kit/cli.ts';
import { type Receiver, startReceiver } from '#test/kit/receiver.ts';
import { type Running, startRole, temporaryFolder, withFiles } from '#test/kit/stack.ts';

type Listed = { readonly number: number; readonly state: string; readonly title: string; readonly drill: boolean };
const CRITICAL = { alertname: 'Down', service: 'billing', sloth_service: 'billing', severity: 'critical' };

describe('a router and its commands', () => {
  let folder = '';
  let receiver: Receiver | undefined;
  let router: Running | undefined;
  const url = () => router?.urls['router'] ?? '';
  const run = async (...args: string[]) => await burnline(args, { BURNLINE_ROUTER_URL: url(), USER: 'ada' });
  const incidents = async () => (await getJson<{ items: Listed[] }>(`${url()}/api/v1/incidents`)).items;

  before(async () => {
    folder = temporaryFolder();
    receiver = await startReceiver();
    const [config, oncall] = [join(folder, 'alertmanager.yml'), join(folder, 'oncall.yaml')];
    writeFileSync(
      config,
      `route: {receiver: pager, group_by: [sloth_service], group_wait: 0s, group_interval: 1s}
receivers:
- name: pager
  webhook_configs: [{url: '${receiver.url}/pager'}]
`,
    );
    writeFileSync(
      oncall,
      `people: [{name: ada}, {name: bob}]
schedules:
- name: primary
  time_zone: UTC
  layers: [{name: all, people: [ada], rotation: {unit: week}, start: 2026-01-05T09:00}]
policies:
- name: pager
  steps:
  - targets: [{receiver: pager}]
heartbeats:
- {name: backup, every: 1d, severity: info}
- {name: late, every: 1s, grace: 0s, severity: info}
watchdog: {heartbeat_url: '${receiver.url}/outside', every: 1s}
`,
    );
    router = await startRole('router', { BURNLINE_STATE: folder }, withFiles(config, oncall));
  });
  after(async () => {
    await router?.kill();
    await receiver?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a drill pages, is acknowledged by a command, and resolves', async () => {
    const drill = run('drill', '--service', 'documents', '--within', '40s');
    await until('the drill is an incident', async () => (await incidents()).find(({ drill: is }) => is));
    const acknowledged = await run('incidents', 'ack', '1');
    assert.match(acknowledged.stdout, /^ +STATE .*\n#1 +acknowledged +critical .* documents +DRILL Drill: a test page/);
    const { code, stdout } = await drill;
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^A drill for documents is sent; 40 s to acknowledge it\.\nIncident #1: Drill: a test page/);
    assert.match(stdout, /lead to http:\/\/127\.0\.0\.1:\d+, which nobody reaches from elsewhere: set ROUTER_EXTERNAL/);
    assert.match(stdout, /paged +step 1 of pager: pager\n/);
    assert.match(stdout, /sent +trigger to receiver\/pager\/webhook\[0\]\n/);
    assert.match(stdout, /acknowledged +by ada\n/);
    assert.match(
      stdout,
      /resolved +every alert of it has ended\n[\s\S]*Passed: acknowledged by ada; it is resolved\.\n$/,
    );
  });

  test('an override that somebody makes is what the commands say, after a reload too, until it is ended', async () => {
    const who = async () => (await run('oncall', 'who', '--schedule', 'primary')).stdout.split(' until ')[0]?.trim();
    const override = async (...args: string[]) => await run('oncall', 'override', ...args);
    assert.equal(await who(), 'primary  ada');
    assert.equal((await override()).stdout, 'Nobody takes over a shift.\n');
    const made = await override('add', 'primary', 'bob', '--for', '1h', '--because', 'train is late');
    const [, id = ''] = /^(\S+) {2}bob has primary from \S+ \S+Z to \S+ \S+Z\n$/.exec(made.stdout) ?? [];
    assert.notEqual(id, '', made.stderr);
    assert.equal(await who(), 'primary  bob');
    assert.equal((await fetch(`${url()}/-/reload`, { method: 'POST' })).status, 200);
    assert.equal(await who(), 'primary  bob');
    const row = new RegExp(`^ID .*\n${id} +primary +bob +\\S+ \\S+Z +\\S+ \\S+Z +ada +train is late\n$`);
    assert.match((await override('list', '--schedule', 'primary')).stdout, row);
    assert.equal((await override('end', id)).stdout, `${id} holds no more\n`);
    assert.equal(await who(), 'primary  ada');
  });

  test('an override that cannot be is refused in so many words', async () => {
    const add = async (...args: string[]) => await run('oncall', 'override', 'add', ...args);
    const endless = await add('primary', 'bob');
    assert.deepEqual([endless.code, /say how long: --for 2h, or --until/.test(endless.stderr)], [2, true]);
    assert.equal((await add('primary', 'bob', '--for', '2h', '--until', '2099-01-01T00:00:00Z')).code, 2);
    const stranger = await add('primary', 'eve', '--for', '2h');
    assert.equal(stranger.code, 1);
    assert.match(stranger.stderr, /eve/);
    const over = await run('oncall', 'override', 'end', 'nothing');
    assert.deepEqual([over.code, /There is no override nothing/.test(over.stderr)], [1, true]);
  });

  test('the runbooks that ship are there, and a router that watches nothing says that it sees nothing', async () => {
    const runbook = await fetch(`${url()}/api/v1/runbooks/WorkerGone`);
    assert.match(await runbook.text(), /^# WorkerGone\n/);
    const eyes = await getJson<{ eye: string; state: string }[]>(`${url()}/api/v1/eyes`);
    assert.deepEqual(
      eyes.map(({ eye, state }) => `${eye} ${state}`),
      ['router absent', 'prometheus absent'],
    );
  });

  test('a drill that nobody acknowledges fails, and is ended', async () => {
    const { code, stdout } = await run('drill', '--service', 'documents', '--within', '2s', '--json');
    assert.equal(code, 1);
    const found = JSON.parse(stdout) as { because: string; deliveries: { destination: string; state: string }[] };
    assert.equal(found.because, 'nobody acknowledged it within 2 s');
    assert(found.deliveries.some(({ state }) => state === 'delivered'));
    await until('it is over', async () => (await incidents()).every(({ state }) => state === 'resolved') || undefined);
    assert.deepEqual(await getJson(`${url()}/api/v2/alerts?filter=alertname%3DDrill`), []);
  });

  test('a drill on top of what is really broken says that it woke nobody', async () => {
    await postAlerts(url(), [{ labels: CRITICAL, annotations: { summary: 'Billing is down' } }]);
    const real = await until('it is open', async () => (await incidents()).find(({ state }) => state === 'open'));
    const { code, stdout } = await run('drill', '--service', 'billing', '--within', '30s');
    assert.equal(code, 1, stdout);
    assert.match(
      stdout,
      new RegExp(`Failed: it joined #${real.number}, which is real and open: nobody was woken\\.\n$`),
    );
  });

  test('incidents are listed, shown, noted, snoozed, resolved and reported', async () => {
    const [open] = (await incidents()).filter(({ state }) => state !== 'resolved');
    const number = String(open?.number);
    const listed = await run('incidents');
    assert.match(listed.stdout, new RegExp(`\n#${number} +open +critical .* billing +Billing is down\n$`));
    assert.equal((await run('incidents', 'note', number, 'the disk is full', '--by', 'bob')).code, 0);
    const snoozed = await run('incidents', 'snooze', `#${number}`, '--for', '90m', '--json');
    assert.equal((JSON.parse(snoozed.stdout) as Listed).state, 'snoozed');
    const shown = await run('incidents', 'show', number);
    assert.match(shown.stdout, /snoozed until +\d{4}-.*Z\n/);
    assert.match(shown.stdout, /noted +the disk is full\n/);
    assert.match((await run('incidents', 'resolve', number)).stdout, /resolved/);
    assert.match((await run('incidents', 'report', number)).stdout, /^# Incident #\d+: Billing is down\n/);
    assert.equal((await run('incidents')).stdout, 'There are no such incidents.\n');
    const all = JSON.parse((await run('incidents', 'list', '--all', '--limit', '2', '--json')).stdout) as Listed[];
    assert.deepEqual(
      all.map((one) => one.state),
      ['resolved', 'resolved'],
    );
    const unknown = await run('incidents', 'show', '99');
    assert.deepEqual([unknown.code, unknown.stderr.includes('404: There is no incident 99')], [1, true]);
    assert.equal((await run('incidents', 'snooze', '1')).code, 2);
    const nobody = await burnline(['incidents'], { BURNLINE_ROUTER_URL: 'http://127.0.0.1:1' });
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /Cannot reach the router at http:\/\/127\.0\.0\.1:1: start it, or set BURNLINE_ROUTER/);
  });

  test('a silence is added, listed and expired', async () => {
    const added = await run(
      'silence',
      'add',
      'alertname=Noise',
      'instance=~"web.*"',
      '--for',
      '2h',
      '--comment',
      'known',
    );
    assert.equal(added.code, 0, added.stderr);
    const id = added.stdout.trim();
    const row = new RegExp(`\n${id} +active +\\S+ \\S+Z +ada +alertname="Noise", instance=~"web\\.\\*" +known\n$`);
    assert.match((await run('silence', 'list')).stdout, row);
    assert.equal((await run('silence', 'list', 'alertname=Other')).stdout, 'There are no such silences.\n');
    assert.equal((await run('silence', 'expire', id)).stdout, `${id} has ended\n`);
    assert.equal((await run('silence')).stdout, 'There are no such silences.\n');
    assert.match((await run('silence', 'list', '--all')).stdout, /expired/);
    assert.equal((await run('silence', 'expire', 'nothing')).code, 1);
    assert.equal((await run('silence', 'add', 'alertname', '--for', '2h', '--comment', 'x')).code, 2);
  });

  test('a beat is taken by name, one that is missing is an alert, and somebody outside hears that the router works', async () => {
    const beat = async (name: string) => await fetch(`${url()}/api/v1/heartbeats/${name}`, { method: 'POST' });
    const states = async () => {
      const all = await getJson<{ name: string; state: string }[]>(`${url()}/api/v1/heartbeats`);
      return Object.fromEntries(all.map(({ name, state }) => [name, state]));
    };
    const unknown = await beat('nothing');
    assert.equal(unknown.status, 404);
    assert.equal(((await unknown.json()) as { code: string }).code, 'not_found');
    await until('it is missed', async () => (await states())['late'] === 'missing' || undefined);
    assert.deepEqual(await states(), { backup: 'waiting', late: 'missing' });
    const alerts = await getJson<{ labels: object }[]>(`${url()}/api/v2/alerts?filter=alertname%3DHeartbeatMissing`);
    assert.deepEqual(
      alerts.map(({ labels }) => labels),
      [{ alertname: 'HeartbeatMissing', eye: 'router', heartbeat: 'late', severity: 'info' }],
    );
    assert.equal((await beat('backup')).status, 200);
    assert.equal((await states())['backup'], 'beating');
    await until('its beat ends it', async () => {
      await beat('late');
      return (await states())['late'] === 'beating' || undefined;
    });
    const outside = async () => receiver?.received.find((one) => one.url === '/outside');
    assert.equal((await until('the outgoing heartbeat', outside)).method, 'GET');
  });
});
