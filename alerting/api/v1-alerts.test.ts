/** Alerts of an incident, counts of all, and what a silence would keep quiet: asked over a real socket, on every engine. */
import assert from 'node:assert/strict';
import test, { afterEach, beforeEach } from 'node:test';
import type { Alert } from '#alerting/alert.ts';
import { receive } from '#alerting/intake.ts';
import { fingerprint } from '#alerting/labels.ts';
import { makeMatcher } from '#alerting/matcher.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { milliseconds } from '#kernel/units.ts';
import { type Desk, inSeconds, makeDesk, policy, route, setupOf, slack, span, T0 } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { openRouterApi, type TestApi } from '#test/kit/router-api.ts';
import type { AlertsSummaryShown, IncidentAlertsShown } from './v1-alerts.ts';
import type { IncidentShown } from './v1-incidents.ts';
import type { SilencePreviewShown } from './v1-silences.ts';

const matcherOf = (name: string, value: string) => {
  const made = makeMatcher(name, '=', value);
  assert(made.kind === 'matcher');
  return made.matcher;
};
const setup = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
  receivers: [{ name: 'pager', integrations: [slack()] }],
  policies: [policy('pager')],
  inhibitRules: [
    {
      source: [matcherOf('alertname', 'AllDown')],
      target: [matcherOf('alertname', 'Slow')],
      equal: ['service'],
    } as never,
  ],
});
const labelsOf = (service: string, i: number, severity = 'critical', alertname = 'Down') => ({
  alertname,
  service,
  severity,
  instance: `host-${i}`,
});
const is = (name: string, value: string, isRegex = false) => ({ name, value, isRegex, isEqual: true });

onEveryEngine('alerts for pages', (db) => {
  let desk: Desk;
  let api: TestApi;
  beforeEach(async () => {
    await emptyTables(db());
    desk = makeDesk(makeSqlStore(db()), setup);
    api = await openRouterApi(db(), desk);
  });
  afterEach(async () => await api[Symbol.asyncDispose]());
  const many = async (service: string, count: number, severity?: string, alertname?: string) => {
    const at = milliseconds(T0 + desk.time);
    const alerts = Array.from({ length: count }, (_, i): Alert => {
      const labels = labelsOf(service, i, severity, alertname);
      const ends = { startsAt: at, endsAt: milliseconds(at + 300_000), timeout: true, updatedAt: at };
      return { fingerprint: fingerprint(labels), labels, annotations: { n: `${i}` }, generatorUrl: '', ...ends };
    });
    await receive(desk.around.store, setup, alerts, at);
  };
  const silence = async (...matchers: object[]) => {
    const times = { startsAt: new Date(T0 + desk.time).toISOString(), endsAt: new Date(T0 + 3_600_000).toISOString() };
    const body = { matchers, ...times, createdBy: 'ada', comment: 'known' };
    const made = await api.ask<{ silenceID: string }>('/api/v2/silences', { method: 'POST', body });
    assert.equal(made.status, 200);
    return made.body.silenceID;
  };
  const incident = async (service: string, state = 'open') => {
    const { body } = await api.ask<{ items: IncidentShown[] }>(`/api/v1/incidents?service=${service}&state=${state}`);
    const one = body.items.find(({ severity }) => severity === 'critical');
    assert(one);
    return one;
  };

  test('an incident has all of its own, page by page, and not those of the warning beside it', async () => {
    await many('docs', 1_200);
    await many('docs', 30, 'warning', 'Slow');
    await desk.play(inSeconds(1));
    const { id } = await incident('docs');
    const seen = new Set<string>();
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < 10; pages++) {
      const path: string = `/api/v1/incidents/${id}/alerts?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { status, body }: { status: number; body: IncidentAlertsShown } = await api.ask(path);
      assert.equal(status, 200);
      assert.deepEqual([body.firing, body.resolved], [1_200, 0]);
      for (const one of body.items) seen.add(`${one.labels['severity']} ${one.labels['instance']} ${one.status}`);
      cursor = body.nextCursor;
    }
    assert.equal(seen.size, 1_200);
    assert([...seen].every((one) => one.startsWith('critical ') && one.endsWith(' firing')));
    assert.equal((await api.ask(`/api/v1/incidents/${id}/alerts?cursor=x`)).status, 400);
    assert.equal((await api.ask('/api/v1/incidents/gone/alerts')).status, 404);
  });

  test('each says what keeps it quiet; one that is over names what it was told of', async () => {
    await many('docs', 2);
    await many('docs', 1, 'warning', 'Slow');
    await desk.fire(labelsOf('docs', 9, 'critical', 'AllDown'));
    await desk.play(inSeconds(1));
    const silenceId = await silence(is('instance', 'host-1'));
    const { id } = await incident('docs');
    const { body } = await api.ask<IncidentAlertsShown>(`/api/v1/incidents/${id}/alerts`);
    const told = body.items.map((one) => [one.labels['instance'], one.silencedBy, one.inhibitedBy.length]).sort();
    assert.deepEqual(told, [
      ['host-0', [], 0],
      ['host-1', [silenceId], 0],
      ['host-9', [], 0],
    ]);
    assert.equal(body.nextCursor, null);
    desk.time = 2_000;
    for (const i of [0, 1]) await desk.resolve(labelsOf('docs', i));
    await desk.resolve(labelsOf('docs', 9, 'critical', 'AllDown'));
    await desk.play(inSeconds(400));
    const over = (await api.ask<IncidentAlertsShown>(`/api/v1/incidents/${id}/alerts`)).body;
    assert.equal((await incident('docs', 'resolved')).id, id);
    assert.deepEqual(
      [over.firing, over.resolved, over.items.map(({ status }) => status)],
      [0, 3, Array(3).fill('resolved')],
    );
    assert(over.items.every(({ endsAt }) => endsAt !== null));
  });

  test('all are counted by severity and by what keeps them quiet', async () => {
    await many('docs', 3);
    await many('docs', 2, 'warning', 'Slow');
    await many('mail', 4, 'none');
    await desk.fire(labelsOf('docs', 9, 'critical', 'AllDown'));
    await silence(is('service', 'mail'));
    const summary = async () => (await api.ask<AlertsSummaryShown>('/api/v1/alerts/summary')).body;
    const expected = {
      alerts: 10,
      bySeverity: { critical: 4, warning: 2, info: 4 },
      byState: { active: 4, silenced: 4, inhibited: 2, muted: 0 },
    };
    assert.deepEqual(await summary(), expected);
    await many('search', 1);
    assert.deepEqual(await summary(), expected, 'as it was found within five seconds');
    desk.time = 5_000;
    assert.equal((await summary()).alerts, 11);
  });

  test('a preview says what a silence would keep quiet now, and of which incidents', async () => {
    await many('docs', 60);
    await many('docs', 2, 'warning', 'Slow');
    await many('mail', 1);
    await desk.play(inSeconds(1));
    await silence(is('instance', 'host-0'), is('service', 'docs'));
    const ask = (...matchers: object[]) =>
      api.ask<SilencePreviewShown>('/api/v1/silences/preview', { method: 'POST', body: { matchers } });
    const { status, body } = await ask(is('service', 'do.*', true));
    assert.equal(status, 200, JSON.stringify(body));
    const { list, incidents, ...counts } = body;
    assert.deepEqual(counts, { alerts: 62, critical: 60, warning: 2, info: 0, silenced: 2 });
    assert.equal(list.length, 50);
    assert.deepEqual(incidents.map(({ severity }) => severity).sort(), ['critical', 'warning']);
    const critical = await ask(is('service', 'docs'), is('severity', 'critical'));
    assert.deepEqual(
      critical.body.incidents.map(({ id }) => id),
      [(await incident('docs')).id],
    );
    assert.deepEqual((await ask(is('service', 'nothing'))).body.alerts, 0);
  });

  const FAULTS: readonly (readonly [string, object[], RegExp])[] = [
    [
      'an expression that is none',
      [is('a', 'b'), is('c', '(', true)],
      /^body "matchers\.1\.value": "\(" is no regular/,
    ],
    ['a name that is none', [is('', 'b')], /^body "matchers\.0\.name": "" is no label name/],
    ['matchers that hold everything', [is('a', '.*', true)], /^body "matchers": at least one matcher must not match/],
    ['none', [], /^body "matchers"/],
  ];
  for (const [title, matchers, expected] of FAULTS) {
    test(`a preview refuses ${title} by its field`, async () => {
      const asked = await api.ask<{ detail: string }>('/api/v1/silences/preview', {
        method: 'POST',
        body: { matchers },
      });
      assert.equal(asked.status, 400);
      assert.match(asked.body.detail, expected);
    });
  }
});
