import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { type Desk, inSeconds, makeDesk, policy, route, setupOf, slack, span } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { answer } from './answer.ts';
import { claimOne, deliver } from './delivery.ts';
import type { Target } from './oncall/model.ts';
import { timelineOf } from './rows/incidents.ts';
import { makeSqlStore } from './store-sql.ts';

const CRITICAL = { alertname: 'Down', service: 'docs', severity: 'critical' };
const to = (kind: Target['kind'], name: string): Target => ({ kind, name });
const step = (delay: number, ...targets: [Target, ...Target[]]) => ({ delay: span(delay), targets });
type Steps = [ReturnType<typeof step>, ...ReturnType<typeof step>[]];

/** The schedule `primary` has a gap; ada has no method at all, bob none for critical. */
const setupWith = (...steps: Steps) =>
  setupOf({
    root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
    receivers: [
      { name: 'pager', integrations: [slack(0), slack(1)] },
      { name: 'boss', integrations: [slack(0)] },
    ],
    people: new Map([
      ['ada', { name: 'ada', displayName: 'Ada', contacts: [] }],
      ['bob', { name: 'bob', displayName: 'Bob', contacts: [{ integration: slack(0), severities: ['warning'] }] }],
    ]),
    policies: [policy('pager', { steps, repeat: { times: 1, after: span(600) } })],
  });

onEveryEngine('a step that reaches nobody', (db) => {
  beforeEach(async () => await emptyTables(db()));

  async function fired(steps: Steps, until: number, outcome?: Desk['outcome']): Promise<Desk> {
    const desk = makeDesk(makeSqlStore(db()), setupWith(...steps));
    if (outcome !== undefined) desk.outcome = outcome;
    await desk.fire(CRITICAL, { endsAt: inSeconds(1_000_000) });
    await desk.play(inSeconds(until));
    return desk;
  }
  const told = ({ arrived }: Desk): string[] =>
    arrived.map(({ at, destination }) => `${at / 1_000} s ${destination.replace('receiver/', '')}`);
  const rows = async () =>
    (
      await db().query<{ kind: string; because: string }>(
        `select kind, because from alerting.timeline where kind in ('paged', 'escalated', 'nobody', 'unreached') order by id`,
      )
    ).map(({ kind, because }) => `${kind}: ${because}`);

  const reasons: readonly [title: string, target: Target, why: string][] = [
    ['a gap of the schedule', to('schedule', 'primary'), 'nobody is on call in primary'],
    ['a person without a method', to('person', 'ada'), 'Ada has no contact for critical'],
    ['a person without a method for this', to('person', 'bob'), 'Bob has no contact for critical'],
    ['a receiver that is gone', to('receiver', 'gone'), 'receiver gone has no way out'],
  ];
  for (const [title, target, why] of reasons) {
    test(`${title}: said, and the next is told at once`, async () => {
      const desk = await fired([step(0, target), step(300, to('receiver', 'boss'))], 200);
      assert.deepEqual(told(desk), ['0 s boss/slack[0]']);
      assert.deepEqual(await rows(), [
        `unreached: step 1 of pager reached nobody: ${why}`,
        'escalated: step 2 of pager: boss',
      ]);
    });
  }

  test('one target that leads to nobody beside one that is told hurries nothing', async () => {
    const steps: Steps = [step(0, to('person', 'ada'), to('receiver', 'pager')), step(300, to('receiver', 'boss'))];
    const desk = await fired(steps, 200);
    assert.deepEqual(told(desk), ['0 s pager/slack[0]', '0 s pager/slack[1]']);
    assert.deepEqual(await rows(), ['nobody: Ada has no contact for critical', 'paged: step 1 of pager: pager']);
  });

  test('all of its destinations refuse it for good: said once, and the next is told at once', async () => {
    const steps: Steps = [step(0, to('receiver', 'pager')), step(300, to('receiver', 'boss'))];
    const desk = await fired(steps, 200, (destination) =>
      destination.includes('pager')
        ? { kind: 'refused', because: 'status 404' }
        : { kind: 'delivered', reference: undefined },
    );
    assert.deepEqual(told(desk), ['0 s boss/slack[0]']);
    assert.deepEqual(await rows(), [
      'paged: step 1 of pager: pager',
      'unreached: step 1 of pager reached nobody: every destination refused it',
      'escalated: step 2 of pager: boss',
    ]);
  });

  test('nobody at all: the next round keeps its time, since the files may be mended by then', async () => {
    const steps: Steps = [step(0, to('person', 'ada')), step(300, to('schedule', 'primary'))];
    const desk = await fired(steps, 599);
    assert.equal((await rows()).length, 2);
    desk.setup = setupWith(step(0, to('receiver', 'boss')));
    await desk.play(inSeconds(700));
    assert.deepEqual(told(desk), ['600 s boss/slack[0]']);
  });

  test('all refuse: no round is used up in a moment', async () => {
    const steps: Steps = [step(0, to('receiver', 'pager')), step(300, to('receiver', 'boss'))];
    const desk = await fired(steps, 599, () => ({ kind: 'refused', because: 'status 404' }));
    assert.equal((await rows()).filter((row) => row.startsWith('unreached')).length, 2);
    desk.outcome = () => ({ kind: 'delivered', reference: undefined });
    await desk.play(inSeconds(700));
    assert.deepEqual(told(desk).slice(0, 1), ['600 s pager/slack[0]']);
  });

  test('whoever is told anew after an answer: what the step reached before is no excuse, and the rounds begin anew', async () => {
    const steps: Steps = [step(0, to('receiver', 'pager')), step(300, to('receiver', 'boss'))];
    const desk = await fired(steps, 2_000);
    const [{ id = '' } = {}] = await db().query<{ id: string }>('select id from alerting.incidents');
    await answer(desk.around, id, { kind: 'acknowledge', by: 'ada' });
    await desk.play(inSeconds(3_000));
    await db().query('delete from alerting.timeline');
    desk.arrived.length = 0;
    desk.outcome = (destination) =>
      destination.includes('pager')
        ? { kind: 'refused', because: 'status 404' }
        : { kind: 'delivered', reference: undefined };
    await answer(desk.around, id, { kind: 'reopen', by: 'ada' });
    await desk.play(inSeconds(5_000));
    assert.deepEqual(told(desk), ['3000 s boss/slack[0]', '3600 s boss/slack[0]']);
    assert.deepEqual((await rows()).slice(0, 3), [
      'paged: step 1 of pager: pager',
      'unreached: step 1 of pager reached nobody: every destination refused it',
      'escalated: step 2 of pager: boss',
    ]);
  });

  test('a refusal that is marked while somebody answers: both are kept', async () => {
    const desk = makeDesk(makeSqlStore(db()), setupWith(step(0, to('receiver', 'pager'), to('receiver', 'boss'))));
    desk.outcome = () => ({ kind: 'retry', because: 'status 503', after: undefined });
    await desk.fire(CRITICAL, { endsAt: inSeconds(1_000_000) });
    await desk.play(inSeconds(0));
    const [{ id = '' } = {}] = await db().query<{ id: string }>('select id from alerting.incidents');
    desk.outcome = () => ({ kind: 'refused', because: 'status 404' });
    for (let left = 3; left > 0; left--) {
      desk.time += 100_000;
      const claimed = await claimOne(desk.around);
      assert(claimed !== undefined);
      await answer(desk.around, id, { kind: 'reopen', by: 'bob' });
      await Promise.all([
        deliver(desk.around, claimed, new AbortController().signal),
        answer(desk.around, id, { kind: 'acknowledge', by: 'ada' }),
      ]);
    }
    const kinds = (await timelineOf(db(), id)).map(({ kind }) => kind);
    assert.deepEqual(
      ['refused', 'acknowledged'].map((one) => kinds.filter((kind) => kind === one).length),
      [3, 3],
    );
  });

  test('a policy that is gone from the files is said as one', async () => {
    const desk = await fired([step(200, to('receiver', 'boss'))], 100);
    desk.setup = setupOf({ root: route('pager'), receivers: [] });
    await desk.play(inSeconds(400));
    assert.deepEqual(await rows(), ['unreached: the policy pager is not in the configuration any more']);
  });
});
