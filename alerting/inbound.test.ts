import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import type { Integration } from '#alerting/config/config.ts';
import { secret } from '#kernel/secret.ts';
import {
  type Desk,
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
import { hear, type Inbound } from './inbound.ts';
import { timelineOf } from './rows/incidents.ts';
import { makeSqlStore } from './store-sql.ts';

const setupWith = (...more: Integration[]) =>
  setupOf({
    root: route('pager', { groupBy: ['service'], groupWait: span(0) }),
    receivers: [
      { name: 'pager', integrations: [pagerduty(), slack(), ...more] },
      { name: 'boss', integrations: [slack()] },
    ],
    policies: [
      policy('pager', {
        steps: PAGER_THEN_BOSS,
      }),
    ],
  });
const CRITICAL = { alertname: 'Down', service: 'docs', severity: 'critical' };
const LONG = { endsAt: inSeconds(1_000_000) };
const by = { by: 'Ada in PagerDuty', from: 'pagerduty' } as const;

onEveryEngine('what is done in PagerDuty', (db) => {
  beforeEach(async () => await emptyTables(db()));

  async function paged(setup = setupWith()): Promise<{ desk: Desk; ours: string }> {
    const desk = makeDesk(makeSqlStore(db()), setup);
    await desk.fire(CRITICAL, LONG);
    await desk.play(inSeconds(10));
    desk.arrived.length = 0;
    const [{ id: ours = '' } = {}] = await db().query<{ id: string }>('select id from alerting.incidents');
    return { desk, ours };
  }
  const told = ({ arrived }: Desk): string[] =>
    arrived.map(({ destination, message }) => {
      const what = message.kind === 'incident' ? `${message.action} by ${message.incident.acknowledgedBy}` : '';
      return `${destination.replace('receiver/', '')} ${what}`;
    });
  const event = (ours: string | undefined, says: Inbound['says'], id = 'e1'): Inbound => ({
    ...{ source: 'pagerduty', id, theirs: 'P1', ours, says },
  });
  const kinds = async (ours: string) =>
    (await timelineOf(db(), ours)).map(({ kind, because, actor }) => `${kind} ${because} ${actor ?? ''}`);
  const stateOf = async (ours: string) =>
    (await db().query<{ state: string }>('select state from alerting.incidents where id = $1', [ours]))[0]?.state;

  test('an acknowledgement there stops the escalation, and all but PagerDuty are told of it', async () => {
    const { desk, ours } = await paged();
    const heard = await hear(desk.around, event(ours, { ...by, kind: 'acknowledge' }));
    assert.deepEqual([heard.outcome, heard.incident?.state], ['taken', 'acknowledged']);
    await desk.play(inSeconds(5_000));
    assert.deepEqual(told(desk), ['pager/slack[0] acknowledge by Ada in PagerDuty']);
    assert.match((await kinds(ours)).join('\n'), /^acknowledged by Ada in PagerDuty Ada in PagerDuty$/m);
  });

  test('told again it changes nothing, and neither does what holds already', async () => {
    const { desk, ours } = await paged();
    const [acknowledge, reopen] = [
      event(ours, { ...by, kind: 'acknowledge' }),
      event(ours, { ...by, kind: 'reopen' }, 'e2'),
    ];
    assert.equal((await hear(desk.around, acknowledge)).outcome, 'taken');
    assert.equal((await hear(desk.around, { ...acknowledge, id: 'e9' })).outcome, 'unchanged');
    assert.equal((await hear(desk.around, reopen)).outcome, 'taken');
    // The first is sent again after the second: nobody is on it, and nobody may seem to be.
    assert.equal((await hear(desk.around, acknowledge)).outcome, 'replayed');
    assert.equal(await stateOf(ours), 'open');
    assert.equal((await kinds(ours)).filter((one) => one.startsWith('acknowledged')).length, 1);
  });

  test('two routers that are told of it at once do it once', async () => {
    const { desk, ours } = await paged();
    const note = event(ours, { ...by, kind: 'note', text: 'looking' });
    const outcomes = await Promise.all([hear(desk.around, note), hear(desk.around, note)]);
    assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['replayed', 'taken']);
    assert.equal((await kinds(ours)).filter((one) => one === 'noted looking Ada in PagerDuty').length, 1);
  });

  test('an end there is an end here, and nothing is sent there', async () => {
    const { desk, ours } = await paged();
    assert.equal((await hear(desk.around, event(ours, { ...by, kind: 'resolve' }))).incident?.state, 'resolved');
    await desk.play(inSeconds(2_000));
    assert.deepEqual(told(desk), ['pager/slack[0] resolve by undefined']);
  });

  test('an end there is told there too, behind what would begin it again', async () => {
    const { desk, ours } = await paged();
    desk.outcome = (to) =>
      to.includes('pagerduty')
        ? { kind: 'retry', because: 'status 503', after: span(60) }
        : { kind: 'delivered', reference: undefined };
    await desk.fire({ ...CRITICAL, alertname: 'Slow' }, LONG);
    await desk.play(inSeconds(30));
    desk.arrived.length = 0;
    await hear(desk.around, event(ours, { ...by, kind: 'resolve' }));
    desk.outcome = () => ({ kind: 'delivered', reference: undefined });
    await desk.play(inSeconds(2_000));
    const there = told(desk).filter((one) => one.startsWith('pager/pagerduty'));
    assert.deepEqual(there, ['pager/pagerduty[0] update by undefined', 'pager/pagerduty[0] resolve by undefined']);
  });

  test('of two accounts each is told, since it may be the other one', async () => {
    const other: Integration = { ...pagerduty(1), routingKey: secret('another') } as Integration;
    const { desk, ours } = await paged(setupWith(other));
    await hear(desk.around, event(ours, { ...by, kind: 'acknowledge' }));
    await desk.play(inSeconds(60));
    assert.deepEqual(
      told(desk)
        .map((one) => one.split(' ')[0])
        .sort(),
      ['pager/pagerduty[0]', 'pager/pagerduty[1]', 'pager/slack[0]'],
    );
  });

  test('given back there, it pages again at once', async () => {
    const { desk, ours } = await paged();
    await answer(desk.around, ours, { kind: 'acknowledge', by: 'eve' });
    await desk.play(inSeconds(1_000));
    desk.arrived.length = 0;
    const heard = await hear(desk.around, event(ours, { ...by, kind: 'reopen' }));
    assert.equal(heard.incident?.state, 'open');
    await desk.play(inSeconds(1_301));
    assert.deepEqual(
      told(desk).map((one) => one.split(' ').slice(0, 2).join(' ')),
      ['pager/pagerduty[0] trigger', 'pager/slack[0] trigger', 'boss/slack[0] trigger'],
    );
  });

  test('a note names the incident as they call it, which an event before it has told', async () => {
    const { desk, ours } = await paged();
    const note = event(undefined, { ...by, kind: 'note', text: 'it was the disk' }, 'e2');
    assert.equal((await hear(desk.around, note)).outcome, 'unknown');
    assert.equal((await hear(desk.around, event(ours, undefined))).outcome, 'unchanged');
    assert.equal((await hear(desk.around, note)).outcome, 'taken');
    assert.match((await kinds(ours)).join('\n'), /^noted it was the disk Ada in PagerDuty$/m);
  });

  test('of what is not ours nothing is kept, and of what is over only notes', async () => {
    const { desk, ours } = await paged();
    assert.equal((await hear(desk.around, event('nobody', { ...by, kind: 'resolve' }))).outcome, 'unknown');
    assert.deepEqual(await db().query('select id from alerting.inbound'), []);
    await answer(desk.around, ours, { kind: 'resolve', by: 'eve' });
    for (const [i, kind] of (['acknowledge', 'reopen', 'resolve'] as const).entries()) {
      assert.equal((await hear(desk.around, event(ours, { ...by, kind }, `r${i}`))).outcome, 'unchanged');
    }
    assert.equal((await hear(desk.around, event(ours, { ...by, kind: 'note', text: 'x' }))).outcome, 'taken');
    assert.equal(await stateOf(ours), 'resolved');
  });
});
