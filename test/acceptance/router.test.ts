/** The router as its users meet it: real processes, real HTTP and SMTP, kill -9. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { getJson, inbox, postAlerts, until } from '#test/kit/alertmanager.ts';
import { burnline } from '#test/kit/cli.ts';
import { type Running, startRole, temporaryFolder, withFiles } from '#test/kit/stack.ts';

const CRITICAL = { alertname: 'Down', sloth_service: 'documents', severity: 'critical' };

describe('a router with a file of one’s own', () => {
  let folder = '';
  let simulators: Running | undefined;
  let router: Running | undefined;
  const files = () => ({ config: join(folder, 'alertmanager.yml'), oncall: join(folder, 'oncall.yaml') });
  const url = () => router?.urls['router'] ?? '';
  const vendors = () => simulators?.urls['simulators'] ?? '';
  const start = async () => {
    const { config, oncall } = files();
    return await startRole('router', { BURNLINE_STATE: folder }, [
      ...withFiles(config, oncall),
      `--storage.path=${join(folder, 'data')}`,
      '--cluster.listen-address=',
      '--log.level=info',
    ]);
  };

  before(async () => {
    folder = temporaryFolder();
    simulators = await startRole('simulators', { BURNLINE_STATE: folder, SIMULATORS_LATENCY: 'zero' });
    const smtp = new URL(simulators.urls['smtp'] ?? '').host;
    writeFileSync(
      files().config,
      `global: {smtp_smarthost: '${smtp}', smtp_from: burnline@localhost, smtp_require_tls: false}
route:
  receiver: team
  group_by: [alertname]
  group_wait: 1s
  group_interval: 2s
  routes:
  - {receiver: pager, matchers: ['severity="critical"'], group_by: [sloth_service], group_wait: 0s, group_interval: 2s}
receivers:
- name: team
  slack_configs: [{api_url: '${vendors()}/slack/services/T0/B0/team', send_resolved: true}]
- name: pager
  pagerduty_configs: [{routing_key: '0123456789abcdef0123456789abcdef', url: '${vendors()}/pagerduty/v2/enqueue'}]
  slack_configs: [{api_url: '${vendors()}/slack/services/T0/B0/pager'}]
  email_configs: [{to: oncall@localhost, send_resolved: true}]
inhibit_rules:
- {source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [sloth_service]}
`,
    );
    writeFileSync(files().oncall, 'policies:\n- name: pager\n  steps:\n  - targets: [{receiver: pager}]\n');
    router = await start();
  });
  after(async () => {
    await router?.kill();
    await simulators?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a critical alert is a page in PagerDuty, Slack and e-mail, acknowledged by the link, and resolved', async () => {
    assert.match(router?.output() ?? '', /Listening on.* address=127\.0\.0\.1:\d+/);
    const answer = await postAlerts(url(), [{ labels: CRITICAL, annotations: { summary: 'Documents fail' } }]);
    assert.equal(answer.status, 200);
    for (const channel of ['pagerduty', 'slack', 'email']) {
      await until(`a page by ${channel}`, async () => (await inbox(vendors(), channel))[0]);
    }
    const { items } = await getJson<{ items: { id: string; state: string; title: string; number: number }[] }>(
      `${url()}/api/v1/incidents?state=open`,
    );
    assert.deepEqual(
      items.map(({ state, title, number }) => [state, title, number]),
      [['open', 'Documents fail', 1]],
    );
    const incident = await getJson<{ links: { acknowledge: string }; timeline: { kind: string }[] }>(
      `${url()}/api/v1/incidents/1`,
    );
    const link = `${url()}${new URL(incident.links.acknowledge).pathname}${new URL(incident.links.acknowledge).search}`;
    assert.match(await (await fetch(link)).text(), /<button type="submit">I am on it: acknowledge/);
    assert.equal((await getJson<{ state: string }>(`${url()}/api/v1/incidents/1`)).state, 'open');
    assert.equal((await fetch(`${link}x`, { method: 'POST' })).status, 403);
    assert.equal((await fetch(link, { method: 'POST' })).status, 200);
    assert.equal((await getJson<{ state: string }>(`${url()}/api/v1/incidents/1`)).state, 'acknowledged');
    await until('PagerDuty hears of it', async () => {
      const events = await inbox(vendors(), 'pagerduty');
      return events.some(({ body }) => body['event_action'] === 'acknowledge') || undefined;
    });
    await postAlerts(url(), [{ labels: CRITICAL, endsAt: new Date().toISOString() }]);
    await until('it is resolved', async () => {
      const events = await inbox(vendors(), 'pagerduty');
      return events.some(({ body }) => body['event_action'] === 'resolve') || undefined;
    });
    const keys = (await inbox(vendors(), 'pagerduty')).map(({ body }) => body['dedup_key']);
    assert.equal(new Set(keys).size, 1);
    const report = await (await fetch(`${url()}/api/v1/incidents/1/report`)).text();
    assert.match(report, /^# Incident #1: Documents fail\n[\s\S]*\| resolved \| every alert of it has ended \|/);
  });

  test('what was answered 200 survives kill -9, and is told once', async () => {
    await fetch(`${vendors()}/inbox`, { method: 'DELETE' });
    const labels = { alertname: 'Disk', instance: 'a', severity: 'warning' };
    assert.equal((await postAlerts(url(), [{ labels }])).status, 200);
    await router?.kill();
    router = await start();
    const alerts = await getJson<{ labels: object; status: object }[]>(`${url()}/api/v2/alerts`);
    assert.deepEqual(
      alerts.map((one) => one.labels),
      [labels],
    );
    // Slack may still be told of the incident before, a second after each other.
    const told = async () => (await inbox(vendors(), 'slack')).filter(({ body }) => /Disk/.test(JSON.stringify(body)));
    await until('the group is told', async () => (await told())[0]);
    assert.equal((await told()).length, 1);
  });

  test('a silence keeps quiet, is listed, and expires', async () => {
    const labels = { alertname: 'Noise', severity: 'warning' };
    const made = await fetch(`${url()}/api/v2/silences`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        matchers: [{ name: 'alertname', value: 'Noi.*', isRegex: true, isEqual: true }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 60_000).toISOString(),
        createdBy: 'ada',
        comment: 'known',
      }),
    });
    const { silenceID } = (await made.json()) as { silenceID: string };
    await postAlerts(url(), [{ labels }]);
    const silenced = async () =>
      await getJson<{ status: { state: string; silencedBy: string[] } }[]>(
        `${url()}/api/v2/alerts?filter=alertname%3D%22Noise%22`,
      );
    assert.deepEqual((await silenced())[0]?.status.silencedBy, [silenceID]);
    assert.equal((await fetch(`${url()}/api/v2/silence/${silenceID}`, { method: 'DELETE' })).status, 200);
    assert.equal((await silenced())[0]?.status.state, 'active');
    const gone = await fetch(`${url()}/api/v2/silence/nothing`);
    assert.equal(gone.status, 404);
    assert.equal(typeof (await gone.json()), 'string');
  });

  test('valid alerts of a batch are taken although others are refused, with a reason as a JSON string', async () => {
    const mixed = [{ labels: { alertname: 'Good', severity: 'info' } }, { labels: {} }];
    const answer = await postAlerts(url(), mixed);
    assert.equal(answer.status, 400);
    assert.match((await answer.json()) as string, /alert 1: at least one label is needed/);
    const listed = await getJson<object[]>(`${url()}/api/v2/alerts?filter=alertname%3DGood`);
    assert.equal(listed.length, 1);
  });

  test('a long list is read page by page, as the header Link leads, and each page says that it is JSON', async () => {
    const labels = (page: number) => ({ alertname: 'Paged', page: `${page}`, severity: 'info' });
    await postAlerts(
      url(),
      Array.from({ length: 5 }, (_, page) => ({ labels: labels(page) })),
    );
    const seen: string[] = [];
    for (let next: string | undefined = '/api/v2/alerts?filter=alertname%3DPaged&limit=2'; next !== undefined; ) {
      const answer: Response = await fetch(`${url()}${next}`);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
      const page = (await answer.json()) as { labels: { page: string } }[];
      assert(page.length <= 2);
      seen.push(...page.map((alert) => alert.labels.page));
      next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(seen.toSorted(), ['0', '1', '2', '3', '4']);
  });

  test('a bad file is refused at a reload, and the one before stays in force', async () => {
    const { config } = files();
    const { readFileSync } = await import('node:fs');
    const good = readFileSync(config, 'utf8');
    writeFileSync(config, good.replace('receiver: team', 'receiver: nobody'));
    const refused = await fetch(`${url()}/-/reload`, { method: 'POST' });
    assert.equal(refused.status, 500);
    assert.match(await refused.text(), /nobody/);
    writeFileSync(config, good);
    assert.equal((await fetch(`${url()}/-/reload`, { method: 'POST' })).status, 200);
    const status = await getJson<{ config: { original: string }; versionInfo: { version: string } }>(
      `${url()}/api/v2/status`,
    );
    assert.match(status.config.original, /receiver: team/);
    assert.doesNotMatch(status.config.original, /0123456789abcdef/);
    assert.equal((await fetch(`${url()}/alertmanager/api/v2/status`)).status, 404);
  });
});

test('a bad minute on the whole stack, by npm run demo: broken, paged, acknowledged, mended, resolved, reported', {
  timeout: 240_000,
}, async () => {
  const folder = temporaryFolder();
  const stack = await startRole('start', {
    BURNLINE_STATE: folder,
    SIMULATORS_LATENCY: 'zero',
    CANARY_EVERY_SECONDS: '0',
  });
  try {
    const { api = '', simulators = '', router = '' } = stack.urls;
    const env = {
      BURNLINE_URL: api,
      BURNLINE_SIMULATORS_URL: simulators,
      BURNLINE_ROUTER_URL: router,
      USER: 'ada',
    };
    const { code, stdout, stderr } = await burnline(['demo'], env, process.execPath, 220_000);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^It is in pagerduty, slack, email after [\d.]+ s\.$/m);
    assert.match(stdout, /acknowledged +by ada\n/);
    assert.match(stdout, /^# Incident #\d+: [\s\S]*\| State \| resolved \|\n/m);
    // It was no blip that paged, and nothing is left broken.
    const faults = await getJson<Record<string, unknown>>(`${simulators}/faults`);
    assert.equal(faults['llamaparse'], null);
    assert.deepEqual(await getJson(`${router}/api/v2/alerts?filter=severity%3Dcritical`), []);
    process.stderr.write(`${/It is in .*/.exec(stdout)?.[0]}\n`);

    await postAlerts(router, [{ labels: CRITICAL, annotations: { summary: 'Really broken' } }]);
    const open = async () =>
      (await inbox(simulators, 'pagerduty')).find(({ body }) => /Really/.test(JSON.stringify(body)));
    await until('something is really broken', open);
    const refused = await burnline(['demo'], env);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /mixed up with what is broken: incident #\d+ \(Really broken\) is open; resolve it first/,
    );
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
