/** `burnline oncall` and `burnline router check-config`, as they are run; the API that `who` asks, on a real server. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { Principal } from '#access/roles.ts';
import { onCallRoutes } from '#alerting/api/v1-oncall.ts';
import { silentTelemetry } from '#collector/silent.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { systemRandom } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import { type App, authorised, makeApp } from '#serving/app.ts';
import { burnline } from '#test/kit/cli.ts';
import { openEngine } from '#test/kit/database.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';
import { readSetup } from './router-files.ts';

const ROUTING = `route: {receiver: oncall}
receivers:
- name: oncall
  webhook_configs: [{url: 'http://127.0.0.1:1/'}]
`;
const ONCALL = `people:
- name: ada
  display_name: Ada
  contacts: [{webhook_config: {url: 'http://127.0.0.1:1/'}}]
- name: bob
  contacts: [{webhook_config: {url_file: bob-url}}]
schedules:
- name: primary
  time_zone: Europe/Berlin
  layers:
  - {name: weekly, people: [ada, bob], rotation: {unit: week}, start: 2026-01-05T09:00}
- name: office
  time_zone: Asia/Tokyo
  layers:
  - name: days
    people: [bob]
    rotation: {unit: day}
    start: 2026-01-05T09:00
    restrictions: [{weekdays: ['monday:friday'], from: '09:00', to: '17:00'}]
policies:
- name: oncall
  steps:
  - targets: [{schedule: primary}, {schedule: office}]
`;
const WRONG = ONCALL.replace('people: [bob]', 'people: [eve]').replace('name: oncall', 'name: nobody');

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
const [config, oncall, wrong] = [path('alertmanager.yml'), path('oncall.yaml'), path('wrong.yaml')];
writeFileSync(config, ROUTING);
writeFileSync(oncall, ONCALL);
writeFileSync(wrong, WRONG);
writeFileSync(path('bob-url'), 'http://127.0.0.1:1/bob\n');

/** A Monday on which Berlin has summer time since the day before. */
const AT = '2026-03-30T06:59:00Z';
let server: App;
let url = '';
let roles: Principal['roles'] = ['viewer'];

before(async () => {
  const links = { external: 'http://127.0.0.1', sign: () => '' };
  const sources = {
    config: { file: config },
    oncall: { file: oncall },
    mode: 'default',
    hearsPagerduty: true,
    links,
  } as const;
  const read = readSetup(sources, milliseconds(0));
  assert(read.kind === 'setup', JSON.stringify(read));
  server = await makeApp({
    authenticate: async () => ({
      kind: 'known',
      principal: { tenant: 'default', subject: 's', roles, via: 'anonymous' },
    }),
    keyNeeded: false,
    rate: { perSecond: 1_000, burst: 1_000 },
    trustProxy: false,
    described: { title: '', description: '', version: '' },
    ...{ clock: systemClock, random: systemRandom, log: silentLog, telemetry: silentTelemetry },
  });
  const db = await openEngine('PGlite');
  onCallRoutes(server, '/burn', { db, setup: () => read.setup, now: () => milliseconds(Date.parse(AT)), authorised });
  await server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/burn`;
});
after(async () => {
  await server.close();
  removeFolder(folder);
});

const [ada, bob] = [
  { name: 'ada', displayName: 'Ada' },
  { name: 'bob', displayName: 'bob' },
];
const PRIMARY = { schedule: 'primary', timeZone: 'Europe/Berlin', onDuty: [bob], until: '2026-03-30T07:00:00.000Z' };

test('GET /api/v1/oncall says who it is, until when and who then: now, and at another moment', async () => {
  const now = await fetch(`${url}/api/v1/oncall`);
  assert.deepEqual(await now.json(), [
    { ...PRIMARY, next: [ada] },
    { schedule: 'office', timeZone: 'Asia/Tokyo', onDuty: [bob], until: '2026-03-30T08:00:00.000Z', next: [] },
  ]);
  const later = await fetch(`${url}/api/v1/oncall?at=${encodeURIComponent('2026-03-30T09:00:00+02:00')}`);
  const [primary] = (await later.json()) as { onDuty: unknown; until: string }[];
  assert.deepEqual([primary?.onDuty, primary?.until], [[ada], '2026-04-06T07:00:00.000Z']);
});

test('a moment without its offset, or beyond all schedules, is refused; so is whoever may not read incidents', async () => {
  for (const at of ['2026-03-30', '2026-03-30T09:00:00', 'now', '9999-01-01T00:00:00Z', '1970-01-01T00:00:00Z']) {
    assert.equal((await fetch(`${url}/api/v1/oncall?at=${at}`)).status, 400, at);
  }
  roles = ['reader'];
  assert.equal((await fetch(`${url}/api/v1/oncall`)).status, 403);
  roles = ['viewer'];
});

test('who: of files, and of the running router, are the same', async () => {
  const files = ['--config.file', config, '--oncall.file', oncall];
  const lines =
    'primary  bob until 2026-03-30 09:00 Europe/Berlin, then Ada (ada)\n' +
    'office  bob until 2026-03-30 17:00 Asia/Tokyo, then nobody\n';
  const read = await burnline(['oncall', 'who', '--at', AT, ...files]);
  assert.deepEqual(read, { code: 0, stdout: lines, stderr: '' });
  const asked = await burnline(['oncall', 'who'], { BURNLINE_ROUTER_URL: `${url}/` });
  assert.deepEqual(asked, read);
  const json = await burnline(['oncall', 'who', '--schedule', 'primary', '--json', '--at', AT, ...files]);
  assert.deepEqual(JSON.parse(json.stdout), [{ ...PRIMARY, next: [ada] }]);
});

test('who: a schedule that is not there, a moment without offset, a router that is away', async () => {
  const unknown = await burnline([
    'oncall',
    'who',
    '--schedule',
    'x',
    '--config.file',
    config,
    '--oncall.file',
    oncall,
  ]);
  assert.deepEqual([unknown.code, unknown.stderr], [1, 'No schedule is called x: there is primary, office\n']);
  const vague = await burnline(['oncall', 'who', '--at', '2026-03-30']);
  assert.equal(vague.code, 2);
  assert.match(vague.stderr, /expected a moment with its offset/);
  const away = await burnline(['oncall', 'who'], { BURNLINE_ROUTER_URL: 'http://127.0.0.1:1' });
  assert.equal(away.code, 1);
  assert.match(away.stderr, /Cannot reach the router at http:\/\/127.0.0.1:1: start it, set BURNLINE_ROUTER_URL/);
});

test('check: right files are right, with their warnings; wrong ones have every fault with its place', async () => {
  const good = await burnline(['oncall', 'check', '--config.file', config, '--oncall.file', oncall]);
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /^warning {2}schedules.office: nobody is on call in the next 90 days from /);
  assert.match(good.stdout, /\nThe files are right: 1 receiver, 2 people, 2 schedules, 1 policy.\n$/);
  const bad = await burnline(['oncall', 'check', '--json', '--config.file', config, '--oncall.file', wrong]);
  assert.equal(bad.code, 1);
  const { ok, faults } = JSON.parse(bad.stdout) as { ok: boolean; faults: { line: number; field: string }[] };
  assert.equal(ok, false);
  assert.deepEqual(
    faults.map(({ line, field }) => [line, field]),
    [
      [16, 'schedules[1].layers[0].people[0]'],
      [21, 'policies[0].name'],
    ],
  );
});

test('router check-config stands beside the role, and takes its options before and after', async () => {
  const shipped = await burnline(['router', 'check-config']);
  assert.equal(shipped.code, 0, shipped.stdout);
  const both = await burnline(['router', 'check-config', config, '--oncall.file', wrong]);
  const other = await burnline(['router', '--oncall.file', wrong, 'check-config', config]);
  assert.equal(both.code, 1);
  assert.equal(both.stdout, other.stdout);
  assert.match(
    both.stdout,
    new RegExp(`^fault {4}${wrong}:16:14 schedules\\[1\\].layers\\[0\\].people\\[0\\]: is "eve"`, 'm'),
  );
  const gone = await burnline(['router', 'check-config', path('gone.yml')], { ROUTER_ONCALL_FILE: path('gone.yaml') });
  assert.equal(gone.code, 1);
  assert.equal(gone.stdout.match(/cannot be read: ENOENT/g)?.length, 2);
  assert.equal((await burnline(['router', 'chek-config'])).code, 2);
});
