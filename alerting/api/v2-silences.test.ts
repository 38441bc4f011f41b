/** The list of silences on a real server, against each engine: all of them, in Alertmanager's order. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import test, { beforeEach } from 'node:test';
import type { V2Routes } from '#alerting/api/v2.ts';
import { v2Routes } from '#alerting/api/v2.ts';
import { silentTelemetry } from '#collector/silent.ts';
import { systemClock } from '#kernel/clock.ts';
import { instant } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import { systemRandom } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import { authorised, makeApp } from '#serving/app.ts';
import { T0 } from '#test/kit/alerting.ts';
import { getJson } from '#test/kit/alertmanager.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';

type Listed = { readonly id: string; readonly status: { readonly state: string }; readonly annotations: object };

onEveryEngine('GET /api/v2/silences', (db) => {
  beforeEach(async () => await emptyTables(db()));

  async function serve(t: { after(work: () => Promise<unknown>): void }): Promise<string> {
    const app = await makeApp({
      ...{ clock: systemClock, random: systemRandom, log: silentLog, telemetry: silentTelemetry },
      described: { title: '', description: '', version: '' },
      authenticate: async () => ({
        kind: 'known',
        principal: { tenant: 'default', subject: 'ada', roles: ['operator'], via: 'anonymous' },
      }),
      ...{ keyNeeded: false, rate: { perSecond: 1_000, burst: 1_000 }, trustProxy: false },
    });
    const routes = { db: db(), now: () => T0, mode: 'default', authorised, clock: systemClock };
    v2Routes(app, '', routes as unknown as V2Routes);
    await app.listen({ host: '127.0.0.1', port: 0 });
    t.after(async () => await app.close());
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/api/v2/silences`;
  }
  const insert = async (ids: string, from: number, to: string, count: number, matchers = '[]') =>
    await db().query(
      `insert into alerting.silences (id, matchers, starts_at, ends_at, created_by, comment, updated_at)
       select $1 || lpad(n::text, 6, '0'), $5::jsonb, $2::timestamptz,
         $2::timestamptz + ($3::text)::interval + (n % 7) * interval '1 second', '', '', $2
       from generate_series(1, $4::int) n`,
      [ids, instant(milliseconds(T0 + from)), to, count, matchers],
    );

  test('has more than ten thousand, each once, and those that hold first', async (t) => {
    const url = await serve(t);
    await insert('expired-', -86_400_000, '1 hour', 1_300);
    await insert('pending-', 3_600_000, '1 hour', 700);
    await insert('active-', -3_600_000, '2 hours', 10_500);
    const all = await getJson<Listed[]>(url);
    assert.equal(all.length, 12_500);
    assert.equal(new Set(all.map(({ id }) => id)).size, 12_500);
    const states = all.map(({ status }) => status.state);
    assert.deepEqual([...new Set(states)], ['active', 'pending', 'expired']);
    assert(all.every(({ id, status }) => id.startsWith(status.state)));
    const ends = (state: string) =>
      (all as unknown as { status: { state: string }; endsAt: string; startsAt: string }[])
        .filter(({ status }) => status.state === state)
        .map(({ endsAt }) => endsAt);
    assert.deepEqual(ends('active'), ends('active').toSorted());
    assert.deepEqual(ends('expired'), ends('expired').toSorted().reverse());
  });

  test('has those with a matcher alone, also behind a page without one, and none as an empty list', async (t) => {
    const url = await serve(t);
    assert.deepEqual(await getJson(url), []);
    await insert('other-', -3_600_000, '2 hours', 600);
    await insert('a-', -3_600_000, '3 hours', 2, '[{"name":"a","value":"b.*","isRegex":true,"isEqual":false}]');
    const found = await getJson<Listed[]>(`${url}?filter=${encodeURIComponent('a!~"b.*"')}`);
    assert.deepEqual(
      found.map(({ id, annotations }) => [id, annotations]),
      [
        ['a-000001', {}],
        ['a-000002', {}],
      ],
    );
    assert.deepEqual(await getJson(`${url}?filter=${encodeURIComponent('a=~"b.*"')}`), []);
  });
});
