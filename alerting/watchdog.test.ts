import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { silentTelemetry } from '#collector/silent.ts';
import { fakeClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { http } from '#kernel/http.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { secret } from '#kernel/secret.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { makeDesk, pagerduty, policy, route, setupOf, slack, span, T0 } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { startReceiver } from '#test/kit/receiver.ts';
import { answer } from './answer.ts';
import type { Watchdog as Wish } from './oncall/model.ts';
import { countOverdue } from './rows/overdue.ts';
import { makeSqlStore } from './store-sql.ts';
import { makeWatchdog } from './watchdog.ts';

const PAGER = policy('pager', {
  steps: [
    { delay: span(0), targets: [{ kind: 'receiver', name: 'pager' }] },
    { delay: span(300), targets: [{ kind: 'receiver', name: 'pager' }] },
  ],
});
const CRITICAL = { alertname: 'Down', service: 'docs', severity: 'critical' };
const WISH: Wish = { receiver: 'backup', heartbeatUrl: undefined, every: span(60) };

const setup = (watchdog: Wish = WISH) =>
  setupOf({
    root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
    receivers: [
      { name: 'pager', integrations: [pagerduty()] },
      { name: 'backup', integrations: [slack(0, { sendResolved: true }), slack(1, { sendResolved: false })] },
    ],
    policies: [PAGER],
    watchdog,
  });

/** A desk whose watchdog sees the same store; the desk does what is due only when the test says so. */
function stage(db: Db, watchdog: Wish = WISH) {
  const desk = makeDesk(makeSqlStore(db), setup(watchdog));
  const clock = fakeClock(T0);
  const lines: string[] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log: Log = { ...silentLog, info: write('info'), warn: write('warn'), error: write('error') };
  let round = clock.steady();
  const parts = {
    ...{ clock, log, http, telemetry: silentTelemetry, setup: () => desk.setup, notify: desk.around.notify },
    ...{ now: () => milliseconds(T0 + desk.time), newId: desk.around.newId, wentRound: () => round },
    overdue: (before: Milliseconds) => countOverdue(db, before),
  };
  const dog = makeWatchdog(parts);
  /** Looks every 5 s from here until then. */
  const pass = async (until: number, look = dog.look, isDeciding = true) => {
    while (desk.time < until * 1_000) {
      await clock.advance(5_000);
      desk.time += 5_000;
      if (isDeciding) round = clock.steady();
      await look();
    }
  };
  const heard = () =>
    desk.arrived
      .filter(({ destination }) => destination.startsWith('receiver/backup/'))
      .map(({ at, destination, message }) => {
        const words = message.alerts.list[0]?.annotations['description'] ?? '';
        const status = message.kind === 'group' ? message.status : message.action;
        return `${at / 1_000} s ${destination.slice(-8)} ${status} ${words}`.trim();
      });
  return { desk, dog, pass, heard, lines, clock, parts };
}

onEveryEngine('the watchdog', (db) => {
  beforeEach(async () => await emptyTables(db()));

  test('hears nothing while what is due is done', async () => {
    const { desk, pass, heard, lines } = stage(db());
    await desk.fire(CRITICAL);
    for (let at = 10; at <= 280; at += 10) {
      await desk.play(milliseconds(T0 + desk.time));
      await pass(at);
    }
    assert.deepEqual([heard(), lines], [[], []]);
  });

  test('tells at once of an escalation that reached nobody, until somebody has taken it', async () => {
    const { desk, pass, heard } = stage(db());
    const isPager = (to: string) => to.startsWith('receiver/pager');
    desk.outcome = (to) =>
      isPager(to) ? { kind: 'refused', because: '404' } : { kind: 'delivered', reference: undefined };
    await desk.fire({ ...CRITICAL, severity: 'warning' }, { endsAt: milliseconds(T0 + 10_000_000) });
    await desk.play(milliseconds(T0 + desk.time));
    await pass(30);
    assert.deepEqual(heard(), []);
    await desk.fire(CRITICAL, { endsAt: milliseconds(T0 + 10_000_000) });
    await desk.play(milliseconds(T0 + desk.time));
    await pass(60);
    const words = 'an escalation reached nobody: #2 step 2 of pager reached nobody: every destination refused it';
    assert.deepEqual(heard(), [`40 s slack[0] firing ${words}`, `40 s slack[1] firing ${words}`]);
    await pass(345);
    assert.deepEqual(heard().slice(2), [`340 s slack[0] firing ${words}`, `340 s slack[1] firing ${words}`]);
    const [{ id = '' } = {}] = await db().query<{ id: string }>(`select id from alerting.incidents where number = 2`);
    await answer(desk.around, id, { kind: 'acknowledge', by: 'ada' });
    await pass(360);
    assert.deepEqual(heard().slice(4), ['350 s slack[0] resolved']);
  });

  test('tells another receiver of a group that nobody looks at, every five minutes, and of the end', async () => {
    const { desk, pass, heard, lines } = stage(db());
    await pass(100);
    await desk.fire(CRITICAL);
    await pass(160);
    assert.deepEqual(heard(), []);
    await pass(400);
    const words = '1 group(s) should have been looked at';
    assert.deepEqual(heard(), [`165 s slack[0] firing ${words}`, `165 s slack[1] firing ${words}`]);
    await pass(470);
    assert.deepEqual(heard().slice(2), [`465 s slack[0] firing ${words}`, `465 s slack[1] firing ${words}`]);
    await desk.play(milliseconds(T0 + desk.time));
    await pass(500);
    assert.deepEqual(heard().slice(4), ['475 s slack[0] resolved']);
    assert.match(lines.join('\n'), /^error the router does not get its work done .*looked at.*\n.*\ninfo .*done again/);
  });

  test('tells of an incident whose next step is not taken, and of a page that does not arrive', async () => {
    const { desk, pass, heard } = stage(db());
    desk.outcome = (destination) =>
      destination.startsWith('receiver/pager/')
        ? { kind: 'retry', because: 'status 503', after: undefined }
        : { kind: 'delivered', reference: undefined };
    await desk.fire(CRITICAL);
    for (let at = 10; at <= 90; at += 10) {
      await desk.play(milliseconds(T0 + desk.time));
      await pass(at);
    }
    assert.match(heard()[0] ?? '', /^\d+ s slack\[0\] firing 1 critical page\(s\) are not delivered$/);
    await pass(365);
    assert.match(heard().at(-1) ?? '', /1 group\(s\) .*; 1 incident\(s\) should have been escalated; 1 critical/);
  });

  test('tells of a loop that stands still, and of a store that does not answer', async () => {
    const { pass, heard, dog } = stage(db());
    await pass(70, dog.look, false);
    assert.deepEqual(heard()[0], '65 s slack[0] firing nothing was decided for 65 s');
    const other = stage(db());
    const broken = makeWatchdog({ ...other.parts, overdue: async () => Promise.reject(new Error('connection lost')) });
    await other.pass(70, broken.look);
    assert.deepEqual(other.heard()[0], '65 s slack[0] firing the store does not answer: connection lost');
    const last = stage(db());
    const hung = makeWatchdog({ ...last.parts, overdue: () => new Promise(() => {}) });
    await last.pass(70, async () => {
      const looking = hung.look();
      await last.clock.advance(5_000);
      await looking;
    });
    assert.match(last.heard()[0] ?? '', /firing the store does not answer: no answer within 5 s$/);
  });

  test('calls an address outside as long as all goes well, and logs once that it cannot be reached', async () => {
    await using outside = await startReceiver();
    const heartbeatUrl = secret(`${outside.url}/ping/token`);
    const { dog, pass, lines, clock } = stage(db(), { ...WISH, receiver: undefined, heartbeatUrl });
    const { signal } = new AbortController();
    await pass(10);
    await dog.beat(signal);
    assert.deepEqual(
      outside.received.map(({ method, url }) => `${method} ${url}`),
      ['GET /ping/token'],
    );
    outside.react((_request, response) => void response.writeHead(500).end());
    await dog.beat(signal);
    await dog.beat(signal);
    outside.react((_request, response) => void response.writeHead(204).end());
    await dog.beat(signal);
    assert.equal(outside.received.length, 4);
    assert.deepEqual(lines, [
      'warn the outgoing heartbeat fails {"reason":"status 500"}',
      'info the outgoing heartbeat arrives again {}',
    ]);
    // Nothing was decided for half a minute: whoever waits outside shall notice.
    await clock.advance(31_000);
    await dog.beat(signal);
    assert.equal(outside.received.length, 4);
  });
});
