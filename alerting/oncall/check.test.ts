import assert from 'node:assert/strict';
import test from 'node:test';
import { readAlertmanagerConfig } from '#alerting/config/read.ts';
import { milliseconds } from '#kernel/units.ts';
import { warningsOf } from './check.ts';
import { readOncall } from './read.ts';

const NOW = milliseconds(Date.UTC(2026, 2, 2, 12));

function told(text: string, hearsPagerduty = true): string[] {
  const routing =
    'route: {receiver: oncall}\nreceivers: [{name: oncall}, {name: pager, pagerduty_configs: [{routing_key: k}]}]';
  const first = readAlertmanagerConfig(routing, { file: 'a', mode: 'default', readFile: () => undefined });
  assert(first.kind === 'config');
  const { receivers } = first.config;
  const read = readOncall(text, { file: 'o', receivers, contact: first.contact, readFile: () => undefined });
  assert(read.kind === 'oncall', JSON.stringify(read));
  return warningsOf(read.oncall, receivers, hearsPagerduty, NOW).map(({ field, message }) => `${field}: ${message}`);
}

const PAGED = 'contacts: [{pagerduty_config: {routing_key: k}}]';
const file = (layer: string, people = `[{name: ada, ${PAGED}}]`): string => `people: ${people}
schedules:
- name: primary
  time_zone: Europe/Berlin
  layers: [{name: l, people: [ada], rotation: {unit: week}, ${layer}}]
policies: [{name: oncall, steps: [{targets: [{schedule: primary}]}]}]
`;

test('nothing is said where somebody is on call all the time', () => {
  assert.deepEqual(told(file('start: 2026-01-05T09:00')), []);
});

test('gaps of the next 90 days are told on the clocks of the schedule', () => {
  assert.deepEqual(told(file('start: 2026-03-29T02:30')), [
    'schedules.primary: nobody is on call in the next 90 days from now to 2026-03-29 03:00 (Europe/Berlin)',
  ]);
  assert.deepEqual(told(file('start: 2026-01-05T09:00, end: 2026-05-31T00:00')), [
    'schedules.primary: nobody is on call in the next 90 days from 2026-05-31 00:00 to the end of that time (Europe/Berlin)',
  ]);
  assert.deepEqual(told(file('start: 2026-01-05T09:00, end: 2026-06-01T00:00')), []);
  assert.deepEqual(told(file('start: 2027-01-05T09:00')), ['schedules.primary: nobody is on call in the next 90 days']);
  const [weekends] = told(file("start: 2026-01-05T09:00, restrictions: [{weekdays: ['monday:friday']}]"));
  assert.match(weekends ?? '', /from 2026-03-07 00:00 to 2026-03-09 00:00, 2026-03-14 .* and 10 more times/);
});

test('people who are in nothing, and people and receivers without a way out, are told', () => {
  const people = `[{name: ada}, {name: bob, ${PAGED}}]`;
  assert.deepEqual(told(file('start: 2026-01-05T09:00', people)), [
    'people.ada: has no contacts: a page for them goes nowhere',
    'people.bob: is in no schedule and no policy',
  ]);
  const critical = `[{name: ada, ${PAGED.replace('}}]', '}, severities: [critical]}]')}}]`;
  assert.deepEqual(told(file('start: 2026-01-05T09:00', critical)), [
    'people.ada: has no contact for warning: it goes nowhere',
  ]);
  assert.deepEqual(told('policies: [{name: oncall, steps: [{targets: [{receiver: pager}, {receiver: oncall}]}]}]'), [
    'policies.oncall.steps[0]: the receiver oncall has no way out: whoever is sent there is not told',
  ]);
  assert.deepEqual(told(file('start: 2026-01-05T09:00').replace('schedule: primary', 'receiver: pager')), [
    'schedules.primary: is in no policy',
  ]);
});

test('who is told by PagerDuty is told where nobody hears what is done there', () => {
  const [warning, ...others] = told(file('start: 2026-01-05T09:00'), false);
  assert.match(warning ?? '', /^people\.ada: is told by PagerDuty, .* set ROUTER_PAGERDUTY_WEBHOOK_SECRET /);
  assert.deepEqual(others, []);
  const policy = (name: string) => `policies: [{name: oncall, steps: [{targets: [{receiver: ${name}}]}]}]`;
  assert.match(told(policy('pager'), false).join(), /^receivers\.pager: is told by PagerDuty/);
  assert.doesNotMatch(told(policy('oncall'), false).join(), /PagerDuty/);
});
