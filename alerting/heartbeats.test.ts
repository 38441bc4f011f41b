import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { instant } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type Desk, inSeconds, makeDesk, route, setupOf, slack, span, T0 } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { comeBack } from './alive.ts';
import { makeHeartbeats } from './heartbeats.ts';
import { receive } from './intake.ts';
import { makeMatcher } from './matcher.ts';
import type { Heartbeat } from './oncall/model.ts';
import { putFact } from './rows/facts.ts';
import { heartbeatRows, putBeats } from './rows/heartbeats.ts';
import { makeSqlStore } from './store-sql.ts';

const equals = (name: string, value: string) => {
  const made = makeMatcher(name, '=', value);
  assert(made.kind === 'matcher');
  return made.matcher;
};
const BACKUP: Heartbeat = {
  name: 'backup',
  every: span(60),
  grace: span(30),
  fromFirstBeat: false,
  severity: 'critical',
  labels: { service: 'docs' },
  alert: undefined,
};
const WATCHDOG: Heartbeat = { ...BACKUP, name: 'prometheus', alert: [equals('alertname', 'Watchdog')] };
const setup = (heartbeats: readonly Heartbeat[], version = 'v1') =>
  setupOf({
    root: route('team', { groupWait: span(0), groupBy: ['heartbeat'] }),
    receivers: [{ name: 'team', integrations: [slack()] }],
    heartbeats,
    version,
  });

/** `91 s firing heartbeat=backup` */
const told = (desk: Desk): string[] =>
  desk.arrived.map(({ at, message }) => {
    const status = message.kind === 'group' ? message.status : message.action;
    const names = message.alerts.list.map(({ labels }) => labels['heartbeat'] ?? labels['alertname']);
    return `${at / 1000} s ${status} ${names.join()}`;
  });

onEveryEngine('heartbeats', (db) => {
  beforeEach(async () => await emptyTables(db()));

  function stage(heartbeats: readonly Heartbeat[]) {
    const store = makeSqlStore(db());
    const desk = makeDesk(store, setup(heartbeats));
    const now = (): Milliseconds => milliseconds(T0 + desk.time);
    const parts = { db: db(), clock: systemClock, now, log: silentLog, setup: () => desk.setup };
    const routerOf = (before: () => Promise<void> = async () => {}) =>
      makeHeartbeats({
        ...parts,
        receive: async (alerts) => {
          await before();
          await receive(store, desk.setup, alerts, now());
        },
      });
    const one = routerOf();
    /** Every 10 s from here until then. */
    const pass = async (until: number, look = one.look) => {
      for (let at = desk.time / 1_000; at <= until; at += 10) {
        await desk.play(inSeconds(at));
        await look();
        await desk.play(inSeconds(at));
      }
    };
    const beat = (name: string) => putBeats(db(), [name], now());
    return { desk, pass, beat, now, routerOf, one };
  }

  test('one that counts from its first beat is not missed before, and is after it', async () => {
    const { desk, pass, beat } = stage([{ ...BACKUP, fromFirstBeat: true }]);
    await pass(300);
    assert.deepEqual(told(desk), []);
    await beat('backup');
    await pass(380);
    assert.deepEqual(told(desk), []);
    await pass(400);
    assert.deepEqual(told(desk), ['390 s firing backup']);
  });

  test('one that does not come in time is told once, and its next beat ends it', async () => {
    const { desk, pass, beat } = stage([BACKUP]);
    await pass(50);
    await beat('backup');
    await pass(130);
    assert.deepEqual(told(desk), []);
    await pass(300);
    assert.deepEqual(told(desk), ['140 s firing backup']);
    const [message] = desk.arrived;
    assert.deepEqual(message?.message.alerts.list[0]?.labels, {
      alertname: 'HeartbeatMissing',
      eye: 'router',
      heartbeat: 'backup',
      service: 'docs',
      severity: 'critical',
    });
    // Renewed while it lasts: it is not taken for ended after five minutes.
    await pass(700);
    assert.deepEqual(told(desk).length, 1);
    for (; desk.time < 760_000; desk.time += 10_000) {
      await beat('backup');
      await pass(desk.time / 1_000);
    }
    assert.deepEqual(told(desk), ['140 s firing backup', '740 s resolved backup']);
    await pass(900);
    assert.equal(told(desk).at(-1), '840 s firing backup', 'and is missed again, 90 s after its last beat');
  });

  test('an alert that is a beat is told to nobody, and is missed when it does not come', async () => {
    const { desk, pass } = stage([WATCHDOG]);
    for (let at = 0; at < 600; at += 60) {
      await desk.fire({ alertname: 'Watchdog', severity: 'none' });
      await pass(at + 60);
    }
    assert.deepEqual(told(desk), []);
    const [row] = await heartbeatRows(db());
    assert.equal(row?.beatAt, inSeconds(540));
    // Its end is no beat.
    await desk.resolve({ alertname: 'Watchdog', severity: 'none' });
    await pass(640);
    assert.deepEqual(told(desk), ['630 s firing prometheus']);
  });

  test('a router that was away gives everybody their time again, but forgets nothing that it had said', async () => {
    const { desk, pass, beat, now } = stage([BACKUP, { ...BACKUP, name: 'other' }]);
    await pass(80);
    await beat('other');
    await pass(90);
    assert.deepEqual(told(desk), ['90 s firing backup']);
    await putFact(db(), 'alive', now(), now());
    desk.time = 3_600_000;
    await comeBack(db(), now(), silentLog);
    await pass(3_600 + 80);
    assert.deepEqual(told(desk), ['90 s firing backup']);
    await pass(3_600 + 400);
    assert.deepEqual(told(desk), ['90 s firing backup', '3690 s firing other']);
  });

  test('several routers say it once, and what one has taken back the other does not bring back', async () => {
    const { desk, pass, beat, routerOf, one } = stage([BACKUP]);
    const other = routerOf();
    await pass(200, async () => void (await Promise.all([one.look(), other.look()])));
    assert.deepEqual(told(desk), ['90 s firing backup']);
    await beat('backup');
    await pass(280, async () => void (await Promise.all([other.look(), one.look()])));
    const rows = await db().query<{ ends: Milliseconds }>('select ends_at as ends from alerting.alerts');
    assert(rows.every(({ ends }) => ends <= inSeconds(202)));
  });

  test('one that says it is missing while it comes back takes that back', async () => {
    const { desk, pass, beat, routerOf, one } = stage([BACKUP]);
    await pass(140);
    let once = true;
    const slow = routerOf(async () => {
      if (!once) return;
      once = false;
      await beat('backup');
      await one.look();
      desk.time += 1;
    });
    await slow.look();
    assert(!once);
    const [row] = await db().query<{ ends: Milliseconds }>('select ends_at as ends from alerting.alerts');
    assert.equal(row?.ends, T0 + desk.time);
  });

  test('one that is not expected any more is ended and forgotten', async () => {
    const { desk, pass } = stage([BACKUP]);
    await pass(100);
    desk.setup = setup([], 'v2');
    await pass(400);
    assert.deepEqual(told(desk), ['90 s firing backup', '390 s resolved backup']);
    assert.deepEqual(await heartbeatRows(db()), []);
  });

  test('routers with different files each judge their own, and neither takes anything from the other', async () => {
    const { desk, pass, beat, now, routerOf, one } = stage([BACKUP]);
    const setups = [setup([BACKUP], 'v1'), setup([{ ...BACKUP, name: 'other' }], 'v2'), setup([], 'v3')];
    const looks = [one, routerOf(), routerOf()].map(({ look }, i) => async () => {
      desk.setup = setups[i] ?? desk.setup;
      await look();
    });
    const all = async () => {
      for (const look of looks) await look();
    };
    await pass(50, all);
    await beat('other');
    const at = now();
    await pass(100, all);
    assert.deepEqual(told(desk), ['90 s firing backup']);
    const rows = await heartbeatRows(db());
    assert.deepEqual(
      rows.map(({ name, since, beatAt }) => ({ name, since, beatAt })),
      [
        { name: 'backup', since: T0, beatAt: undefined },
        { name: 'other', since: T0, beatAt: at },
      ],
    );
    await pass(200, all);
    assert.deepEqual(told(desk), ['90 s firing backup', '140 s firing other']);
    // The one that expects it is gone: it is over when its hold is.
    looks.splice(1, 1);
    await pass(240, all);
    assert.deepEqual(
      (await heartbeatRows(db())).map(({ name }) => name),
      ['backup'],
    );
  });

  test('routers that know one heartbeat differently do not take turns: the first keeps it', async () => {
    const { desk, pass, routerOf, one } = stage([BACKUP]);
    const looks = [one, routerOf()].map(({ look }, i) => async () => {
      desk.setup = setup([{ ...BACKUP, labels: { service: `docs-${i}` } }], `v${i}`);
      await look();
    });
    await pass(400, async () => {
      for (const look of looks) await look();
    });
    assert.deepEqual(told(desk), ['90 s firing backup']);
    const alerts = await db().query<{ labels: { service: string } }>('select labels from alerting.alerts');
    assert.deepEqual(
      alerts.map(({ labels }) => labels.service),
      ['docs-0'],
    );
    // It goes: the other judges it from then on, by its own labels.
    await pass(460, looks[1]);
    const later = await db().query('select 1 from alerting.alerts where ends_at > $1', [instant(inSeconds(460))]);
    assert.equal(later.length, 1);
    assert.equal((await heartbeatRows(db()))[0]?.raised?.['service'], 'docs-1');
  });
});
