/** PagerDuty and the router tell each other what people did, the whole way: real processes, real HTTP, signed webhooks. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { getJson, inbox, postAlerts, until } from '#test/kit/alertmanager.ts';
import { type Running, startRole, temporaryFolder, withFiles } from '#test/kit/stack.ts';

const [OLD, FRESH] = ['the secret before it was changed', 'the secret after it was changed'];
const PATH = '/api/v1/inbound/pagerduty';
const sign = (key: string, body: string) => `v1=${createHmac('sha256', key).update(body).digest('hex')}`;

type Timeline = { readonly kind: string; readonly because: string; readonly actor: string | null };
type Incident = {
  readonly id: string;
  readonly number: number;
  readonly state: string;
  readonly acknowledgedBy: string | null;
  readonly timeline: readonly Timeline[];
};

describe('a router that hears PagerDuty', () => {
  let folder = '';
  let simulators: Running | undefined;
  let router: Running | undefined;
  const url = () => router?.urls['router'] ?? '';
  const vendors = () => simulators?.urls['simulators'] ?? '';
  const incident = async (number: number) => await getJson<Incident>(`${url()}/api/v1/incidents/${number}`);
  const post = async (path: string, body: string, headers: Record<string, string> = {}) =>
    await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  const start = async (env: Record<string, string> = {}) =>
    await startRole('router', { BURNLINE_STATE: folder, RATE_PER_SECOND: '1000', RATE_BURST: '1000', ...env }, [
      ...withFiles(join(folder, 'alertmanager.yml'), join(folder, 'oncall.yaml')),
      `--storage.path=${join(folder, 'data')}`,
    ]);

  before(async () => {
    folder = temporaryFolder();
    simulators = await startRole('simulators', { BURNLINE_STATE: folder, SIMULATORS_LATENCY: 'zero' });
    writeFileSync(
      join(folder, 'alertmanager.yml'),
      `route: {receiver: pager, group_by: [service], group_wait: 0s, group_interval: 2s}
receivers:
- name: pager
  pagerduty_configs: [{routing_key: '0123456789abcdef0123456789abcdef', url: '${vendors()}/pagerduty/v2/enqueue'}]
  slack_configs: [{api_url: '${vendors()}/slack/services/T0/B0/pager'}]
`,
    );
    writeFileSync(join(folder, 'oncall.yaml'), 'policies:\n- name: pager\n  steps: [{targets: [{receiver: pager}]}]\n');
    writeFileSync(join(folder, 'secret'), `${FRESH}\n`);
    router = await start({
      ROUTER_PAGERDUTY_WEBHOOK_SECRET: OLD,
      ROUTER_PAGERDUTY_WEBHOOK_SECRET_FILE: join(folder, 'secret'),
    });
    const subscribed = await fetch(`${vendors()}/pagerduty/webhook`, {
      method: 'PUT',
      body: JSON.stringify({ url: `${url()}${PATH}`, secrets: ['of somebody else alone', FRESH] }),
    });
    assert.equal(subscribed.status, 204);
  });
  after(async () => {
    await router?.kill();
    await simulators?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A page that is open there too. */
  async function page(service: string): Promise<{ number: number; theirs: string }> {
    await fetch(`${vendors()}/inbox`, { method: 'DELETE' });
    await postAlerts(url(), [{ labels: { alertname: 'Down', service, severity: 'critical' } }]);
    return await until('it is open there', async () => {
      const { items } = await getJson<{ items: Incident[] }>(`${url()}/api/v1/incidents?state=open`);
      const open = await getJson<{ id: string; dedupKey: string }[]>(`${vendors()}/pagerduty/alerts`);
      const theirs = open.find(({ dedupKey }) => dedupKey === items[0]?.id);
      return items[0] && theirs && { number: items[0].number, theirs: theirs.id };
    });
  }
  const act = async (theirs: string, what: string, said: object = {}) =>
    assert.equal((await post(`${vendors()}/pagerduty/alerts/${theirs}/${what}`, JSON.stringify(said))).status, 202);
  const becomes = async (number: number, state: string) =>
    await until(`it is ${state}`, async () => ((await incident(number)).state === state ? true : undefined));
  const actions = async () => (await inbox(vendors(), 'pagerduty')).map(({ body }) => body['event_action']);

  test('who acknowledges there has acknowledged here, and Slack is told; nothing goes back', async () => {
    const { number, theirs } = await page('one');
    await act(theirs, 'acknowledge', { by: 'Grace' });
    await becomes(number, 'acknowledged');
    const { acknowledgedBy, timeline } = await incident(number);
    assert.equal(acknowledgedBy, 'Grace in PagerDuty');
    assert(timeline.some(({ kind, actor }) => kind === 'acknowledged' && actor === 'Grace in PagerDuty'));
    await until('Slack is told', async () => {
      const told = await inbox(vendors(), 'slack');
      return told.some(({ body }) => /acknowledged by Grace in PagerDuty/.test(JSON.stringify(body))) || undefined;
    });
    await act(theirs, 'annotate', { by: 'Grace', note: 'it is the disk' });
    await until('the note is here', async () => {
      const { timeline: rows } = await incident(number);
      return rows.find(({ kind, because }) => kind === 'noted' && because === 'it is the disk');
    });
    await act(theirs, 'unacknowledge', { by: 'Grace' });
    await until('it pages again', async () => ((await actions()).length === 2 ? true : undefined));
    assert.equal((await incident(number)).state, 'open');
    await act(theirs, 'resolve', { by: 'Grace' });
    await becomes(number, 'resolved');
    assert.deepEqual(await actions(), ['trigger', 'trigger']);
  });

  test('what was said here comes back as an echo, and changes nothing', async () => {
    const { number, theirs } = await page('two');
    await post(`${url()}/api/v1/incidents/${number}/snooze`, '{"by":"ada","minutes":60}');
    await until('PagerDuty is told', async () => ((await actions()).includes('acknowledge') ? true : undefined));
    // Behind the echo, since what is told of an incident comes in order.
    await act(theirs, 'annotate', { note: 'after it' });
    await until('the note is here', async () => {
      const { timeline: rows } = await incident(number);
      return rows.find(({ because }) => because === 'after it');
    });
    assert.equal((await incident(number)).state, 'snoozed');
  });

  test('it is told twice by a PagerDuty that did not hear the answer, and happens once', async () => {
    const { number } = await page('three');
    const { id } = await incident(number);
    const data = { id: 'PX', type: 'incident', incident_key: id };
    const agent = { summary: 'Ada', type: 'user_reference' };
    const tell = async (event: object) => {
      const body = JSON.stringify({ event: { agent, data, ...event } });
      const answer = await post(`${url()}${PATH}`, body, { 'x-pagerduty-signature': sign(OLD, body) });
      assert.equal(answer.status, 200);
      return await answer.json();
    };
    const acknowledged = { id: 'e1', event_type: 'incident.acknowledged' };
    assert.deepEqual(await tell(acknowledged), { outcome: 'taken', incident: number });
    await tell({ id: 'e2', event_type: 'incident.unacknowledged' });
    assert.deepEqual(await tell(acknowledged), { outcome: 'replayed', incident: number });
    assert.equal((await incident(number)).state, 'open');
    const unknown = { ...data, incident_key: 'of another tool' };
    assert.deepEqual(await tell({ ...acknowledged, id: 'e3', data: unknown }), { outcome: 'unknown', incident: null });
    const ping = { id: 'e4', event_type: 'pagey.ping', data: { type: 'ping', message: 'Hello' }, agent: null };
    assert.deepEqual(await tell(ping), { outcome: 'unknown', incident: null });
  });

  test('who cannot sign is refused, whatever is in the body, and is counted', async () => {
    const { number } = await page('four');
    const { id } = await incident(number);
    const body = JSON.stringify({
      event: { id: 'f1', event_type: 'incident.resolved', data: { id: 'PX', type: 'incident', incident_key: id } },
    });
    const wrong: [string, Record<string, string>][] = [
      [body, {}],
      [body, { 'x-pagerduty-signature': sign('guessed', body) }],
      [`${body} `, { 'x-pagerduty-signature': sign(OLD, body) }],
      ['{', { 'x-pagerduty-signature': 'v1=00' }],
    ];
    for (const [sent, headers] of wrong) assert.equal((await post(`${url()}${PATH}`, sent, headers)).status, 401, sent);
    assert.equal((await incident(number)).state, 'open');
    assert.match(
      await (await fetch(`${url()}/metrics`)).text(),
      /access_refused_total\{[^}]*reason="invalid"[^}]*\} 4/,
    );
    const signed = (text: string, more = {}) => ({ 'x-pagerduty-signature': sign(FRESH, text), ...more });
    assert.equal((await post(`${url()}${PATH}`, '{', signed('{'))).status, 400);
    assert.equal((await post(`${url()}${PATH}`, '{"event":{}}', signed('{"event":{}}'))).status, 400);
    const plain = { 'content-type': 'text/plain' };
    assert.equal((await post(`${url()}${PATH}`, body, signed(body, plain))).status, 415);
    const huge = JSON.stringify({ event: 'x'.repeat(300_000) });
    assert.equal((await post(`${url()}${PATH}`, huge, signed(huge))).status, 413);
  });

  test('new files are in the timeline of what is open', async () => {
    const { number } = await page('five');
    const file = join(folder, 'alertmanager.yml');
    const reload = async () => assert.equal((await post(`${url()}/-/reload`, '{}')).status, 200);
    const configured = async () => (await incident(number)).timeline.filter(({ kind }) => kind === 'configured').length;
    await reload();
    assert.equal(await configured(), 0);
    writeFileSync(file, `${readFileSync(file, 'utf8')}# changed\n`);
    await reload();
    await reload();
    assert.equal(await configured(), 1);
  });

  test('without a secret it is not there; an address has a rate', async () => {
    await router?.kill();
    router = await start({ RATE_PER_SECOND: '1', RATE_BURST: '3' });
    assert.match(router.output(), /is told by PagerDuty, and who acknowledges or resolves there is not heard/);
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await post(`${url()}${PATH}`, '{}')).status);
    assert.deepEqual([statuses[0], statuses.includes(429)], [404, true]);
  });
});
