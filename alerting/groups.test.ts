import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import type { Integration } from '#alerting/config/config.ts';
import { secret } from '#kernel/secret.ts';
import {
  type Arrived,
  inSeconds,
  makeDesk,
  PAGER_THEN_BOSS,
  pagerduty,
  policy,
  route,
  setupOf,
  slack,
  span,
} from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { answer } from './answer.ts';
import { flushOne } from './groups.ts';
import { escalateOne } from './incidents.ts';
import { regroup } from './regroup.ts';
import { makeSqlStore } from './store-sql.ts';

const PAGER = policy('pager', {
  steps: PAGER_THEN_BOSS,
  repeat: { times: 1, after: span(600) },
});
const plain = setupOf({ root: route('team'), receivers: [{ name: 'team', integrations: [slack()] }] });
const paging = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
  receivers: [
    { name: 'pager', integrations: [pagerduty(), slack()] },
    { name: 'boss', integrations: [slack()] },
  ],
  policies: [PAGER],
});
const CRITICAL = { alertname: 'Down', service: 'docs', severity: 'critical' };

/** `30 s: team/slack firing 1`, for comparison. */
const told = (arrived: readonly Arrived[]): string[] =>
  arrived.map(({ at, destination, message }) => {
    const what =
      message.kind === 'group'
        ? `${message.status} ${message.alerts.firing}+${message.alerts.resolved}`
        : message.action;
    return `${at / 1000} s ${destination.replace(/^receiver\//, '')} ${what}`;
  });

onEveryEngine('groups and incidents', (db) => {
  beforeEach(async () => await emptyTables(db()));
  const desk = (setup = plain) => makeDesk(makeSqlStore(db()), setup);

  test('a group waits, is told, is told again when something is new, and when all of it has ended', async () => {
    const d = desk();
    await d.fire({ alertname: 'A', n: '1' });
    d.time = 10_000;
    await d.fire({ alertname: 'A', n: '2' });
    await d.play(inSeconds(60));
    assert.deepEqual(told(d.arrived), ['30 s team/slack[0] firing 2+0']);
    await d.fire({ alertname: 'A', n: '3' }, { endsAt: inSeconds(10_000) });
    await d.play(inSeconds(331));
    // Of the first two nobody has heard again: they are taken for ended after five minutes.
    assert.deepEqual(told(d.arrived).slice(1), ['330 s team/slack[0] firing 1+2']);
    await d.resolve({ alertname: 'A', n: '3' });
    await d.play(inSeconds(2_000));
    assert.deepEqual(told(d.arrived).slice(2), ['630 s team/slack[0] resolved 0+1']);
    assert.deepEqual(await db().query('select id from alerting.groups'), []);
  });

  test('a critical alert pages at once, escalates until somebody answers, and its end is told to all who were', async () => {
    const d = desk(paging);
    await d.fire(CRITICAL, { endsAt: inSeconds(100_000) });
    await d.play(inSeconds(10));
    assert.deepEqual(told(d.arrived), ['0 s pager/pagerduty[0] trigger', '0 s pager/slack[0] trigger']);
    await d.play(inSeconds(301));
    assert.deepEqual(told(d.arrived).slice(2), ['300 s boss/slack[0] trigger']);
    const [{ id = '' } = {}] = await db().query<{ id: string }>('select id from alerting.incidents');
    const acknowledged = await answer(d.around, id, { kind: 'acknowledge', by: 'ada' });
    assert.equal(acknowledged?.state, 'acknowledged');
    await d.play(inSeconds(5_000));
    const all = ['pager/pagerduty[0]', 'pager/slack[0]', 'boss/slack[0]'];
    assert.deepEqual(told(d.arrived).slice(3).sort(), all.map((to) => `301 s ${to} acknowledge`).sort());
    await d.resolve(CRITICAL);
    await d.play(inSeconds(5_100));
    assert.deepEqual(told(d.arrived).slice(6).sort(), all.map((to) => `5000 s ${to} resolve`).sort());
  });

  test('what somebody closed while it fired stays closed, and is a new page when it ends and fires again between two looks', async () => {
    const d = desk(paging);
    await d.fire(CRITICAL);
    await d.play(inSeconds(1));
    const [one] = await db().query<{ id: string }>('select id from alerting.incidents');
    d.time = 20_000;
    await answer(d.around, one?.id ?? '', { kind: 'resolve', by: 'ada' });
    await d.fire(CRITICAL);
    await d.play(inSeconds(40));
    const numbers = async () => (await db().query('select id from alerting.incidents')).length;
    assert.equal(await numbers(), 1, 'it goes on, and she knows');
    d.time = 41_000;
    await d.resolve(CRITICAL);
    d.time = 42_000;
    await d.fire(CRITICAL);
    await d.play(inSeconds(400));
    assert.equal(await numbers(), 2);
  });

  test('nobody answers: the steps begin again as often as the policy says, and then no more', async () => {
    const d = desk(paging);
    await d.fire(CRITICAL, { endsAt: inSeconds(100_000) });
    await d.play(inSeconds(10_000));
    assert.deepEqual(
      told(d.arrived).filter((one) => one.includes('slack')),
      [
        '0 s pager/slack[0] trigger',
        '300 s boss/slack[0] trigger',
        '900 s pager/slack[0] trigger',
        '1200 s boss/slack[0] trigger',
      ],
    );
  });

  test('a step whose every channel refuses for good goes on to the next at once', async () => {
    const d = desk(paging);
    d.outcome = (destination) =>
      destination.startsWith('receiver/pager')
        ? { kind: 'refused', because: '404' }
        : { kind: 'delivered', reference: undefined };
    await d.fire(CRITICAL, { endsAt: inSeconds(100_000) });
    await d.play(inSeconds(100));
    assert.deepEqual(told(d.arrived), ['0 s boss/slack[0] trigger']);
  });

  test('what fired and ended while a channel was away is told as one message when it is back', async () => {
    const d = desk(paging);
    d.outcome = (destination) =>
      destination.includes('slack') && d.time < 100_000
        ? { kind: 'retry', because: '503', after: undefined }
        : { kind: 'delivered', reference: undefined };
    await d.fire(CRITICAL);
    await d.play(inSeconds(20));
    await d.resolve(CRITICAL);
    await d.play(inSeconds(400));
    const what = d.arrived.map(({ destination, message }) => [
      destination,
      message.kind === 'incident' && message.action,
    ]);
    assert.deepEqual(what, [
      ['receiver/pager/pagerduty[0]', 'trigger'],
      ['receiver/pager/pagerduty[0]', 'resolve'],
      ['receiver/pager/slack[0]', 'missed'],
    ]);
  });

  test('Retry-After is kept to, and is not undercut because there is more to say', async () => {
    const d = desk(paging);
    let asked = 0;
    d.outcome = (destination) =>
      destination.includes('slack') && asked++ === 0
        ? { kind: 'retry', because: '429', after: span(40) }
        : { kind: 'delivered', reference: undefined };
    await d.fire(CRITICAL, { endsAt: inSeconds(100_000) });
    await d.play(inSeconds(5));
    await d.fire({ ...CRITICAL, instance: 'b' }, { endsAt: inSeconds(100_000) });
    await d.play(inSeconds(60));
    const toSlack = d.arrived.filter(({ destination }) => destination.includes('slack'));
    assert.equal(toSlack.length, 1);
    assert(toSlack[0] && toSlack[0].at >= 40_000, `at ${toSlack[0]?.at}`);
    assert.equal(toSlack[0]?.message.alerts.firing, 2);
  });

  test('what may have arrived under a name of its own is repeated under it, and not told anew as something else', async () => {
    const hook: Integration = {
      kind: 'webhook',
      index: 0,
      sendResolved: true,
      url: secret('http://127.0.0.1:1/hook'),
      maxAlerts: 0,
      timeout: span(5),
      authorization: undefined,
      basicAuth: undefined,
    };
    const d = desk(
      setupOf({
        root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
        receivers: [{ name: 'pager', integrations: [hook] }],
        policies: [{ ...PAGER, steps: [{ delay: span(0), targets: [{ kind: 'receiver', name: 'pager' }] }] }],
      }),
    );
    // It takes the page, and its answer is lost for a while.
    d.outcome = () =>
      d.time < 30_000 ? { kind: 'ambiguous', because: 'cut' } : { kind: 'delivered', reference: 'ok' };
    await d.fire(CRITICAL);
    await d.play(inSeconds(10));
    await d.resolve(CRITICAL);
    await d.play(inSeconds(200));
    const by = Map.groupBy(d.arrived, ({ circumstances }) => circumstances.id);
    const what = [...by.values()].map((all) => [
      ...new Set(all.map(({ message }) => message.kind === 'incident' && message.action)),
    ]);
    assert.deepEqual(what, [['trigger'], ['resolve']]);
  });

  test('a router that has not read the new files yet leaves to the others what only they know', async () => {
    const child = route('second', { id: '{}/{}/0', groupWait: span(0) });
    const receivers = ['team', 'second'].map((name) => ({ name, integrations: [slack()] }));
    const fresh = setupOf({ root: route('team', { routes: [child] }), receivers, version: 'v2' });
    const [old, young] = [desk(), desk(fresh)];
    await old.fire(CRITICAL, { endsAt: inSeconds(10_000) });
    await regroup(young.around.store, fresh, inSeconds(0));
    await old.play(inSeconds(5));
    young.time = 7_000;
    assert(await flushOne(young.around), 'its group is still there');
    // The message of it is claimed by the old one first.
    await old.play(inSeconds(20));
    await young.play(inSeconds(60));
    assert.deepEqual(
      [...old.arrived, ...young.arrived].map(({ destination }) => destination),
      ['receiver/second/slack[0]'],
    );
  });

  test('an incident whose policy only the others know goes on there', async () => {
    const d = desk(paging);
    const other = desk(plain);
    await d.fire(CRITICAL, { endsAt: inSeconds(100_000) });
    assert(await flushOne(d.around));
    await d.play(inSeconds(1));
    // As if its second step were due at once: the steps of the test's policy are minutes apart.
    await db().query('update alerting.incidents set due_at = opened_at');
    other.time = 1_000;
    assert(await escalateOne(other.around));
    await d.play(inSeconds(10));
    assert.deepEqual(told(d.arrived).slice(2), ['3 s boss/slack[0] trigger']);
  });

  test('what nobody knows any more is given up after a while', async () => {
    const d = desk(paging);
    await d.fire(CRITICAL, { endsAt: inSeconds(100_000) });
    assert(await flushOne(d.around));
    d.setup = plain;
    await d.play(inSeconds(200));
    const rows = await db().query('select distinct state from alerting.notifications');
    assert.deepEqual(rows, [{ state: 'refused' }]);
    assert.deepEqual(d.arrived, []);
  });
});
