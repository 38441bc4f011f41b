import assert from 'node:assert/strict';
import test from 'node:test';
import { milliseconds } from '#kernel/units.ts';
import { policy as policyOf, slack, span } from '#test/kit/alerting.ts';
import { escalate, firstStepAt, type Who } from './escalation.ts';
import type { Policy, WorkingHours } from './oncall/model.ts';

const WEEKDAYS: WorkingHours = {
  zone: 'Europe/Berlin',
  restrictions: [{ weekdays: [1, 2, 3, 4, 5], from: 9 * 60, to: 17 * 60 }],
};
const policy = (more: Partial<Policy> = {}): Policy =>
  policyOf('p', {
    steps: [
      { delay: span(60), targets: [{ kind: 'receiver', name: 'r' }] },
      { delay: span(300), targets: [{ kind: 'receiver', name: 'r' }] },
    ],
    repeat: { times: 1, after: span(600) },
    ...more,
  });
const WHO: Who = {
  receivers: new Map([['r', { name: 'r', integrations: [slack()] }]]),
  oncall: { people: new Map(), schedules: new Map(), policies: new Map(), heartbeats: new Map(), watchdog: undefined },
  onDuty: () => [],
};
const at = (iso: string) => milliseconds(Date.parse(iso));
const iso = (moment: number | undefined) => (moment === undefined ? undefined : new Date(moment).toISOString());
const hours = policy({ warnings: { after: span(0), within: span(900), schedule: WEEKDAYS } });

const FIRST: readonly [what: string, policy: Policy, severity: 'critical' | 'warning', now: string, due: string][] = [
  ['critical: after its delay', policy(), 'critical', '2026-11-28T03:00:00Z', '2026-11-28T03:01:00.000Z'],
  ['a warning without hours: the same', policy(), 'warning', '2026-11-28T03:00:00Z', '2026-11-28T03:01:00.000Z'],
  ['critical does not wait for hours', hours, 'critical', '2026-11-28T03:00:00Z', '2026-11-28T03:01:00.000Z'],
  ['a warning waits, from Saturday to Monday', hours, 'warning', '2026-11-28T03:00:00Z', '2026-11-30T08:00:00.000Z'],
  ['within the hours: after its delay', hours, 'warning', '2026-11-27T12:00:00Z', '2026-11-27T12:01:00.000Z'],
  ['the delay ends after the hours', hours, 'warning', '2026-11-26T15:59:30Z', '2026-11-27T08:00:00.000Z'],
  ['over a change of clocks', hours, 'warning', '2026-03-27T20:00:00Z', '2026-03-30T07:00:00.000Z'],
];
for (const [what, one, severity, now, due] of FIRST) {
  test(what, () => assert.equal(iso(firstStepAt(one, severity, at(now))), due));
}

test('a warning is told within its time, however long the first step waits; critical waits for its delay', () => {
  const slow = policy({ steps: [{ delay: span(3_600), targets: [{ kind: 'receiver', name: 'r' }] }] });
  assert.equal(firstStepAt(slow, 'warning', milliseconds(0)), 900_000);
  assert.equal(firstStepAt(slow, 'critical', milliseconds(0)), 3_600_000);
});

test('hours that hold no moment hold nothing back', () => {
  const never = policy({
    warnings: { after: span(0), within: span(900), schedule: { zone: 'UTC', restrictions: [] } },
  });
  assert.equal(firstStepAt(never, 'warning', milliseconds(0)), 60_000);
});

test('later steps and rounds of a warning wait for the hours too', () => {
  const now = at('2026-11-27T15:58:00Z');
  const due = (severity: 'critical' | 'warning', step: number) =>
    iso(escalate({ severity, step, round: 0 }, hours, WHO, now).incident.dueAt);
  assert.equal(due('warning', 0), '2026-11-30T08:00:00.000Z');
  assert.equal(due('warning', 1), '2026-11-30T08:00:00.000Z');
  assert.equal(due('critical', 0), '2026-11-27T16:03:00.000Z');
  assert.equal(due('critical', 1), '2026-11-27T16:08:00.000Z');
});
