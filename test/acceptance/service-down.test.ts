/** `npm start`'s stack whose service keeps dying: the router stays, and pages once for all that fell with it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { getJson, inbox, until } from '#test/kit/alertmanager.ts';
import { childrenOf, FREE_PORTS, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

/** The child of that role, if it runs. */
const childOf = (pid: number, role: string): number | undefined =>
  childrenOf(pid).find((child) => child.role === role)?.pid;

type Incident = { readonly number: number; readonly service: string; readonly state: string };
type Listed = { readonly labels: Readonly<Record<string, string>>; readonly status: { readonly state: string } };

test('a service that is killed until it is given up is one page, and its return ends it', {
  skip: process.platform !== 'linux' && 'reads /proc',
  timeout: 240_000,
}, async () => {
  const folder = temporaryFolder();
  const env = { BURNLINE_STATE: folder, SIMULATORS_LATENCY: 'zero', CANARY_EVERY_SECONDS: '0' };
  await using stack = await startRole('start', { ...env, RESTARTS_A_MINUTE: '1' });
  const { router = '', simulators = '', api = '', metrics = '' } = stack.urls;
  await until(
    'every objective is seen',
    async () => {
      const slos = await getJson<{ verdict: string }[]>(`${router}/api/v1/slos`);
      return (slos.length > 0 && slos.every(({ verdict }) => verdict === 'ok')) || undefined;
    },
    60_000,
  );
  assert.deepEqual(await inbox(simulators, 'pagerduty'), []);
  for (let kills = 0; kills < 2; kills++) {
    const pid = await until('the service runs', async () => childOf(stack.process.pid ?? 0, 'service'), 30_000);
    process.kill(pid, 'SIGKILL');
    await until('it is gone', async () => childOf(stack.process.pid ?? 0, 'service') !== pid || undefined);
  }
  const critical = async (channel: string) =>
    (await inbox(simulators, channel)).filter(({ body }) => /is down/.test(JSON.stringify(body)));
  for (const channel of ['pagerduty', 'slack', 'email']) {
    await until(`a page by ${channel}`, async () => (await critical(channel))[0], 30_000);
  }
  assert.match(stack.output(), /service keeps ending and is given up/);
  // Blindness comes half a minute later, and is no second page.
  const blind = await until(
    'what it takes to be blind',
    async () => {
      const alerts = await getJson<Listed[]>(`${router}/api/v2/alerts?filter=alertname%3DObjectiveBlind`);
      return alerts.some(({ labels }) => labels['sloth_service'] === 'burnline-api') ? alerts : undefined;
    },
    60_000,
  );
  assert(
    blind.every(({ status }) => status.state === 'suppressed'),
    JSON.stringify(blind),
  );
  const incidents = async () => (await getJson<{ items: Incident[] }>(`${router}/api/v1/incidents`)).items;
  assert.deepEqual(
    (await incidents()).map(({ service, state }) => [service, state]),
    [['burnline-documents', 'open']],
  );
  const events = await inbox(simulators, 'pagerduty');
  assert.deepEqual(
    events.map(({ body }) => body['event_action']),
    ['trigger'],
  );
  // Somebody starts it by hand, where it was.
  const ports = ['--port', new URL(api).port, '--metrics-port', new URL(metrics).port];
  assert.equal(ports.length, FREE_PORTS['service']?.length);
  const address = { BURNLINE_VENDORS: 'simulated', SIMULATORS_PORT: new URL(simulators).port };
  await using _service = await startRole('service', { ...env, ...address }, ports);
  await until(
    'it is resolved',
    async () => {
      const [one] = await incidents();
      return one?.state === 'resolved' || undefined;
    },
    60_000,
  );
  assert.equal((await incidents()).length, 1);
  await stack.stop();
  removeFolder(folder);
});
