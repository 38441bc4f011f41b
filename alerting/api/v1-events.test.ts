import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Principal } from '#access/roles.ts';
import { answer } from '#alerting/answer.ts';
import { endOverride, insertOverride } from '#alerting/rows/overrides.ts';
import { putSilence } from '#alerting/rows/silences.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { silentTelemetry } from '#collector/silent.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { systemRandom } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import { type App, authorised, makeApp } from '#serving/app.ts';
import { type Desk, makeDesk, policy, route, setupOf, slack, span, T0 } from '#test/kit/alerting.ts';
import { emptyTables, openEngine } from '#test/kit/database.ts';
import { eventRoutes } from './v1-events.ts';

const setup = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
  receivers: [{ name: 'pager', integrations: [slack()] }],
  policies: [policy('pager')],
});

let server: App;
let url = '';
let desk: Desk;
const principal: Principal = { tenant: 'default', subject: 'ada', roles: ['viewer'], via: 'key' };

before(async () => {
  const db = await openEngine('PGlite');
  await emptyTables(db);
  desk = makeDesk(makeSqlStore(db), setup);
  server = await makeApp({
    described: { title: 't', description: 't', version: '0' },
    authenticate: async () => ({ kind: 'known', principal }),
    keyNeeded: false,
    rate: { perSecond: 1_000, burst: 1_000 },
    trustProxy: false,
    ...{ clock: systemClock, random: systemRandom, log: silentLog, telemetry: silentTelemetry },
  });
  const now = () => milliseconds(T0 + desk.time);
  eventRoutes(server, '', {
    db,
    now,
    clock: systemClock,
    log: silentLog,
    engine: () => undefined,
    setup: () => desk.setup,
    authorised,
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/api/v1/events`;
});
after(async () => await server.close());

type Told = { readonly id: number; readonly event: string; readonly data: { readonly state?: string } };

/** Reads until there are that many events, of `here` where it is asked for alone. */
async function listen(
  count: number,
  last?: number,
  only?: 'here',
): Promise<{ told: Promise<Told[]>; stop: () => void }> {
  const stop = new AbortController();
  const response = await fetch(url, {
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(20_000)]),
    headers: last === undefined ? {} : { 'last-event-id': String(last) },
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  const read = async (): Promise<Told[]> => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) {
      text += decoder.decode(piece, { stream: true });
      const found = [...text.matchAll(/^id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n/gm)].map(
        ([, id, event = '', data = '']): Told => ({ id: Number(id), event, data: JSON.parse(data) as Told['data'] }),
      );
      const wanted = found.filter(({ event }) => (event === 'here') === (only === 'here'));
      if (wanted.length >= count) return wanted;
    }
    throw new Error(`it ended after:\n${text}`);
  };
  return { told: read(), stop: () => stop.abort() };
}
const words = (told: readonly Told[]): string[] => told.map(({ event, data }) => `${event} ${data.state}`);
const CRITICAL = { alertname: 'Down', service: 'docs', severity: 'critical' };

test('whoever listens is told what changes from then on, each once; whoever comes back, what they missed', async () => {
  await desk.fire({ ...CRITICAL, service: 'before' });
  await desk.play(milliseconds(T0 + 1_000));
  desk.time = 2_000;
  const one = await listen(2);
  const other = await listen(2);
  await desk.fire(CRITICAL);
  await desk.play(milliseconds(T0 + 3_000));
  const told = await one.told;
  assert.deepEqual(words(told), ['incident open', 'notification delivered']);
  assert.deepEqual(await other.told, told);
  one.stop();
  other.stop();
  desk.time = 60_000;
  const db = await openEngine('PGlite');
  const rows = await db.query<{ id: string }>(`select id from alerting.incidents where service = 'docs'`);
  await answer(desk.around, rows[0]?.id ?? '', { kind: 'acknowledge', by: 'ada' });
  await desk.play(milliseconds(T0 + 61_000));
  const back = await listen(2, Math.max(...told.map(({ id }) => id)));
  const missed = words(await back.told);
  back.stop();
  assert(missed.includes('incident acknowledged') && missed.includes('notification delivered'), missed.join());
});

test('whoever listens to more than is told at once is told to list anew', async () => {
  desk.time = 120_000;
  const db = await openEngine('PGlite');
  const one = await listen(1);
  const at = new Date(T0 + desk.time).toISOString();
  // Real rows, many at once: a storm that is over between two looks.
  await db.query(
    `insert into alerting.notifications (id, destination, channel, incident_id, group_id, action, priority, state, attempts,
       may_repeat, message, created_at, available_at, fence, finished_at)
     select id || '-' || n, destination, channel, incident_id, group_id, action, priority, 'delivered', 1, false, message,
       $1::timestamptz, $1::timestamptz, 0, $1::timestamptz
     from (select * from alerting.notifications order by id limit 1) one, generate_series(1, 2500) n`,
    [at],
  );
  assert.deepEqual((await one.told)[0]?.event, 'gap');
  one.stop();
  const back = await listen(1, T0 + desk.time);
  assert.equal((await back.told)[0]?.event, 'gap');
  back.stop();
});

test('whoever listens is told again and again up to when everything was told, and goes on from there', async () => {
  desk.time = 300_000;
  const { told, stop } = await listen(2, undefined, 'here');
  const [, second] = await told;
  stop();
  assert.deepEqual(second, { id: T0 + 300_000, event: 'here', data: { at: new Date(T0 + 300_000).toISOString() } });
});

test('a silence, an override and other files are told by their ids', async () => {
  desk.time = 400_000;
  const db = await openEngine('PGlite');
  const first = await listen(3);
  const { told, stop } = await listen(4);
  const at = milliseconds(T0 + desk.time);
  const ends = milliseconds(at + 60_000);
  const times = { startsAt: at, endsAt: ends, updatedAt: at };
  await putSilence(db, { id: 's1', matchers: [], createdBy: 'ada', comment: '', annotations: {}, ...times });
  const override = { schedule: 'p', person: 'eve', from: at, to: ends, because: undefined, createdBy: 'ada' };
  await insertOverride(db, { ...override, id: 'o1', createdAt: at }, 10);
  desk.setup = { ...setup, version: 'v2' };
  await first.told;
  first.stop();
  await endOverride(db, 'o1', 'ada', milliseconds(at + 1_000));
  const found = (await told).map(({ event, data }) => `${event} ${(data as { id?: string }).id}`);
  stop();
  assert.deepEqual(found.slice(0, 3).sort(), ['oncall o1', 'oncall v2', 'silence s1']);
  assert.equal(found[3], 'oncall o1', 'again when it is ended');
});

test('an id that is none is refused, and so is one listener too many', async () => {
  assert.equal((await fetch(url, { headers: { 'last-event-id': 'x' } })).status, 400);
  const all = await Promise.all(Array.from({ length: 100 }, () => listen(1_000)));
  for (const { told } of all) told.catch(() => {});
  assert.equal((await fetch(url)).status, 503);
  all[0]?.stop();
  for (let status = 503; status === 503; ) {
    const next = await fetch(url);
    status = next.status;
    await next.body?.cancel();
  }
  for (const { stop } of all) stop();
});

test('a server that ends lets those who listen go', async () => {
  const { told } = await listen(1_000);
  const ended = assert.rejects(told, /it ended after/);
  await server.close();
  await ended;
});
