/** A storm: very many alerts of one service are a few messages with right totals, and another service's page passes. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { getJson, inbox, postAlerts, until } from '#test/kit/alertmanager.ts';
import { startRole, temporaryFolder, withFiles } from '#test/kit/stack.ts';

/** The whole of it is 100,000; a machine that runs other tests beside is spared. */
const ALERTS = Number(process.env['STORM_ALERTS'] ?? 10_000);
const BATCH = 250;
const SENDERS = 4;

test(`${ALERTS} alerts are a few messages`, { timeout: 240_000 }, async () => {
  const folder = temporaryFolder();
  const simulators = await startRole('simulators', { BURNLINE_STATE: folder, SIMULATORS_LATENCY: 'zero' });
  const vendors = simulators.urls['simulators'] ?? '';
  writeFileSync(
    join(folder, 'alertmanager.yml'),
    `route: {receiver: pager, group_by: [service], group_wait: 0s, group_interval: 10s}
receivers:
- name: pager
  pagerduty_configs: [{routing_key: '0123456789abcdef0123456789abcdef', url: '${vendors}/pagerduty/v2/enqueue'}]
  slack_configs: [{api_url: '${vendors}/slack/services/T0/B0/pager'}]
`,
  );
  writeFileSync(
    join(folder, 'oncall.yaml'),
    'policies:\n- {name: pager, steps: [{targets: [{receiver: pager}]}], repeat: {times: 0}}\n',
  );
  const env = { BURNLINE_STATE: folder, RATE_PER_SECOND: '10000', RATE_BURST: '10000' };
  const router = await startRole(
    'router',
    env,
    withFiles(join(folder, 'alertmanager.yml'), join(folder, 'oncall.yaml')),
  );
  const url = router.urls['router'] ?? '';
  try {
    const labels = (i: number) => ({
      alertname: 'Down',
      service: 'stormy',
      severity: 'critical',
      instance: `host-${i}`,
    });
    let next = 0;
    const began = Date.now();
    const sender = async () => {
      while (next < ALERTS) {
        const from = next;
        next += BATCH;
        const batch = Array.from({ length: Math.min(BATCH, ALERTS - from) }, (_, k) => ({
          labels: labels(from + k),
          annotations: { summary: `host ${from + k} does not answer` },
        }));
        const answer = await postAlerts(url, batch);
        assert.equal(answer.status, 200);
      }
    };
    const storm = Promise.all(Array.from({ length: SENDERS }, sender));
    await until('the storm has begun', async () => (next > ALERTS / 3 ? true : undefined), 60_000);
    const asked = Date.now();
    await postAlerts(url, [{ labels: { alertname: 'Lost', service: 'calm', severity: 'critical' } }]);
    const isCalm = ({ body }: { body: object }) => JSON.stringify(body).includes('calm');
    await until('the other page', async () => (await inbox(vendors, 'pagerduty')).find(isCalm), 30_000);
    const passed = Date.now() - asked;
    await storm;
    const lasted = Date.now() - began;
    const total = async () => {
      const { items } = await getJson<{ items: { service: string; alerts: number }[] }>(`${url}/api/v1/incidents`);
      return items.find(({ service }) => service === 'stormy')?.alerts === ALERTS || undefined;
    };
    await until('all of them are in the incident', total, 60_000);
    const says = new RegExp(`\\b(${ALERTS}|${ALERTS.toLocaleString('en')}) firing`);
    const told = await until('the last message has the total', async () => {
      const mails = (await inbox(vendors, 'slack')).filter((mail) => !isCalm(mail));
      return says.test(JSON.stringify(mails.at(-1)?.body)) ? mails : undefined;
    });
    process.stderr.write(
      `${ALERTS} alerts in ${lasted / 1_000} s: ${told.length} messages; the other page after ${passed} ms\n`,
    );
    assert(told.length <= 20, `${told.length} messages`);
  } finally {
    await router.kill();
    await simulators.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
