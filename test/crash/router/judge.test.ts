/** That the verdict sees what it is there to see: good facts pass, and each way to lose or repeat something breaks a rule. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Facts, StoredIncident } from './evidence.ts';
import { judge } from './judge.ts';
import { type Arrived, CHANNELS, type Channel } from './receivers.ts';
import { makeTrail } from './steps.ts';
import type { Kind, Story } from './stories.ts';

const story = (n: number, kind: Kind, more: Partial<Story> = {}): Story => ({
  kind,
  marker: `story-0000${n}`,
  team: 0,
  begunAt: 0,
  alerts: [{ labels: { alertname: 'A1', service: `story-0000${n}` }, answered: true }],
  lifetime: 0,
  ended: 'answered',
  acknowledged: 'not',
  held: false,
  busy: false,
  generation: kind === 'generation' ? 1 : 0,
  ...more,
});
const message = (
  at: number,
  channel: Channel,
  n: number,
  action: Arrived['action'],
  more: Partial<Arrived> = {},
): Arrived => ({
  at,
  channel,
  target: n === 1 ? 'pager-0' : 'team-0',
  key: channel === 'slack' ? '' : channel === 'pagerduty' ? `key-${n}` : `${n}-${action}`,
  action,
  text: `${action === 'resolve' ? 'RESOLVED · critical' : 'CRITICAL'} · story-0000${n}\nIncident: #${n}, step 1`,
  mayRepeat: false,
  ...more,
});
const both = (n: number): Arrived[] =>
  CHANNELS.flatMap((channel) => [message(100, channel, n, 'trigger'), message(900, channel, n, 'resolve')]);
const incident: StoredIncident = {
  id: 'i1',
  number: 1,
  service: 'story-00001',
  state: 'resolved',
  acknowledgedAt: 500,
  acknowledgedBy: 'ada',
};
const STORIES = [
  story(1, 'critical', { acknowledged: 'answered' }),
  story(2, 'warning'),
  story(3, 'generation', { ended: 'not' }),
  story(4, 'silenced', { ended: 'not' }),
];
const told = message(100, 'webhook', 3, 'trigger', { target: 'gen-1', key: 'g' });
const later = Date.now() + 3_600_000;
const GOOD: Facts = {
  stories: STORIES,
  silences: [{ id: 's', story: 'story-00004' }],
  // Once more after a kill, by the same key or marked.
  arrived: [
    ...both(1),
    ...both(2),
    told,
    message(300, 'email', 1, 'trigger'),
    message(300, 'pagerduty', 1, 'trigger'),
    message(300, 'slack', 1, 'trigger', { mayRepeat: true }),
  ].sort((a, b) => a.at - b.at),
  kills: [{ at: 200, moment: 'at random', member: 'r1' }],
  stored: {
    alerts: STORIES.flatMap(({ alerts }) => alerts),
    incidents: [incident],
    notifications: [{ id: 'n', destination: 'd', state: 'delivered', attempts: 1, error: null }],
    timeline: [
      { incidentId: 'i1', at: 1, kind: 'escalated' },
      { incidentId: 'i1', at: 2, kind: 'acknowledged' },
    ],
    silences: [{ id: 's', endsAt: later }],
    groups: [],
  },
  firing: new Set(['story-00003', 'story-00004']),
  generation: 1,
  configs: ['gen-1'],
  inForce: [new Set(['s'])],
};

test('what went well is no failure', () => {
  assert.deepEqual(judge(GOOD), []);
});

type Change = (facts: Facts) => Partial<Facts>;
const stored = (facts: Facts, more: Partial<Facts['stored']>) => ({ stored: { ...facts.stored, ...more } });
const without =
  (wanted: (one: Arrived) => boolean): Change =>
  ({ arrived }) => ({ arrived: arrived.filter((one) => !wanted(one)) });
const besides =
  (one: Arrived): Change =>
  ({ arrived }) => ({ arrived: [...arrived, one].sort((a, b) => a.at - b.at) });
const CASES: readonly [rule: RegExp, change: Change][] = [
  [/answered 200 is in the store/, (facts) => stored(facts, { alerts: facts.stored.alerts.slice(1) })],
  [
    /an end that was answered 200 has ended it/,
    () => ({ firing: new Set(['story-00001', 'story-00003', 'story-00004']) }),
  ],
  [/what nobody has ended fires on/, () => ({ firing: new Set(['story-00004']) })],
  [/nothing arrives that nobody sent/, besides({ ...told, text: 'story-00009' })],
  [/told where the new files lead it/, without((one) => one === told)],
  [/led to an incident/, (facts) => stored(facts, { incidents: [] })],
  [/one story is one incident/, (facts) => stored(facts, { incidents: [incident, { ...incident, id: 'i2' }] })],
  [/first message of each arrived/, without(({ channel, action }) => channel === 'email' && action === 'trigger')],
  [/told of the end/, without(({ channel, action }) => channel === 'webhook' && action === 'resolve')],
  [
    /second step was taken/,
    () => ({ stories: STORIES.map((one) => (one.kind === 'critical' ? { ...one, held: true } : one)) }),
  ],
  [/nothing arrives twice/, () => ({ kills: [] })],
  [/a repeat in Slack says/, besides(message(300, 'slack', 2, 'trigger'))],
  [/a mail or a webhook has one key/, besides(message(300, 'email', 1, 'trigger', { key: 'another' }))],
  [/PagerDuty has one alert/, besides(message(300, 'pagerduty', 1, 'trigger', { key: 'another' }))],
  [/nothing after the end/, besides(message(950, 'pagerduty', 1, 'trigger'))],
  [
    /an acknowledgement that was answered/,
    (facts) => stored(facts, { incidents: [{ ...incident, acknowledgedBy: null }] }),
  ],
  [
    /nobody is paged after an acknowledgement/,
    (facts) => stored(facts, { timeline: [...facts.stored.timeline].reverse() }),
  ],
  [/a silence that was answered 200/, () => ({ inForce: [new Set()] })],
  [/what is silenced is told to nobody/, besides(message(300, 'slack', 4, 'trigger'))],
  [/files that were reloaded/, () => ({ configs: ['gen-1', ''] })],
  [
    /nothing waits for ever/,
    (facts) =>
      stored(facts, {
        notifications: [
          { ...facts.stored.notifications[0], id: 'n', destination: 'd', state: 'sending', attempts: 1, error: null },
        ],
      }),
  ],
  [
    /nothing is given up/,
    (facts) =>
      stored(facts, { notifications: [{ id: 'n', destination: 'd', state: 'refused', attempts: 1, error: 'no' }] }),
  ],
  [/what has ended is let go/, (facts) => stored(facts, { groups: [{ id: 'g' }] })],
];

for (const [rule, change] of CASES) {
  test(`it is seen when this does not hold: ${rule.source}`, () => {
    const failures = judge({ ...GOOD, ...change(GOOD) });
    assert(
      failures.some((one) => rule.test(one.rule)),
      JSON.stringify(failures),
    );
  });
}

test('a step is known by its statements, and only where they found something', () => {
  let awaited = 'group timer: before commit';
  const trail = makeTrail(() => awaited);
  const look = (rows: number): boolean => {
    trail.asked('begin');
    trail.answered(0);
    trail.asked('select id\n from alerting.groups where due_at <= $1 order by due_at');
    trail.answered(rows);
    const reached = trail.asked('commit');
    trail.answered(0);
    return reached;
  };
  assert.equal(look(0), false);
  assert.equal(look(1), true);
  awaited = 'intake: before commit';
  assert.equal(look(1), false);
});
