/** What is told of incidents, asked over a real socket. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { milliseconds } from '#kernel/units.ts';
import {
  type Desk,
  inSeconds,
  makeDesk,
  PAGER_THEN_BOSS,
  policy,
  route,
  setupOf,
  slack,
  span,
  T0,
} from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { openRouterApi, type TestApi } from '#test/kit/router-api.ts';
import type { IncidentDetailShown, IncidentShown } from './v1-incidents.ts';

type Page = { readonly items: readonly IncidentShown[]; readonly nextCursor: string | null };
const ON_CALL_FROM = inSeconds(200);
const setup = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
  receivers: [
    { name: 'pager', integrations: [slack()] },
    { name: 'boss', integrations: [slack()] },
  ],
  policies: [
    policy('pager', {
      steps: [PAGER_THEN_BOSS[0], { delay: span(300), targets: [{ kind: 'schedule', name: 'primary' }] }],
    }),
  ],
  onDuty: (_schedule, at) => [at >= ON_CALL_FROM ? 'grace' : 'ada'],
});
const critical = (service: string) => ({ alertname: 'Down', service, severity: 'critical' });
const RUNBOOK = 'https://runbooks.example.org/Down';

onEveryEngine('incidents as they are listed and shown', (db) => {
  let desk: Desk;
  let api: TestApi;
  before(async () => {
    await emptyTables(db());
    desk = makeDesk(makeSqlStore(db()), setup);
    api = await openRouterApi(db(), desk);
    for (const service of ['docs', 'search', 'mail']) {
      const labels = { ...critical(service), sloth_id: `${service}-available` };
      await desk.fire(labels, { annotations: { runbook_url: RUNBOOK, dashboard: 'javascript:alert(1)' } });
    }
    await desk.play(inSeconds(1));
    const { items } = (await api.ask<Page>('/api/v1/incidents')).body;
    const idOf = (service: string) => items.find((one) => one.service === service)?.id;
    await api.ask(`/api/v1/incidents/${idOf('search')}/acknowledge`, { method: 'POST' });
    await api.ask(`/api/v1/incidents/${idOf('mail')}/resolve`, { method: 'POST' });
  });
  after(async () => await api[Symbol.asyncDispose]());
  const services = async (query: string) => {
    const { status, body } = await api.ask<Page>(`/api/v1/incidents?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body.items.map(({ service }) => service).sort();
  };

  test('are those of one state, of several, and of any', async () => {
    assert.deepEqual(await services('state=open'), ['docs']);
    assert.deepEqual(await services('state=open&state=acknowledged'), ['docs', 'search']);
    assert.deepEqual(await services(''), ['docs', 'mail', 'search']);
    const { status, body } = await api.ask<{ detail: string }>('/api/v1/incidents?state=open&state=gone');
    assert.equal(status, 400);
    assert.match(body.detail, /state.*open/, body.detail);
  });

  test('are those of an objective or a service', async () => {
    assert.deepEqual(await services('objective=docs-available'), ['docs']);
    assert.deepEqual(await services('service=search'), ['search']);
    assert.deepEqual(await services('service=search&objective=docs-available'), []);
  });

  test('say whom the next step will tell, as it looks now, and where to read on', async () => {
    const { body } = await api.ask<Page>('/api/v1/incidents?state=open');
    const shown = (await api.ask<IncidentDetailShown>(`/api/v1/incidents/${body.items[0]?.id}`)).body;
    // Not whom the message said, but who has it then.
    assert.deepEqual(shown.next, { who: ['grace'], at: new Date(T0 + 300_000).toISOString() });
    assert.deepEqual([shown.runbook, shown.dashboard], [RUNBOOK, null]);
    const acknowledged = (await api.ask<Page>('/api/v1/incidents?state=acknowledged')).body.items[0];
    const quiet = (await api.ask<IncidentDetailShown>(`/api/v1/incidents/${acknowledged?.id}`)).body;
    assert.equal(quiet.next, null);
  });

  test('what is over answers an acknowledgement as it is', async () => {
    const [over] = (await api.ask<Page>('/api/v1/incidents?state=resolved')).body.items;
    desk.time = milliseconds(5_000);
    const { status, body } = await api.ask<IncidentShown>(`/api/v1/incidents/${over?.id}/acknowledge`, {
      method: 'POST',
    });
    assert.deepEqual([status, body], [200, over]);
  });

  test('a runbook that ships is told by its alert, where no link is, and read by its name; no address leads elsewhere', async () => {
    await desk.fire({ alertname: 'Down', service: 'disk', severity: 'critical' });
    await desk.fire({ alertname: '../../package', service: 'other', severity: 'critical' });
    await desk.play(milliseconds(T0 + desk.time + 1_000));
    const runbookOf = async (service: string) => {
      const { body } = await api.ask<Page>(`/api/v1/incidents?service=${service}`);
      return (await api.ask<IncidentDetailShown>(`/api/v1/incidents/${body.items[0]?.id}`)).body.runbook;
    };
    assert.deepEqual([await runbookOf('disk'), await runbookOf('other')], ['docs/runbooks/Down.md', null]);
    for (const name of ['Down', 'Down.md']) {
      const { status, body, headers } = await api.ask<string>(`/api/v1/runbooks/${name}`);
      assert.deepEqual([status, body], [200, '# Down\n']);
      assert.match(headers.get('content-type') ?? '', /^text\/markdown/);
    }
    for (const name of [
      'Up',
      '..%2F..%2Fpackage',
      '%2e%2e%2f%2e%2e%2fREADME.md',
      'Down%00',
      '__proto__',
      'constructor',
    ]) {
      const { status } = await api.ask(`/api/v1/runbooks/${name}`);
      assert([400, 404].includes(status), `${name} ${status}`);
    }
  });
});
