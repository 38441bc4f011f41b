/** A report that people edit: kept, never written over unseen, and said in the timeline and the audit trail. */
import assert from 'node:assert/strict';
import test, { afterEach, beforeEach } from 'node:test';
import { auditTrail } from '#access/audit.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { type Desk, inSeconds, makeDesk, policy, route, setupOf, slack, span, T0 } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { openRouterApi, type TestApi } from '#test/kit/router-api.ts';
import type { IncidentDetailShown } from './v1-incidents.ts';
import type { NotificationShown } from './v1-notifications.ts';
import type { ReportSavedShown } from './v1-report.ts';

const setup = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
  receivers: [{ name: 'pager', integrations: [slack()] }],
  policies: [policy('pager')],
});
const PATH = '/api/v1/incidents/1/report';
type Problem = { readonly detail: string; readonly code: string };

onEveryEngine('an edited report', (db) => {
  let desk: Desk;
  let api: TestApi;
  beforeEach(async () => {
    await emptyTables(db());
    desk = makeDesk(makeSqlStore(db()), setup);
    api = await openRouterApi(db(), desk);
    await desk.fire({ alertname: 'Down', service: 'docs', severity: 'critical' });
    await desk.play(inSeconds(1));
  });
  afterEach(async () => await api[Symbol.asyncDispose]());
  const read = async (query = '') => {
    const { status, body, headers } = await api.ask<string>(`${PATH}${query}`);
    assert.equal(status, 200);
    return { text: body, etag: headers.get('etag') ?? '' };
  };
  const save = (markdown: string, etag: string | undefined, by?: string) =>
    api.ask<ReportSavedShown & Problem>(PATH, {
      method: 'PUT',
      body: { markdown, by },
      headers: etag === undefined ? {} : { 'if-match': etag },
    });

  test('stays as it was saved, while what is made goes on following the timeline', async () => {
    const made = await read();
    assert.match(made.text, /^# Incident #1/);
    assert.equal((await save('# Mine\n', made.etag, 'Ada')).status, 200);
    desk.time = 5_000;
    await api.ask('/api/v1/incidents/1/notes', { method: 'POST', body: { text: 'it is the disk' } });
    const edited = await read();
    assert.deepEqual([edited.text, edited.etag], ['# Mine\n', '"1"']);
    const fresh = await read('?generated=true');
    assert.match(fresh.text, /it is the disk/);
    assert.match(fresh.text, /edited \(Ada\) \| report edited/);
    assert.equal(fresh.etag, '"1"', 'whoever starts anew saves over this edit');
  });

  test('is not written over by whoever has not seen the last edit, and says who made it and when', async () => {
    const { etag } = await read();
    desk.time = 2_000;
    assert.equal((await save('# One\n', etag, 'Ada')).status, 200);
    const late = await save('# Two\n', etag, 'Bob');
    assert.deepEqual([late.status, late.body.code], [412, 'changed_meanwhile']);
    assert.match(late.body.detail, /^Ada edited it at 2025-.*:02\.000Z, and it is "1" now/);
    assert.equal((await read()).text, '# One\n');
    assert.equal((await save('# Two\n', '"1"', 'Bob')).body.revision, 2);
    assert.equal((await save('# Three\n', '*')).body.revision, 3);
    assert.equal((await save('# Four\n', '"7"')).status, 412);
  });

  test('of two who save at once one is told of the other', async () => {
    const both = await Promise.all([save('# One\n', '"0"', 'Ada'), save('# Two\n', '"0"', 'Bob')]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412]);
  });

  test('is told in the incident and the audit trail; what was refused is in neither', async () => {
    await save('# One\n', '"0"', 'Ada');
    await save('# Two\n', '"0"', 'Bob');
    const { body } = await api.ask<IncidentDetailShown>('/api/v1/incidents/1');
    assert.deepEqual(body.reportEdited, { by: 'Ada', at: new Date(T0 + 1_000).toISOString() });
    assert.deepEqual(
      body.timeline.filter(({ kind }) => kind === 'edited').map(({ actor }) => actor),
      ['Ada'],
    );
    const trail = await auditTrail(db(), 'default', { limit: 10 });
    assert.deepEqual(
      trail.map(({ subject, action, target }) => [subject, action, target]),
      [['ada', 'incidents:edit-report', body.id]],
    );
  });

  test('needs the ETag, some text, an incident and somebody who may', async () => {
    const missing = await save('# One\n', undefined);
    assert.deepEqual([missing.status, /^header "if-match"/.test(missing.body.detail)], [400, true]);
    assert.equal((await save('# One\n', 'W/"x"')).status, 400);
    assert.match((await save('  \n', '"0"')).body.detail, /^body "markdown": is empty/);
    assert.equal((await save('x'.repeat(500_001), '"0"')).status, 400);
    api.principal.roles = ['viewer'];
    assert.equal((await save('# One\n', '"0"')).status, 403);
    assert.equal((await api.ask('/api/v1/incidents/2/report')).status, 404);
  });

  test('what was sent is listed by its state and its channel', async () => {
    const list = async (query: string) => {
      const { status, body } = await api.ask<{ items: NotificationShown[] }>(`/api/v1/notifications?${query}`);
      return status === 200 ? body.items.length : status;
    };
    assert.equal(await list(''), 1);
    assert.equal(await list('state=delivered&channel=slack'), 1);
    assert.equal(await list('state=pending&state=delivered'), 1);
    assert.equal(await list('state=refused'), 0);
    assert.equal(await list('channel=email'), 0);
    assert.equal(await list('channel=pigeon'), 400);
  });
});
