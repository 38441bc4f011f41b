/** Overrides that people make: who is told follows them, the calendar shows them, and what is wrong is refused by its field. */
import assert from 'node:assert/strict';
import test, { afterEach, beforeEach } from 'node:test';
import { auditTrail } from '#access/audit.ts';
import type { Layer, Person, Schedule } from '#alerting/oncall/model.ts';
import { makeOverrides } from '#alerting/overrides.ts';
import { endOverride, insertOverride } from '#alerting/rows/overrides.ts';
import { withOverrides } from '#alerting/setup.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { milliseconds } from '#kernel/units.ts';
import { type Desk, inSeconds, makeDesk, policy, route, setupOf, slack, span, T0 } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { openRouterApi, type TestApi } from '#test/kit/router-api.ts';
import type { IncidentDetailShown } from './v1-incidents.ts';
import type { OnCallShown } from './v1-oncall.ts';
import type { OnCallCalendarShown, OverrideShown } from './v1-overrides.ts';

const HOUR = 3_600_000;
const iso = (hours: number): string => new Date(T0 + hours * HOUR).toISOString();
const person = (name: string): Person => ({
  name,
  displayName: name === 'ada' ? 'Ada' : name,
  contacts: [{ integration: slack(), severities: ['critical', 'warning'] }],
});
const midnight = { year: 2025, month: 11, day: 1, hour: 0, minute: 0 };
const layer = (name: string, who: string, more: Partial<Layer> = {}): Layer => ({
  ...{ name, people: [who], rotation: { every: 1, unit: 'day' }, start: midnight, end: undefined, restrictions: [] },
  ...more,
});
const primary: Schedule = {
  name: 'primary',
  zone: 'UTC',
  layers: [
    layer('weekly', 'ada'),
    layer('nights', 'bob', { restrictions: [{ weekdays: [0, 1, 2, 3, 4, 5, 6], from: 1_200, to: 360 }] }),
  ],
  overrides: [{ person: 'eve', from: milliseconds(T0 + 48 * HOUR), to: milliseconds(T0 + 49 * HOUR) }],
};
const office: Schedule = {
  name: 'office',
  zone: 'Europe/Berlin',
  layers: [layer('day', 'ada', { end: { ...midnight, day: 2 } })],
  overrides: [],
};
const setup = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
  receivers: [{ name: 'pager', integrations: [slack()] }],
  policies: [
    policy('pager', {
      steps: [
        { delay: span(0), targets: [{ kind: 'schedule', name: 'primary' }] },
        { delay: span(200), targets: [{ kind: 'schedule', name: 'primary' }] },
      ],
    }),
  ],
  people: new Map(['ada', 'bob', 'eve'].map((name) => [name, person(name)])),
  schedules: new Map([primary, office].map((one) => [one.name, one])),
});
type Problem = { readonly detail: string };

onEveryEngine('overrides', (db) => {
  let desk: Desk;
  let api: TestApi;
  beforeEach(async () => {
    await emptyTables(db());
    desk = makeDesk(makeSqlStore(db()), withOverrides(setup, []));
    api = await openRouterApi(db(), desk);
  });
  afterEach(async () => await api[Symbol.asyncDispose]());
  const make = (who: string, from: number, to: number, more: object = {}) =>
    api.ask<OverrideShown & Problem>('/api/v1/oncall/overrides', {
      method: 'POST',
      body: { schedule: 'primary', person: who, from: iso(from), to: iso(to), ...more },
    });
  const end = (id: string | null) => api.ask<Problem>(`/api/v1/oncall/overrides/${id}`, { method: 'DELETE' });
  const calendar = async (from: number, to: number, query = '') => {
    const { status, body } = await api.ask<OnCallCalendarShown[]>(
      `/api/v1/oncall/calendar?from=${iso(from)}&to=${iso(to)}${query}`,
    );
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };

  test('the next step of an incident goes to whoever took the shift over, and back when it is ended', async () => {
    await desk.fire({ alertname: 'Down', service: 'docs', severity: 'critical' });
    await desk.play(inSeconds(1));
    assert.deepEqual(
      desk.arrived.map(({ destination }) => destination),
      ['person/ada/slack[0]'],
    );
    const made = await make('eve', 0, 5, { because: 'ada is ill' });
    assert.equal(made.status, 201, made.body.detail);
    const next = async () => (await api.ask<IncidentDetailShown>('/api/v1/incidents/1')).body.next;
    assert.deepEqual(await next(), { who: ['eve'], at: new Date(T0 + 200_000).toISOString() });
    const onDuty = async (query = '') => (await api.ask<OnCallShown[]>(`/api/v1/oncall${query}`)).body[0]?.onDuty;
    assert.deepEqual(await onDuty(), [{ name: 'eve', displayName: 'eve' }]);
    await desk.play(inSeconds(201));
    assert.equal(desk.arrived.at(-1)?.destination, 'person/eve/slack[0]');
    assert.equal((await end(made.body.id)).status, 204);
    assert.deepEqual(await onDuty(), [{ name: 'ada', displayName: 'Ada' }]);
    assert.deepEqual(await onDuty(`?at=${iso(0.05)}`), [{ name: 'eve', displayName: 'eve' }], 'it was so');
    assert.equal((await end(made.body.id)).status, 404);
  });

  test('the calendar says of each shift by what it is, and has layers, gaps and overrides', async () => {
    // T0 is 16:00 UTC; the nights are from 20:00 to 06:00.
    const { body: made } = await make('eve', 5, 6, { because: 'a swap', by: 'Grace' });
    const [first, second] = await calendar(0, 50);
    assert(first && second);
    const shifts = first.shifts.map((one) => [
      (Date.parse(one.from) - T0) / HOUR,
      one.person,
      one.layer ?? (one.fromFile ? 'file' : one.override === made.id),
    ]);
    assert.deepEqual(shifts, [
      [0, 'ada', 'weekly'],
      [4, 'bob', 'nights'],
      [5, 'eve', true],
      [6, 'bob', 'nights'],
      [14, 'ada', 'weekly'],
      [28, 'bob', 'nights'],
      [38, 'ada', 'weekly'],
      [48, 'eve', 'file'],
      [49, 'ada', 'weekly'],
    ]);
    assert.equal(first.shifts[0]?.displayName, 'Ada');
    assert.deepEqual(
      first.layers.map(({ name, shifts: own }) => [name, own.length]),
      [
        ['weekly', 1],
        ['nights', 2],
      ],
    );
    assert.deepEqual(
      first.overrides.map(({ id, fromFile, createdBy, because }) => [id, fromFile, createdBy, because]),
      [
        [null, true, null, null],
        [made.id, false, 'Grace', 'a swap'],
      ],
    );
    assert.deepEqual(first.gaps, []);
    assert.deepEqual(
      [second.timeZone, second.shifts, second.gaps],
      ['Europe/Berlin', [], [{ from: iso(0), to: iso(50) }]],
    );
    assert.equal((await calendar(0, 1, '&schedule=office')).length, 1);
  });

  test('the youngest is on top; one that is ended keeps what it held, one that had not begun is gone', async () => {
    const older = (await make('bob', 0, 10)).body;
    const younger = (await make('eve', 2, 4)).body;
    const who = async () =>
      (await calendar(0, 10))[0]?.shifts.map((one) => [one.person, (Date.parse(one.from) - T0) / HOUR]);
    assert.deepEqual(await who(), [
      ['bob', 0],
      ['eve', 2],
      ['bob', 4],
    ]);
    desk.time = 3 * HOUR;
    assert.equal((await end(younger.id)).status, 204);
    assert.deepEqual(await who(), [
      ['bob', 0],
      ['eve', 2],
      ['bob', 3],
    ]);
    const future = (await make('eve', 5, 6)).body;
    await end(future.id);
    assert.deepEqual(
      (await calendar(0, 10))[0]?.overrides.map(({ id }) => id),
      [older.id, younger.id],
    );
    const past = await make('eve', -2, 4);
    assert.equal(past.body.from, iso(3), 'what was is not changed');
  });

  test('what was made and ended stands in the audit trail, with who did it', async () => {
    const { body } = await make('eve', 0, 1);
    await end(body.id);
    const trail = await auditTrail(db(), 'default', { limit: 10 });
    assert.deepEqual(
      trail.map(({ subject, action, target }) => [subject, action, target]),
      [
        ['ada', 'oncall:end-override', body.id],
        ['ada', 'oncall:override', body.id],
      ],
    );
  });

  const FAULTS: readonly (readonly [string, Parameters<typeof make>, RegExp])[] = [
    ['a person that there is not', ['zed', 0, 1], /^body "person": there is no person zed/],
    [
      'a schedule that there is not',
      ['eve', 0, 1, { schedule: 'gone' }],
      /^body "schedule": there is no schedule gone/,
    ],
    ['an end before its start', ['eve', 2, 1], /^body "to": must be after "from"/],
    ['one that is over', ['eve', -2, -1], /^body "to": is past/],
    ['one of more than 90 days', ['eve', 1, 24 * 91 + 1], /^body "to": at most 90 days/],
    ['one that is far away', ['eve', 24 * 401, 24 * 402], /^body "from": at most 400 days/],
    ['a moment without its offset', ['eve', 0, 1, { from: '2026-01-01T09:00' }], /^body "from": expected a moment/],
  ];
  for (const [title, given, expected] of FAULTS) {
    test(`${title} is refused by its field`, async () => {
      const { status, body } = await make(...given);
      assert.equal(status, 400);
      assert.match(body.detail, expected);
    });
  }

  test('a viewer may look and not change; a calendar of months, or of none, is refused', async () => {
    const { body } = await make('eve', 0, 1);
    api.principal.roles = ['viewer'];
    assert.deepEqual([(await make('eve', 0, 1)).status, (await end(body.id)).status], [403, 403]);
    assert.equal((await calendar(0, 24 * 62)).length, 2);
    const ask = async (query: string) => (await api.ask<Problem>(`/api/v1/oncall/calendar?${query}`)).body.detail;
    assert.match(await ask(`from=${iso(0)}&to=${iso(24 * 63)}`), /^parameter "to": at most 62 days/);
    assert.match(await ask(`from=${iso(1)}&to=${iso(1)}`), /^parameter "to": must be after/);
    assert.match(await ask('schedule=gone'), /no schedule gone/);
  });

  test('there are so many and no more, and room again when one is ended', async () => {
    const one = {
      schedule: 'primary',
      person: 'eve',
      from: inSeconds(0),
      to: inSeconds(60),
      because: undefined,
      createdBy: 'ada',
      createdAt: inSeconds(0),
    };
    assert.equal(await insertOverride(db(), { ...one, id: '1' }, 2), true);
    assert.equal(await insertOverride(db(), { ...one, id: '2' }, 2), true);
    assert.equal(await insertOverride(db(), { ...one, id: '3' }, 2), false);
    await endOverride(db(), '1', 'ada', inSeconds(1));
    assert.equal(await insertOverride(db(), { ...one, id: '3' }, 2), true);
  });

  test('another router has them within seconds, and none whose person its files do not know', async () => {
    const applied: string[][] = [];
    let inForce = setup;
    const stop = new AbortController();
    const other = makeOverrides({
      ...{ db: db(), clock: systemClock, log: silentLog, now: () => milliseconds(T0 + desk.time) },
      apply: (given) => {
        inForce = withOverrides(setup, given);
        applied.push(inForce.who.onDuty('primary', milliseconds(T0 + desk.time)).slice());
      },
    });
    const work = other.run(stop.signal);
    const { body } = await make('eve', 0, 1);
    while (applied.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await end(body.id);
    await other.refresh();
    const row = {
      schedule: 'primary',
      person: 'zed',
      from: inSeconds(0),
      to: inSeconds(60),
      because: undefined,
      createdBy: 'ada',
      createdAt: inSeconds(0),
    };
    await insertOverride(db(), { ...row, id: 'z' }, 9);
    await other.refresh();
    stop.abort();
    await work;
    assert.deepEqual(applied, [['eve'], ['ada'], ['ada']]);
    assert.equal(setup.oncall.schedules.get('primary')?.overrides.length, 1, 'the files are as they were');
  });
});
