import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { observeConnections } from '#collector/connections.ts';
import { makeMetrics } from '#collector/metrics.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { inSeconds, makeDesk, pagerduty, policy, route, setupOf, slack, span } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { answer } from './answer.ts';
import { ownerOf } from './destination.ts';
import { makeSqlStore } from './store-sql.ts';
import { expectPages, tallied } from './tally.ts';

const contact = { integration: slack(0), severities: ['critical', 'warning'] as const };
const SETUP = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0), groupInterval: span(60) }),
  receivers: [
    { name: 'pager', integrations: [pagerduty(0)] },
    { name: 'chat', integrations: [slack(0)] },
  ],
  people: new Map([['ada/2', { name: 'ada/2', displayName: 'Ada', contacts: [contact] }]]),
  policies: [
    policy('pager', {
      steps: [
        { delay: span(0), targets: [{ kind: 'receiver', name: 'pager' }] },
        { delay: span(100), targets: [{ kind: 'person', name: 'ada/2' }] },
        { delay: span(100), targets: [{ kind: 'schedule', name: 'gap' }] },
      ],
    }),
  ],
});
const CRITICAL = { alertname: 'Down', service: 'docs', severity: 'critical' };
const WARNING = { alertname: 'Slow', service: 'docs', severity: 'warning' };
const LONG = { endsAt: inSeconds(1_000_000) };

const newMetrics = () =>
  makeMetrics({ role: 'router', clock: systemClock, log: silentLog, enabled: true, strict: true });

onEveryEngine('the router’s own counts', (db) => {
  beforeEach(async () => await emptyTables(db()));

  const deskWith = () => {
    const metrics = newMetrics();
    const desk = makeDesk(tallied(makeSqlStore(db()), metrics), SETUP);
    const idOf = async (severity: string): Promise<string> => {
      const rows = await db().query<{ id: string }>('select id from alerting.incidents where severity = $1', [
        severity,
      ]);
      return rows[0]?.id ?? '';
    };
    /** Samples that are not 0, with these words in them. */
    const counted = async (words: RegExp) =>
      (await metrics.exposition('all'))
        .split('\n')
        .filter((line) => /^[a-z]/.test(line) && words.test(line) && !/ 0$/.test(line));
    return { metrics, desk, idOf, counted };
  };

  test('count what happens to an incident, and how long people and it took', async () => {
    const { desk, idOf, counted } = deskWith();
    let refusals = 2;
    desk.outcome = (to) => {
      const waits = to.includes('pager') && refusals-- > 0;
      return waits ? { kind: 'retry', because: 'status 503', after: span(1) } : { kind: 'delivered', reference: '' };
    };
    await desk.fire(CRITICAL, LONG);
    await desk.fire(WARNING, LONG);
    await desk.play(inSeconds(250));
    await answer(desk.around, await idOf('critical'), { kind: 'acknowledge', by: 'ada' });
    await answer(desk.around, await idOf('critical'), { kind: 'acknowledge', by: 'bob' });
    await desk.play(inSeconds(300));
    await answer(desk.around, await idOf('critical'), { kind: 'reopen', by: 'ada' });
    await answer(desk.around, await idOf('critical'), { kind: 'snooze', by: 'ada', until: inSeconds(100_000) });
    await desk.play(inSeconds(500));
    await answer(desk.around, await idOf('critical'), { kind: 'resolve', by: 'ada' });
    assert.deepEqual(await counted(/^incident_events_total.*critical/), [
      'incident_events_total{severity="critical",event="opened"} 1',
      'incident_events_total{severity="critical",event="paged"} 1',
      'incident_events_total{severity="critical",event="escalated"} 1',
      'incident_events_total{severity="critical",event="unreached"} 1',
      'incident_events_total{severity="critical",event="acknowledged"} 1',
      'incident_events_total{severity="critical",event="snoozed"} 1',
      'incident_events_total{severity="critical",event="reopened"} 1',
      'incident_events_total{severity="critical",event="resolved"} 1',
    ]);
    assert(
      (await counted(/^incident_events_total/)).includes('incident_events_total{severity="warning",event="opened"} 1'),
    );
    // The first answer counts, of the critical one alone.
    assert.deepEqual(await counted(/^incident_time.*_(?:sum|count)/), [
      'incident_time_to_acknowledge_seconds_count 1',
      'incident_time_to_acknowledge_seconds_sum 250',
      'incident_time_to_resolve_seconds_count 1',
      'incident_time_to_resolve_seconds_sum 500',
    ]);
    assert.deepEqual(await counted(/^notification_retries/), ['notification_retries_total{channel="pagerduty"} 2']);
    assert.deepEqual(await counted(/^pages_arrived/), [
      'pages_arrived_total{to="receiver",name="pager"} 1',
      'pages_arrived_total{to="person",name="ada/2"} 1',
    ]);
  });

  test('count nothing that was rolled back', async () => {
    const { desk, counted } = deskWith();
    await desk.fire(CRITICAL, LONG);
    await desk.play(inSeconds(1));
    const before = await counted(/./);
    const given = {
      store: desk.around.store,
      id: (await db().query<{ id: string }>('select id from alerting.incidents'))[0]?.id,
    };
    await assert.rejects(
      given.store.tx(async (tx) => {
        const incident = await tx.lockIncident(given.id ?? '');
        assert(incident);
        await tx.saveIncident({ ...incident, state: 'resolved', resolvedAt: inSeconds(2) }, inSeconds(2));
        await tx.addTimeline([
          { incidentId: incident.id, groupId: undefined, at: inSeconds(2), kind: 'resolved', because: 'not' },
        ]);
        throw new Error('no');
      }),
    );
    assert.deepEqual(
      await counted(/^(?:incident|pages|notification)/),
      before.filter((line) => /^(?:incident|pages|notification)/.test(line)),
    );
  });

  test('leave drills out of the times, and count whom they woke', async () => {
    const { desk, idOf, counted } = deskWith();
    await desk.fire({ ...CRITICAL, alertname: 'Drill', drill: 'true' }, LONG);
    await desk.play(inSeconds(10));
    await answer(desk.around, await idOf('critical'), { kind: 'acknowledge', by: 'ada' });
    await answer(desk.around, await idOf('critical'), { kind: 'resolve', by: 'ada' });
    assert.deepEqual(await counted(/^incident_time/), []);
    assert.deepEqual(await counted(/^pages_arrived/), ['pages_arrived_total{to="receiver",name="pager"} 1']);
    assert.equal((await counted(/event="resolved"/)).length, 1);
  });

  test('say how full the database of connections is', async () => {
    const metrics = newMetrics();
    observeConnections(metrics as never, db());
    const lines = (await metrics.exposition('all')).split('\n').filter((line) => /^database_connections/.test(line));
    const valueNamed = (name: string) =>
      Number(
        lines
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')
          .at(-1),
      );
    assert.equal(lines.length, 5);
    assert.match(lines.join('\n'), /database_connections\{state="active"\} [1-9]/);
    assert(valueNamed('database_connections_max') >= 20);
  });
});

test('whoever may be woken is there from 0 on: people, and receivers that a policy names', async () => {
  const metrics = newMetrics();
  expectPages(metrics, SETUP);
  const lines = (await metrics.exposition('all')).split('\n').filter((line) => line.startsWith('pages_arrived_total{'));
  assert.deepEqual(lines, [
    'pages_arrived_total{to="person",name="ada/2"} 0',
    'pages_arrived_total{to="receiver",name="pager"} 0',
  ]);
});

test('a thousand people cost a hundred series', async () => {
  const metrics = newMetrics();
  const people = new Map(
    Array.from({ length: 1_000 }, (_, i) => [`p${i}`, { name: `p${i}`, displayName: '', contacts: [contact] }]),
  );
  expectPages(metrics, setupOf({ root: route('pager'), receivers: [], people }));
  const lines = (await metrics.exposition('all')).split('\n').filter((line) => line.startsWith('pages_arrived_total{'));
  assert.equal(lines.length, 100);
});

test('a destination names its owner, whatever is in the name', () => {
  assert.deepEqual(ownerOf('person/a/b/email[0]'), { to: 'person', name: 'a/b' });
  assert.deepEqual(ownerOf('receiver/oncall/slack[12]'), { to: 'receiver', name: 'oncall' });
});
