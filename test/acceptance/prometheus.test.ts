/**
 * Both eyes on one outage: the embedded stack whose LlamaParse is broken, and a real Prometheus with the file and the rules
 * that ship beside it. Three routers hear of it: the stack's own, which watches and gets Prometheus' alerts too; one that
 * watches nothing; and one to which Prometheus sends nothing.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { getJson, inbox, type Mail, until } from '#test/kit/alertmanager.ts';
import { json, upload } from '#test/kit/client.ts';
import { type RunningPrometheus, startPrometheus } from '#test/kit/prometheus.ts';
import { type Running, removeFolder, startRole, temporaryFolder, withFiles } from '#test/kit/stack.ts';

const PROMETHEUS = process.env['TEST_TOOL_PROMETHEUS'];
const skip = PROMETHEUS === undefined && 'prometheus is not here: `npm run tools` says why';
/** By which the simulated PagerDuty tells the routers apart. The first is what ships. */
const KEYS = {
  both: '0123456789abcdef0123456789abcdef',
  deaf: '11111111111111111111111111111111',
  alone: '22222222222222222222222222222222',
};

type Listed = { readonly labels: Readonly<Record<string, string>>; readonly status: { readonly state: string } };
type Incident = { readonly number: number; readonly service: string; readonly state: string };

/** A file that pages critical alerts; of `Watchdog` it expects a beat. */
function files(folder: string, name: string, simulators: string, key: string): string[] {
  const [config, oncall] = [join(folder, `${name}.yml`), join(folder, `${name}-oncall.yaml`)];
  writeFileSync(
    config,
    `route: {receiver: pager, group_by: [sloth_service], group_wait: 0s, group_interval: 5s}
receivers:
- name: pager
  pagerduty_configs: [{routing_key: '${key}', url: '${simulators}/pagerduty/v2/enqueue'}]
`,
  );
  const beat = `heartbeats: [{name: prometheus, every: 10s, grace: 10s, alert: {matchers: ['alertname="Watchdog"']}}]\n`;
  const policy = 'policies: [{name: pager, steps: [{targets: [{receiver: pager}]}]}]\n';
  writeFileSync(oncall, name === 'deaf' ? beat + policy : policy);
  return [...withFiles(config, oncall), `--storage.path=${join(folder, name)}`];
}

/** The file that ships, on the ports of this stack; what is evaluated each minute is each five seconds, as is the watch. */
function shipped(urls: Running['urls'], also: string) {
  const port = (name: string) => new URL(urls[name] ?? '').host;
  const places: Readonly<Record<string, string>> = {
    '127.0.0.1:8080': port('api'),
    '127.0.0.1:9464': port('metrics'),
    '127.0.0.1:9090': 'SELF',
  };
  let config = readFileSync('prometheus/prometheus.local.yml', 'utf8');
  for (const [from, to] of Object.entries(places)) config = config.replaceAll(`'${from}'`, `'${to}'`);
  config = config.replace("'127.0.0.1:9093'", `'${port('router')}', '${new URL(also).host}'`);
  config = config.replaceAll("'127.0.0.1:9093'", `'${port('router')}'`);
  const rules = globSync('prometheus/rules/*.yaml').map((path): [string, string] => [
    `rules/${basename(path)}`,
    readFileSync(path, 'utf8').replaceAll(/interval: (?:1m|15s)$/gm, 'interval: 5s'),
  ]);
  return { config, files: Object.fromEntries(rules), flags: ['--rules.alert.resend-delay=5s'] };
}

test('an outage that both eyes see', { skip, timeout: 240_000 }, async (t) => {
  const folder = temporaryFolder();
  const env = { BURNLINE_STATE: folder, SIMULATORS_LATENCY: 'zero', CANARY_EVERY_SECONDS: '0' };
  await using stack = await startRole('start', env);
  const { router = '', simulators = '', api = '', metrics = '' } = stack.urls;
  const [deaf, alone] = await Promise.all([
    startRole('router', { BURNLINE_STATE: folder }, files(folder, 'deaf', simulators, KEYS.deaf)),
    startRole('router', { BURNLINE_STATE: folder }, [
      ...files(folder, 'alone', simulators, KEYS.alone),
      `--scrape=worker=${metrics}/metrics,api=${api}/metrics`,
    ]),
  ]);
  const deafUrl = deaf.urls['router'] ?? '';
  let prometheus: RunningPrometheus | undefined = await startPrometheus(PROMETHEUS ?? '', shipped(stack.urls, deafUrl));
  let sent = 0;
  const documents = setInterval(() => {
    void upload(api, `document ${sent++} of a bad minute`, 'a.txt').catch(() => {});
  }, 1_000);
  t.after(async () => {
    clearInterval(documents);
    await prometheus?.[Symbol.asyncDispose]();
    await Promise.all([deaf, alone, stack].map((one) => one.kill()));
    removeFolder(folder);
  });
  const alerts = async (url: string, filter: string) =>
    await getJson<Listed[]>(`${url}/api/v2/alerts?filter=${encodeURIComponent(filter)}`);
  const eyes = async (url: string) =>
    new Set((await alerts(url, 'severity=critical')).map(({ labels }) => labels['eye']));
  const pages = async (key: string) =>
    (await getJson<(Mail & { readonly target: string })[]>(`${simulators}/inbox?channel=pagerduty`)).filter(
      ({ target, body }) => target === key && body['event_action'] === 'trigger',
    );
  const incidents = async (url: string) => (await getJson<{ items: Incident[] }>(`${url}/api/v1/incidents`)).items;

  await t.test('Prometheus scrapes every job of the file, and nothing is paged while all is well', async () => {
    const query = `${prometheus?.url}/api/v1/query?query=${encodeURIComponent('sum by (job) (up)')}`;
    await until('all jobs are scraped', async () => {
      const { data } = await getJson<{ data: { result: { metric: { job: string }; value: [number, string] }[] } }>(
        query,
      );
      const up = data.result.filter(({ value }) => value[1] === '1').map(({ metric }) => metric.job);
      return up.sort().join() === 'api,prometheus,router,worker' || undefined;
    });
    await until('Watchdog is there', async () => (await alerts(router, 'alertname=Watchdog'))[0]);
    assert.deepEqual(await inbox(simulators, 'pagerduty'), []);
  });

  await json('PUT', `${simulators}/faults/llamaparse`, { errorRate: 1, status: 500 });

  await t.test('is one incident and one page where both tell of it', async () => {
    await until('both eyes say so', async () => (await eyes(router)).size === 2 || undefined, 60_000);
    await until('the page', async () => (await pages(KEYS.both))[0]);
    const open = (await incidents(router)).filter(({ service }) => service === 'burnline-documents');
    assert.equal(open.length, 1, JSON.stringify(await incidents(router)));
    const keys = (await pages(KEYS.both)).map(({ body }) => body['dedup_key']);
    assert.equal(new Set(keys).size, 1);
    type Group = { readonly labels: Readonly<Record<string, string>>; readonly alerts: readonly Listed[] };
    const groups = await getJson<Group[]>(`${router}/api/v2/alerts/groups`);
    const ofDocuments = groups.filter(({ labels }) => labels['sloth_service'] === 'burnline-documents');
    assert.equal(ofDocuments.length, 1);
    const seen = ofDocuments[0]?.alerts.filter(({ labels }) => labels['severity'] === 'critical') ?? [];
    assert.deepEqual([...new Set(seen.map(({ labels }) => labels['eye']))].sort(), ['prometheus', 'router']);
  });

  await t.test('pages where the router watches nothing, by Prometheus alone', async () => {
    await until('the page', async () => (await pages(KEYS.deaf))[0], 30_000);
    assert.deepEqual([...(await eyes(deafUrl))], ['prometheus']);
  });

  await t.test('pages where Prometheus sends nothing, by the router alone', async () => {
    await until('the page', async () => (await pages(KEYS.alone))[0], 30_000);
    assert.deepEqual([...(await eyes(alone.urls['router'] ?? ''))], ['router']);
  });

  await t.test('Watchdog is a beat, told to nobody, and its absence pages', async () => {
    type Beat = { readonly name: string; readonly state: string };
    const beats = async () => (await getJson<Beat[]>(`${deafUrl}/api/v1/heartbeats`))[0]?.state;
    assert.equal(await beats(), 'beating');
    const ships = await getJson<Beat[]>(`${router}/api/v1/heartbeats`);
    assert.deepEqual(
      ships.map(({ name, state }) => [name, state]),
      [['prometheus', 'beating']],
    );
    assert.doesNotMatch(JSON.stringify(await inbox(simulators, 'pagerduty')), /Watchdog/);
    await prometheus?.[Symbol.asyncDispose]();
    prometheus = undefined;
    await until('the beat is missed', async () => (await beats()) === 'missing' || undefined, 40_000);
    await until('the page', async () => {
      return (await pages(KEYS.deaf)).find(({ body }) => /heartbeat prometheus is missing/.test(JSON.stringify(body)));
    });
  });
});
