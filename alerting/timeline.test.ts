import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { inSeconds, makeDesk, PAGER_THEN_BOSS, policy, route, setupOf, slack, span } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { answer } from './answer.ts';
import { makeMatcher, parseMatchers } from './matcher.ts';
import { insertConfigured, insertTimeline, timelineOf } from './rows/incidents.ts';
import { putSilence } from './rows/silences.ts';
import { TIMELINE_FULL, TIMELINE_MOST, type TimelineRow } from './store.ts';
import { makeSqlStore } from './store-sql.ts';

const matchersOf = (text: string) => {
  const parsed = parseMatchers(text, 'default');
  assert(parsed.kind !== 'fault');
  return parsed.matchers;
};
const SETUP = setupOf({
  root: route('pager', { groupBy: ['service'], groupWait: span(0), groupInterval: span(60), key: '{}' }),
  receivers: [
    { name: 'pager', integrations: [slack(0), slack(1), slack(2)] },
    { name: 'boss', integrations: [slack(0)] },
  ],
  inhibitRules: [
    {
      name: undefined,
      source: matchersOf('severity="critical"'),
      target: matchersOf('severity="warning"'),
      equal: ['service', 'cell'],
    },
  ],
  policies: [
    policy('pager', {
      steps: PAGER_THEN_BOSS,
    }),
  ],
});
const CRITICAL = { alertname: 'Down', service: 'docs', severity: 'critical' };
const WARNING = { alertname: 'Slow', service: 'docs', severity: 'warning' };
const LONG = { endsAt: inSeconds(1_000_000) };

onEveryEngine('the timeline of an incident', (db) => {
  beforeEach(async () => await emptyTables(db()));

  const idOf = async (number = 1) =>
    (await db().query<{ id: string }>('select id from alerting.incidents where number = $1', [number]))[0]?.id ?? '';
  const rows = async (number = 1) =>
    (await timelineOf(db(), await idOf(number))).map(({ kind, because }) => `${kind}: ${because}`);
  const silence = async (id: string, name: string, at: number) => {
    const made = makeMatcher('alertname', '=', name);
    assert(made.kind === 'matcher');
    await putSilence(db(), {
      ...{ id, matchers: [made.matcher], startsAt: inSeconds(at), endsAt: inSeconds(100_000) },
      ...{ createdBy: 'ada', comment: 'known', annotations: {}, updatedAt: inSeconds(at) },
    });
  };

  test('says of each decision what and why, from the alert to the end', async () => {
    const desk = makeDesk(makeSqlStore(db()), SETUP);
    desk.outcome = (to) => {
      if (to.endsWith('slack[1]')) return { kind: 'refused', because: 'status 404' };
      const waits = to.endsWith('slack[2]') && desk.time < 20_000;
      return waits ? { kind: 'retry', because: 'status 503', after: span(30) } : { kind: 'delivered', reference: '' };
    };
    await desk.fire(WARNING, LONG);
    await silence('s1', 'Known', 0);
    await desk.fire({ ...WARNING, alertname: 'Known', service: 'docs', cell: 'b' }, LONG);
    await desk.fire(CRITICAL, LONG);
    await desk.play(inSeconds(100));
    await desk.fire({ ...CRITICAL, alertname: 'Gone' }, LONG);
    await desk.play(inSeconds(400));
    await answer(desk.around, await idOf(), { kind: 'acknowledge', by: 'ada' });
    assert.equal(await insertConfigured(db(), 'v2', inSeconds(401)), 1);
    // Another router of the same store reads the same files.
    assert.equal(await insertConfigured(db(), 'v2', inSeconds(402)), 0);
    for (const name of ['Down', 'Gone']) await desk.resolve({ ...CRITICAL, alertname: name });
    await desk.play(inSeconds(500));
    const source = '[0-9a-f]{16}';
    const wanted = [
      /^received: Down$/,
      /^grouped: taken into \{\}:\{service="docs"\}, told to pager$/,
      /^opened: 1 alert of it: Down$/,
      /^paged: step 1 of pager: pager$/,
      /^suppressed: 1 alert silenced by s1$/,
      new RegExp(`^suppressed: 1 alert inhibited by ${source}$`),
      /^sent: trigger to receiver\/pager\/slack\[0\]$/,
      /^refused: receiver\/pager\/slack\[1\]: status 404$/,
      /^retried: receiver\/pager\/slack\[2\]: status 503$/,
      /^sent: trigger to receiver\/pager\/slack\[2\], at attempt 2$/,
      /^joined: 1 alert joined: Gone$/,
      /^escalated: step 2 of pager: boss$/,
      /^acknowledged: by ada$/,
      /^configured: new files are in force: version v2$/,
      /^resolved: every alert of it has ended$/,
    ];
    const found = await rows();
    for (const one of wanted)
      assert(
        found.some((row) => one.test(row)),
        `${one} in\n${found.join('\n')}`,
      );
    for (const one of wanted) assert.equal(found.filter((row) => one.test(row)).length, 1, `${one} once`);
  });

  test('says of a silence that came later, once', async () => {
    const desk = makeDesk(makeSqlStore(db()), SETUP);
    await desk.fire(CRITICAL, LONG);
    await desk.play(inSeconds(100));
    await silence('late', 'Down', 90);
    await desk.play(inSeconds(1_000));
    assert.deepEqual(
      (await rows()).filter((row) => row.startsWith('suppressed')),
      ['suppressed: 1 alert silenced by late'],
    );
  });

  test('a warning that is withdrawn says by what it was suppressed', async () => {
    const later = { ...SETUP.oncall.policies.get('pager') };
    const slow = policy('pager', { ...later, warnings: { after: span(300), within: span(900), schedule: undefined } });
    const desk = makeDesk(makeSqlStore(db()), {
      ...SETUP,
      oncall: { ...SETUP.oncall, policies: new Map([['pager', slow]]) },
    });
    await desk.fire(WARNING, LONG);
    await desk.play(inSeconds(10));
    await silence('s1', 'Slow', 10);
    await desk.play(inSeconds(200));
    assert.equal((await rows()).at(-1), 'suppressed: 1 alert silenced by s1');
    assert((await rows()).includes('resolved: its alerts were suppressed before anybody was told: silenced by s1'));
  });

  test('a storm in which each alert has a reason of its own is a few rows', async () => {
    const desk = makeDesk(makeSqlStore(db()), SETUP);
    for (let cell = 0; cell < 12; cell++) {
      await desk.fire({ ...CRITICAL, cell: String(cell) }, LONG);
      await desk.fire({ ...WARNING, cell: String(cell) }, LONG);
    }
    await desk.play(inSeconds(10));
    const suppressed = (await rows()).filter((row) => row.startsWith('suppressed'));
    assert.equal(suppressed.length, 6, suppressed.join('\n'));
    assert.equal(suppressed.at(-1), 'suppressed: 7 alerts for 7 other reasons');
  });

  test('what only chatters ends at a limit, which is said; what is decided does not', async () => {
    const row = (kind: TimelineRow['kind'], chatter?: true): TimelineRow => ({
      ...{ incidentId: 'i', groupId: 'g', at: inSeconds(0), kind, because: 'x', chatter },
    });
    await insertTimeline(
      db(),
      Array.from({ length: TIMELINE_MOST - 1 }, () => row('joined', true)),
    );
    const size = async () => (await timelineOf(db(), 'i')).length;
    await insertTimeline(db(), [row('joined', true)]);
    assert.equal((await timelineOf(db(), 'i')).at(-1)?.because, 'x');
    await insertTimeline(db(), [row('joined', true)]);
    assert.equal((await timelineOf(db(), 'i')).at(-1)?.because, TIMELINE_FULL);
    await insertTimeline(db(), [row('joined', true), row('joined', true)]);
    assert.equal(await size(), TIMELINE_MOST + 1);
    await insertTimeline(db(), [row('acknowledged'), row('joined', true)]);
    assert.deepEqual([await size(), (await timelineOf(db(), 'i')).at(-1)?.kind], [TIMELINE_MOST + 2, 'acknowledged']);
    await insertTimeline(db(), [{ ...row('joined', true), incidentId: 'other' }]);
    assert.equal((await timelineOf(db(), 'other')).length, 1);
  });

  test('new files are said on what is open alone, and again when they change back', async () => {
    const desk = makeDesk(makeSqlStore(db()), SETUP);
    assert.equal(await insertConfigured(db(), 'v1', inSeconds(0)), 0);
    await desk.fire(CRITICAL, LONG);
    await desk.play(inSeconds(10));
    assert.equal(await insertConfigured(db(), 'v1', inSeconds(11)), 0);
    assert.equal(await insertConfigured(db(), 'v2', inSeconds(12)), 1);
    assert.equal(await insertConfigured(db(), 'v1', inSeconds(13)), 1);
    await answer(desk.around, await idOf(), { kind: 'resolve', by: 'ada' });
    assert.equal(await insertConfigured(db(), 'v3', inSeconds(14)), 0);
  });
});
