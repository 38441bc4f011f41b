/**
 * Alertmanager's own clients at the router: every command of amtool, beside a real Alertmanager with the same file, and a
 * real Prometheus that sends to it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { getJson, inbox, postAlerts, until } from '#test/kit/alertmanager.ts';
import { startPrometheus } from '#test/kit/prometheus.ts';
import { type Running, startRole, temporaryFolder } from '#test/kit/stack.ts';
import { freePort } from '#test/tools/postgres.ts';

const AMTOOL = process.env['TEST_TOOL_AMTOOL'];
const ALERTMANAGER = process.env['TEST_TOOL_ALERTMANAGER'];
const PROMETHEUS = process.env['TEST_TOOL_PROMETHEUS'];
const missing = (tool: string | undefined, name: string) => tool === undefined && `${name} is not here`;

const CONFIG = `route:
  receiver: team
  group_by: [alertname]
  group_wait: 1h
  routes:
  - {receiver: pager, matchers: ['severity="critical"'], continue: true}
  - {receiver: database, matchers: ['service=~"db-.*"']}
receivers: [{name: team}, {name: pager}, {name: database}]
inhibit_rules:
- {source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [service]}
`;

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

function amtool(url: string, ...args: string[]): Ran {
  const command = ['--alertmanager.url', url, ...args];
  const { status, stdout, stderr } = spawnSync(AMTOOL ?? '', command, {
    encoding: 'utf8',
    timeout: 30_000,
    env: { HOME: '/nowhere', USER: 'ada' },
  });
  return { code: status, out: stdout, err: stderr };
}

/** Ids and moments are each one's own. */
const plain = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)/g, 'TIME')
    .replace(/ +$/gm, '');

/** Its stdout; nothing may be said on stderr, such as a warning about versions. */
function right(url: string, ...args: string[]): string {
  const { code, out, err } = amtool(url, ...args);
  assert.equal(code, 0, `amtool ${args.join(' ')}: ${out}${err}`);
  assert.equal(err, '', args.join(' '));
  return out.trim();
}

describe('amtool', { skip: missing(AMTOOL, 'amtool') }, () => {
  let folder = '';
  let router: Running | undefined;
  let peer: ChildProcess | undefined;
  /** The router, and a real Alertmanager where there is one. */
  const urls: string[] = [];

  before(async () => {
    folder = temporaryFolder();
    const config = join(folder, 'alertmanager.yml');
    writeFileSync(config, CONFIG);
    const flags = [`--config.file=${config}`, '--web.listen-address=127.0.0.1:0'];
    router = await startRole('router', { BURNLINE_STATE: folder }, flags);
    urls.push(router.urls['router'] ?? '');
    if (ALERTMANAGER === undefined) return;
    const port = await freePort();
    const listen = [`--web.listen-address=127.0.0.1:${port}`, `--cluster.listen-address=127.0.0.1:${await freePort()}`];
    const store = `--storage.path=${join(folder, 'alertmanager')}`;
    peer = spawn(ALERTMANAGER, [`--config.file=${config}`, store, ...listen], { stdio: 'ignore' });
    const url = `http://127.0.0.1:${port}`;
    await until('Alertmanager is ready', async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
    urls.push(url);
  });
  after(async () => {
    peer?.kill('SIGKILL');
    await router?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** From both, and the same. */
  function same(...args: string[]): string {
    const answers = urls.map((url) => plain(right(url, ...args)));
    for (const other of answers) assert.equal(other, answers[0], args.join(' '));
    return answers[0] ?? '';
  }

  test('alert add and alert query', () => {
    const start = new Date(Date.now() - 60_000).toISOString();
    same(
      'alert',
      'add',
      'Down',
      'severity=critical',
      'service=web',
      `--start=${start}`,
      '--annotation=summary=It is down',
    );
    same('alert', 'add', 'Slow', 'severity=warning', 'service=web', '--generator-url=http://prometheus.example/graph');
    same('alert', 'add', 'Full', 'severity=warning', 'service=db-1', 'städte=köln');
    assert.match(same('alert', 'query'), /Down[^\n]*It is down[^\n]*active/);
    assert.equal(same('alert', 'query', '-o', 'simple').split('\n').length, 3);
    assert.match(same('alert', 'query', '--inhibited'), /Slow[^\n]*suppressed/);
    for (const matcher of ['Down', 'severity=~"warn.*"', 'service!=web', 'severity!~crit.*', 'städte=köln']) {
      same('alert', 'query', '--inhibited', '-o', 'extended', matcher);
    }
    same('alert', 'query', '--receiver=data.*');
    for (const url of urls) {
      const told = JSON.parse(right(url, 'alert', 'query', '-o', 'json', 'Full')) as { receivers: object[] }[];
      assert.deepEqual(told[0]?.receivers, [{ name: 'database' }]);
    }
    same(
      'alert',
      'add',
      'Full',
      'severity=warning',
      'service=db-1',
      'städte=köln',
      `--end=${new Date().toISOString()}`,
    );
    assert.doesNotMatch(same('alert', 'query'), /Full/);
  });

  test('silence add, query, update, expire and import', () => {
    const made = urls.map((url) =>
      right(
        ...([url, 'silence', 'add', 'Down', 'service=~"we.+"', '-a', 'ada', '-c', 'known', '-d', '2h'] as const),
        '--annotation=ticket=OPS-7',
      ),
    );
    for (const id of made) assert.match(id, /^[0-9a-f-]{36}$/);
    assert.match(same('silence', 'query'), /alertname="Down"[^\n]*ada[^\n]*known/);
    assert.match(same('alert', 'query', '--silenced'), /Down[^\n]*suppressed/);
    same('silence', 'query', 'alertname=Down');
    same('silence', 'query', '--within=1h');
    same('silence', 'query', '--created-by=ada', '-q');
    const saved = urls.map((url) => right(url, 'silence', 'query', '-o', 'json'));
    const annotations = (text: string) => (JSON.parse(text) as { annotations: object }[])[0]?.annotations;
    for (const text of saved) assert.deepEqual(annotations(text), { ticket: 'OPS-7' });
    const updated = urls.map((url, i) =>
      plain(right(url, 'silence', 'update', '-d', '4h', '-c', 'longer', made[i] ?? '')),
    );
    for (const other of updated) assert.equal(other, updated[0]);
    for (const [i, url] of urls.entries()) assert.equal(right(url, 'silence', 'expire', made[i] ?? ''), '');
    assert.doesNotMatch(same('alert', 'query', '--silenced'), /Down[^\n]*suppressed/);
    assert.match(same('silence', 'query', '--expired'), /longer/);
    for (const [i, url] of urls.entries()) {
      const file = join(folder, `silences-${i}.json`);
      // As somebody would who moves from one to the other: the ids are not known there.
      const silences = JSON.parse(saved[i] ?? '[]') as Record<string, unknown>[];
      writeFileSync(file, JSON.stringify(silences.map(({ id: _, ...rest }) => rest)));
      assert.match(right(url, 'silence', 'import', file), /^[0-9a-f-]{36}$/);
    }
    assert.match(same('silence', 'query'), /alertname="Down"[^\n]*ada[^\n]*known/);
    for (const url of urls) {
      assert.deepEqual(annotations(right(url, 'silence', 'query', '-o', 'json')), { ticket: 'OPS-7' });
    }
    const refused = urls.map((url) => amtool(url, 'silence', 'expire', '00000000-0000-4000-8000-000000000000'));
    for (const { code } of refused) assert.equal(code, 1);
  });

  test('config routes show and test, check-config of what is shown, cluster show', () => {
    assert.match(same('config', 'routes', 'show'), /severity="critical"/);
    for (const labels of [['severity=critical'], ['severity=critical', 'service=db-7'], ['service=db-7'], []]) {
      same('config', 'routes', 'test', ...labels);
    }
    for (const url of urls) {
      right(url, 'config', 'routes', 'test', '--verify.receivers=pager,database', 'severity=critical', 'service=db-7');
    }
    // The real one takes some seconds to settle.
    assert.match(right(urls[0] ?? '', 'cluster', 'show'), /Cluster Status:\s+ready/);
    const file = join(folder, 'shown.yml');
    writeFileSync(file, right(urls[0] ?? '', 'config', 'show'));
    const { status, stdout } = spawnSync(AMTOOL ?? '', ['check-config', file], { encoding: 'utf8', timeout: 30_000 });
    assert.equal(status, 0, stdout);
  });
});

const RULES = (expression: string) => `groups:
- name: test
  interval: 1s
  rules:
  - {alert: AlwaysFiring, expr: '${expression}', labels: {severity: warning}, annotations: {summary: told by Prometheus}}
`;

describe('a real Prometheus', { skip: missing(PROMETHEUS, 'Prometheus') }, () => {
  for (const prefix of ['', '/alerts/here']) {
    test(`sends to a router at "${prefix}/": the alert comes, is told, and ends with its rule`, async () => {
      const folder = temporaryFolder();
      await using simulators = await startRole('simulators', { BURNLINE_STATE: folder, SIMULATORS_LATENCY: 'zero' });
      const vendors = simulators.urls['simulators'] ?? '';
      const config = join(folder, 'alertmanager.yml');
      writeFileSync(
        config,
        `route: {receiver: team, group_wait: 0s, group_interval: 1s}
receivers: [{name: team, slack_configs: [{api_url: '${vendors}/slack/services/T0/B0/x', send_resolved: true}]}]
`,
      );
      const external = prefix === '' ? [] : [`--web.external-url=http://alerts.example${prefix}/`];
      const flags = [`--config.file=${config}`, '--web.listen-address=127.0.0.1:0', ...external];
      await using router = await startRole('router', { BURNLINE_STATE: folder }, flags);
      const url = `${router.urls['router']}${prefix}`;
      await using prometheus = await startPrometheus(PROMETHEUS ?? '', {
        config: `global: {evaluation_interval: 1s}
rule_files: [rules.yml]
alerting:
  alertmanagers:
  - {path_prefix: '${prefix}/', static_configs: [{targets: ['${new URL(url).host}']}]}
`,
        files: { 'rules.yml': RULES('vector(1)') },
        flags: ['--web.enable-lifecycle', '--rules.alert.resend-delay=1s'],
      });
      const firing = async () =>
        await getJson<{ labels: { alertname: string }; generatorURL: string }[]>(`${url}/api/v2/alerts`);
      const [alert] = await until('the alert', async () => {
        const found = await firing();
        return found.length > 0 ? found : undefined;
      });
      assert.equal(alert?.labels.alertname, 'AlwaysFiring');
      assert.match(alert?.generatorURL ?? '', /vector/);
      await until('it is told', async () => (await inbox(vendors, 'slack'))[0]);
      writeFileSync(join(prometheus.folder, 'rules.yml'), RULES('vector(1) > 2'));
      assert.equal((await fetch(`${prometheus.url}/-/reload`, { method: 'POST' })).status, 200);
      await until('it ends', async () => ((await firing()).length === 0 ? true : undefined), 30_000);
      const told = await until('its end is told', async () => {
        const messages = await inbox(vendors, 'slack');
        return messages.find(({ body }) => /resolved/i.test(JSON.stringify(body)));
      });
      assert.match(JSON.stringify(told.body), /AlwaysFiring|told by Prometheus/);
      const { activeAlertmanagers } = (
        await getJson<{ data: { activeAlertmanagers: { url: string }[] } }>(`${prometheus.url}/api/v1/alertmanagers`)
      ).data;
      assert.deepEqual(activeAlertmanagers, [{ url: `${url}/api/v2/alerts` }]);
      rmSync(folder, { recursive: true, force: true });
    });
  }
});

test('Grafana’s probe for another kind of server finds nothing, and everything that it asks for is there', async () => {
  const folder = temporaryFolder();
  await using router = await startRole('router', { BURNLINE_STATE: folder });
  const url = router.urls['router'] ?? '';
  assert.equal((await fetch(`${url}/alertmanager/api/v2/status`)).status, 404);
  assert.equal((await postAlerts(url, [])).status, 200);
  for (const path of ['status', 'receivers', 'silences', 'alerts', 'alerts/groups'])
    await getJson(`${url}/api/v2/${path}`);
  rmSync(folder, { recursive: true, force: true });
});
