/** Every deed of a person by the router's API stands in the audit trail, in the transaction of the deed; on each engine. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { auditTrail } from '#access/audit.ts';
import { makeLinks } from '#alerting/links.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import { type Desk, inSeconds, makeDesk, policy, route, setupOf, slack, span, T0 } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { openRouterApi, type TestApi } from '#test/kit/router-api.ts';

const setup = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
  receivers: [{ name: 'pager', integrations: [slack()] }],
  policies: [policy('pager')],
});
const SILENCE = {
  matchers: [{ name: 'alertname', value: 'Down', isRegex: false }],
  startsAt: inSeconds(60),
  endsAt: inSeconds(3_600),
  createdBy: 'somebody else altogether',
  comment: 'maintenance',
};
const silence = (more = {}) => ({
  ...SILENCE,
  startsAt: new Date(SILENCE.startsAt).toISOString(),
  endsAt: new Date(SILENCE.endsAt).toISOString(),
  ...more,
});

onEveryEngine('the audit trail of the router', (db) => {
  beforeEach(async () => await emptyTables(db()));

  async function open(
    more: Parameters<typeof openRouterApi>[2] = {},
  ): Promise<{ desk: Desk; api: TestApi; id: string }> {
    const desk = makeDesk(makeSqlStore(db()), setup);
    await desk.fire({ alertname: 'Down', service: 'docs', severity: 'critical' });
    await desk.play(milliseconds(T0 + 1_000));
    const rows = await db().query<{ id: string }>('select id from alerting.incidents');
    return { desk, api: await openRouterApi(db(), desk, more), id: rows[0]?.id ?? '' };
  }
  const trail = async () =>
    (await auditTrail(db(), 'default', { limit: 100 }))
      .map(({ subject, action, target, outcome }) => `${subject} ${action} ${target} ${outcome}`)
      .toReversed();

  test('has who answered an incident, whatever name they gave; what was said already is no deed', async () => {
    const { api, id } = await open();
    await using _ = api;
    const post = async (what: string, body: object) =>
      await api.ask(`/api/v1/incidents/${id}/${what}`, { method: 'POST', body, headers: { 'x-correlation-id': what } });
    for (const [what, body] of [
      ['acknowledge', { by: 'the night shift' }],
      ['acknowledge', {}],
      ['notes', { text: 'looking' }],
      ['snooze', { minutes: 5 }],
      ['resolve', {}],
      ['resolve', {}],
    ] as const) {
      assert.equal((await post(what, body)).status, 200, what);
    }
    assert.deepEqual(
      await trail(),
      ['acknowledge', 'note', 'snooze', 'resolve'].map((what) => `ada incidents:${what} ${id} done`),
    );
    const [last] = await auditTrail(db(), 'default', { limit: 1 });
    assert.equal(last?.correlationId, 'resolve');
  });

  test('has silences, changes, and a reload with what came of it; alerts and beats of programs are not in it', async () => {
    let wrong: string | undefined;
    const { api } = await open({ reload: async () => wrong });
    await using _ = api;
    const made = await api.ask<{ silenceID: string }>('/api/v2/silences', { method: 'POST', body: silence() });
    const id = made.body.silenceID;
    const changed = silence({ id, comment: 'longer' });
    assert.equal((await api.ask('/api/v2/silences', { method: 'POST', body: changed })).status, 200);
    for (let i = 0; i < 2; i++)
      assert.equal((await api.ask(`/api/v2/silence/${id}`, { method: 'DELETE' })).status, 200);
    const begun = silence({ startsAt: new Date(inSeconds(0)).toISOString() });
    const first = (await api.ask<{ silenceID: string }>('/api/v2/silences', { method: 'POST', body: begun })).body
      .silenceID;
    const other = { ...begun, id: first, matchers: [{ name: 'alertname', value: 'Up', isRegex: false }] };
    const second = (await api.ask<{ silenceID: string }>('/api/v2/silences', { method: 'POST', body: other })).body
      .silenceID;
    assert.notEqual(second, first, 'it holds already: it ends, and another begins');
    const change = { summary: 'v42', key: 'v42' };
    const told = await api.ask<{ id: string }>('/api/v1/changes', { method: 'POST', body: change });
    assert.equal((await api.ask('/api/v1/changes', { method: 'POST', body: change })).status, 200);
    assert.equal((await api.ask('/-/reload', { method: 'POST' })).status, 200);
    wrong = 'a fault';
    assert.equal((await api.ask('/-/reload', { method: 'POST' })).status, 500);
    const alerts = [{ labels: { alertname: 'Other' } }];
    assert.equal((await api.ask('/api/v2/alerts', { method: 'POST', body: alerts })).status, 200);
    assert.deepEqual(await trail(), [
      `ada silences:create ${id} done`,
      `ada silences:change ${id} done`,
      `ada silences:expire ${id} done`,
      `ada silences:create ${first} done`,
      `ada silences:expire ${first} done`,
      `ada silences:create ${second} done`,
      `ada changes:create ${told.body.id} done`,
      'ada router:reload files done',
      'ada router:reload files failed',
    ]);
  });

  test('has what a signed link did, which is nobody in particular', async () => {
    const { api, id } = await open();
    await using _ = api;
    const links = makeLinks(api.url, secret('x'));
    for (const action of ['acknowledge', 'silence'] as const) {
      const url = links.sign(action, id, milliseconds(T0));
      assert.equal((await fetch(url)).status, 200, 'opening one does nothing');
      assert.equal((await fetch(url, { method: 'POST' })).status, 200);
    }
    const found = await trail();
    assert.equal(found[0], `link incidents:acknowledge ${id} done`);
    assert.match(found[1] ?? '', /^link silences:create \S+ done$/);
    assert.equal(found.length, 2);
  });

  test('stands or falls with the deed', async () => {
    const broken = withoutAudit(db());
    const desk = makeDesk(makeSqlStore(broken), setup);
    await desk.fire({ alertname: 'Down', service: 'docs', severity: 'critical' });
    await desk.play(milliseconds(T0 + 1_000));
    await using api = await openRouterApi(broken, desk);
    const before = await db().query(`select id, state from alerting.incidents`);
    const [{ id } = { id: '' }] = before as { id: string }[];
    assert.equal((await api.ask(`/api/v1/incidents/${id}/acknowledge`, { method: 'POST', body: {} })).status, 500);
    assert.equal((await api.ask('/api/v2/silences', { method: 'POST', body: silence() })).status, 500);
    assert.equal((await api.ask('/api/v1/changes', { method: 'POST', body: { summary: 'x' } })).status, 500);
    assert.deepEqual(await db().query(`select id, state from alerting.incidents`), before);
    assert.deepEqual(await db().query('select id from alerting.silences'), []);
    assert.deepEqual(await db().query('select id from alerting.changes'), []);
  });
});

/** A store whose audit trail takes no row. */
function withoutAudit(db: Db): Db {
  const guarded = (q: Queryable): Queryable => ({
    query: async (text, params) => {
      if (text.includes('into access.audit')) throw new Error('the disk is full');
      return await q.query(text, params);
    },
  });
  return { ...db, ...guarded(db), tx: (work) => db.tx((q) => work(guarded(q))) };
}
