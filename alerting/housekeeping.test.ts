import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { beforeEach } from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { type Db, instant, type Queryable } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { makeDesk, pagerduty, policy, route, setupOf, slack, span, T0 } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { answer } from './answer.ts';
import { forget, KEPT } from './housekeeping.ts';
import { saveCheckpoint } from './rows/checkpoints.ts';
import { countNotifications, countPages } from './rows/counts.ts';
import { forgetChanges, forgetInbound, forgetNotifications, forgetTimeline, vacuumTables } from './rows/forget.ts';
import { makeSqlStore } from './store-sql.ts';

const setup = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
  receivers: [{ name: 'pager', integrations: [pagerduty(), slack()] }],
  policies: [policy('pager')],
});
const TABLES = ['alerts', 'silences', 'notifications', 'incidents', 'timeline', 'inbound', 'changes'] as const;
const signal = new AbortController().signal;

onEveryEngine('housekeeping', (db, engine) => {
  beforeEach(async () => await emptyTables(db()));

  const rows = async (): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (const table of TABLES) {
      const [row] = await db().query<{ n: number }>(`select count(*)::float8 as n from alerting.${table}`);
      found[table] = row?.n ?? 0;
    }
    return found;
  };
  const counted = async (now: Milliseconds) => ({
    pages: await countPages(db(), now),
    notifications: (await countNotifications(db()))
      .filter(({ count }) => count > 0)
      .map(({ channel, state, count }) => `${channel} ${state} ${count}`)
      .sort(),
  });
  const sweep = async (at: Milliseconds) =>
    await forget({ db: db(), clock: systemClock, now: () => at, log: silentLog }, signal);

  /** Two incidents that are over, with pages in time, late and refused; one that is still open. */
  async function history(db: Db) {
    const desk = makeDesk(makeSqlStore(db), setup);
    const labels = (service: string) => ({ alertname: 'Down', service, severity: 'critical' });
    await desk.fire(labels('a'));
    await desk.play(milliseconds(T0 + 10_000));
    await desk.resolve(labels('a'));
    await desk.play(milliseconds(T0 + 400_000));
    desk.outcome = (destination) => {
      if (destination.includes('slack')) return { kind: 'refused', because: 'status 410' };
      return desk.time < 600_000
        ? { kind: 'retry', because: 'status 503', after: undefined }
        : { kind: 'delivered', reference: undefined };
    };
    await desk.fire(labels('b'));
    await desk.play(milliseconds(T0 + 700_000));
    const [incident] = await db.query<{ id: string }>(`select id from alerting.incidents where service = 'b'`);
    await answer(desk.around, incident?.id ?? '', { kind: 'resolve', by: 'ada' });
    desk.outcome = () => ({ kind: 'delivered', reference: undefined });
    await desk.play(milliseconds(T0 + 2_000_000));
    await desk.fire(labels('c'), { endsAt: milliseconds(T0 + 2 * KEPT.records) });
    await desk.play(milliseconds(T0 + 2_100_000));
    return milliseconds(T0 + desk.time);
  }

  test('what is recent stays, and after an hour only alerts go that have ended and are in no group', async () => {
    const now = await history(db());
    const before = await rows();
    assert.deepEqual(Object.values(await sweep(now)), [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(await rows(), before);
    const forgotten = await sweep(milliseconds(now + KEPT.alerts));
    assert.deepEqual(forgotten, {
      alerts: 2,
      silences: 0,
      notifications: 0,
      incidents: 0,
      timeline: 0,
      overrides: 0,
      inbound: 0,
      changes: 0,
    });
    const left = await db().query<{ labels: { service: string } }>('select labels from alerting.alerts');
    assert.deepEqual(
      left.map(({ labels }) => labels.service),
      ['c'],
    );
  });

  test('after 400 days what is over goes, what is open stays, and no counter goes back', async () => {
    const now = await history(db());
    const late = milliseconds(now + KEPT.records + 1);
    const before = await counted(late);
    assert.deepEqual(before.pages, { in_time: 4, late: 2 });
    assert.equal(await forgetNotifications(db(), late, 500), 0, 'what is in no sum yet stays');
    const forgotten = await sweep(late);
    // Of the open one the two pages are finished too.
    assert(forgotten.notifications >= 8 && forgotten.incidents === 2 && forgotten.timeline > 5, `${forgotten}`);
    assert.deepEqual(await counted(late), before);
    const left = await rows();
    assert.deepEqual([left['incidents'], left['notifications']], [1, 0]);
    const kinds = await db().query<{ kind: string }>('select kind from alerting.timeline order by id');
    assert.deepEqual(
      kinds.map(({ kind }) => kind),
      ['received', 'grouped', 'opened', 'paged', 'sent', 'sent'],
    );
    // What comes later is counted on top of it, and goes too in its time.
    await db().query(
      `insert into alerting.notifications (id, destination, channel, group_id, action, priority, state, message,
         created_at, available_at, finished_at)
       values ('z', 'receiver/pager/slack[0]', 'slack', 'g', 'trigger', 0, 'delivered', '{}', $1, $1, $1)`,
      [instant(late)],
    );
    const more = await counted(late);
    assert.deepEqual(more.pages, { in_time: 5, late: 2 });
    assert.notDeepEqual(more.notifications, before.notifications);
    const later = milliseconds(late + KEPT.records + 1);
    assert.equal((await sweep(later)).notifications, 1);
    assert.deepEqual(await counted(later), more);
  });

  test('a silence goes five days after its end', async () => {
    const at = (ms: number) => instant(milliseconds(T0 + ms));
    await db().query(
      `insert into alerting.silences (id, matchers, starts_at, ends_at, created_by, comment, updated_at)
       values ('old', '[]', $1, $2, '', '', $1), ('new', '[]', $1, $3, '', '', $1)`,
      [at(0), at(1_000), at(5_000)],
    );
    const { silences } = await sweep(milliseconds(T0 + KEPT.silences + 2_000));
    assert.equal(silences, 1);
    const left = await db().query<{ id: string }>('select id from alerting.silences');
    assert.deepEqual(
      left.map(({ id }) => id),
      ['new'],
    );
  });

  test('what PagerDuty told, and changes, go with the records', async () => {
    await db().query(
      `insert into alerting.inbound (source, id, incident_id, theirs, heard_at)
       values ('pagerduty', 'old', 'i', 'P1', $1), ('pagerduty', 'new', 'i', 'P1', $2)`,
      [instant(T0), instant(milliseconds(T0 + 5_000))],
    );
    await db().query(
      `insert into alerting.changes (id, at, summary, source, links, details, created_by, created_at)
       values ('old', $1, '', '', '[]', '{}', '', $1), ('new', $2, '', '', '[]', '{}', '', $2)`,
      [instant(T0), instant(milliseconds(T0 + 5_000))],
    );
    const { inbound, changes } = await sweep(milliseconds(T0 + KEPT.records + 2_000));
    assert.deepEqual([inbound, changes], [1, 1]);
    assert.deepEqual(await db().query('select id from alerting.changes'), [{ id: 'new' }]);
    assert.deepEqual(await db().query('select id from alerting.inbound'), [{ id: 'new' }]);
  });

  test('what another router is forgetting is not waited for', { skip: engine.startsWith('PGlite') }, async () => {
    await db().query(
      `insert into alerting.inbound (source, id, incident_id, theirs, heard_at) values ('pagerduty', 'old', 'i', 'P1', $1)`,
      [instant(T0)],
    );
    await db().query(
      `insert into alerting.changes (id, at, summary, source, links, details, created_by, created_at)
       values ('old', $1, '', '', '[]', '{}', '', $1)`,
      [instant(T0)],
    );
    const at = milliseconds(T0 + 1_000);
    const both = async (q: Queryable) => [await forgetInbound(q, at, 10), await forgetChanges(q, at, 10)];
    await db().tx(async (q) => {
      assert.deepEqual(await both(q), [1, 1]);
      assert.deepEqual(await both(db()), [0, 0]);
    });
  });

  test('what is written over does not make the embedded files grow', async (t) => {
    if (db().engine !== 'pglite') return t.skip('Postgres vacuums by itself');
    const size = async () => {
      for (let i = 0; i < 10; i++) await saveCheckpoint(db(), 'watch', randomBytes(100_000), T0);
      await vacuumTables(db());
      const [row] = await db().query<{ n: number }>(`select pg_total_relation_size('alerting.checkpoints') as n`);
      return row?.n ?? 0;
    };
    const first = await size();
    assert(first > 1_000_000);
    assert((await size()) < first * 1.3);
  });

  test('neither does what is written over of an incident, nor what is forgotten', async (t) => {
    if (db().engine !== 'pglite') return t.skip('Postgres vacuums by itself');
    const desk = makeDesk(makeSqlStore(db()), setup);
    await desk.fire({ alertname: 'Down', service: 'a', severity: 'critical' });
    await desk.play(milliseconds(T0 + 1_000));
    const sizes = async () => {
      for (let i = 0; i < 10; i++) {
        const words = JSON.stringify(randomBytes(50_000).toString('base64'));
        await db().query('update alerting.incidents set message = $1::jsonb', [words]);
        await db().query(
          `insert into alerting.timeline (at, kind, because)
           select $1, 'noted', $2 || i from generate_series(1, 100) as i`,
          [instant(T0), 'x'.repeat(1_000)],
        );
        await forgetTimeline(db(), milliseconds(T0 + 1), 500);
      }
      await vacuumTables(db());
      const [row] = await db().query<{ n: number }>(
        `select pg_total_relation_size('alerting.incidents') + pg_total_relation_size('alerting.timeline') as n`,
      );
      return row?.n ?? 0;
    };
    const first = await sizes();
    assert((await sizes()) < first * 1.3);
  });

  test('more than a batch is forgotten batch by batch', async () => {
    await db().query(
      `insert into alerting.timeline (at, kind, because) select $1, 'suppressed', '' from generate_series(1, 1200)`,
      [instant(T0)],
    );
    assert.equal((await sweep(milliseconds(T0 + KEPT.records + 1))).timeline, 1_200);
    assert.equal((await rows())['timeline'], 0);
  });
});
