import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { readAlertmanagerConfig } from '#alerting/config/read.ts';
import { milliseconds } from '#kernel/units.ts';
import { readOncall } from './read.ts';

const GLOBAL = `global:
  smtp_from: burnline@example.org
  smtp_smarthost: smtp.example.org:587
  slack_api_url_file: missing
`;
const ROUTING = `${GLOBAL}route: {receiver: oncall}
receivers:
- name: oncall
- name: pager
  pagerduty_configs: [{routing_key: k}]
`;

function read(text: string, routing = ROUTING) {
  const first = readAlertmanagerConfig(routing, {
    file: 'alertmanager.yml',
    mode: 'default',
    readFile: () => undefined,
  });
  const config = first.kind === 'config' ? first : undefined;
  return readOncall(text, {
    file: 'oncall.yaml',
    receivers: config?.config.receivers,
    contact: config?.contact,
    readFile: (path) => (path === 'key' ? 'from-a-file\n' : undefined),
  });
}

/** `line:column field: message`, each. */
function faults(text: string, routing?: string): string[] {
  const result = read(text, routing);
  return result.kind === 'oncall'
    ? []
    : result.faults.map(({ line, column, field, message }) => `${line}:${column} ${field}: ${message}`);
}

test('people, schedules and policies are read, with what alertmanager.yml gives them', () => {
  const result = read(`people:
- name: ada
  display_name: Ada
  contacts:
  - email_config: {to: ada@example.org}
  - pagerduty_config: {routing_key_file: key}
    severities: [critical]
  - email_config: {to: ada@example.com, from: other@example.org}
- name: bob
schedules:
- name: primary
  time_zone: Europe/Berlin
  layers:
  - name: weekly
    people: [ada, bob]
    rotation: {every: 2, unit: week}
    start: 2026-01-05T09:00
    end: 2027-01-05 09:00
    restrictions: [{weekdays: ['saturday:monday', friday], from: '22:00', to: '06:00'}, {weekdays: [tuesday]}]
  overrides:
  - {person: bob, from: 2026-03-29T02:30, to: 2026-10-25T02:30}
policies:
- name: oncall
  steps:
  - targets: [{schedule: primary}, {receiver: pager}]
  - {delay: 5m, targets: [{person: ada}]}
  warnings:
    working_hours: {time_zone: Asia/Tokyo, restrictions: [{weekdays: ['monday:friday'], from: '09:00', to: '24:00'}]}
`);
  assert(result.kind === 'oncall', JSON.stringify(result));
  const { people, schedules, policies } = result.oncall;
  const ada = people.get('ada');
  assert.equal(ada?.displayName, 'Ada');
  assert.equal(people.get('bob')?.displayName, 'bob');
  const [mail, pager, second] = ada?.contacts ?? [];
  assert(mail?.integration.kind === 'email' && second?.integration.kind === 'email');
  assert.deepEqual([mail.integration.from, mail.integration.smarthost.port], ['burnline@example.org', 587]);
  assert.deepEqual([mail.integration.index, second.integration.index], [0, 1]);
  assert.deepEqual([mail.severities, pager?.severities], [['critical', 'warning'], ['critical']]);
  assert.equal(pager?.integration.kind === 'pagerduty' && pager.integration.routingKey.reveal(), 'from-a-file');
  const schedule = schedules.get('primary');
  assert.deepEqual(schedule?.layers, [
    {
      name: 'weekly',
      people: ['ada', 'bob'],
      rotation: { every: 2, unit: 'week' },
      start: { year: 2026, month: 1, day: 5, hour: 9, minute: 0 },
      end: { year: 2027, month: 1, day: 5, hour: 9, minute: 0 },
      restrictions: [
        { weekdays: [6, 0, 1, 5], from: 1_320, to: 360 },
        { weekdays: [2], from: 0, to: 1_440 },
      ],
    },
  ]);
  assert.deepEqual(schedule.overrides, [
    { person: 'bob', from: Date.UTC(2026, 2, 29, 1), to: Date.UTC(2026, 9, 25, 0, 30) },
  ]);
  assert.deepEqual(policies.get('oncall'), {
    name: 'oncall',
    steps: [
      {
        delay: 0,
        targets: [
          { kind: 'schedule', name: 'primary' },
          { kind: 'receiver', name: 'pager' },
        ],
      },
      { delay: milliseconds(300_000), targets: [{ kind: 'person', name: 'ada' }] },
    ],
    repeat: { times: 2, after: 600_000 },
    warnings: {
      after: 120_000,
      within: 900_000,
      schedule: { zone: 'Asia/Tokyo', restrictions: [{ weekdays: [1, 2, 3, 4, 5], from: 540, to: 1_440 }] },
    },
  });
});

test('the file that docs/oncall.md shows is read as it stands', () => {
  const [, shown = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync('docs/oncall.md', 'utf8')) ?? [];
  const withBob = shown.replace('schedules:\n', '- name: bob\nschedules:\n').replace('secrets/ada', 'key');
  assert.deepEqual(faults(withBob), []);
});

test('an empty file is nobody on call, and no fault', () => {
  const result = read(' \n');
  assert(result.kind === 'oncall');
  assert.equal(result.oncall.policies.size, 0);
});

const person = (text: string): string => `people: [{ name: ada, ${text} }]`;
const contact = (text: string): string => person(`contacts: [{ ${text} }]`);
const layer = (text: string): string =>
  `people: [{ name: ada }]\nschedules: [{ name: s, time_zone: UTC, layers: [{ ${text} }] }]`;
const ROTATION = 'rotation: { unit: day }';
const whole = (text: string): string => layer(`name: l, people: [ada], ${ROTATION}, start: 2026-01-05T09:00, ${text}`);
const override = (text: string): string =>
  `people: [{ name: ada }]\nschedules: [{ name: s, time_zone: UTC, overrides: [{ ${text} }] }]`;
const policy = (text: string): string => `policies: [{ name: oncall, ${text} }]`;
const step = (text: string): string => policy(`steps: [{ ${text} }]`);
const right = 'steps: [{ targets: [{ receiver: pager }] }]';

const REFUSED: readonly [text: string, fault: RegExp][] = [
  ['[]', /^1:1 : is empty or no map: expected people, schedules and policies/],
  ['people: []\nteams: []', /^2:1 teams: is unknown/],
  ['people: [{}]', /^1:10 people\[0\].name: is missing/],
  ['people: [{ name: a }, { name: a }]', /^1:31 people\[1\].name: is "a", as another person is called/],
  [person('mail: x'), /people\[0\].mail: is unknown/],
  [contact('severities: [critical]'), /contacts\[0\]: names no way: expected one of email_config, /],
  [contact('email_config: { to: a@b.c }, webhook_config: { url: "http://h/" }'), /webhook_config: stands beside email/],
  [contact('email_config:'), /contacts\[0\].email_config: is empty: expected a map/],
  [contact('email_config: { too: a@b.c, to: a@b.c }'), /contacts\[0\].email_config.too: is unknown/],
  [contact('email_config: {}'), /contacts\[0\].email_config: is empty|email_config.to: is missing/],
  [contact('pagerduty_config: { url: "http://h/" }'), /pagerduty_config: has no routing_key/],
  [contact('pagerduty_config: { routing_key_file: no }'), /routing_key_file: names the file no, which cannot be read/],
  [
    contact('slack_config: { channel: x }'),
    /slack_config: inherits global.slack_api_url_file of alertmanager.yml:4, which/,
  ],
  [contact('email_config: { to: a@b.c }, severities: [loud]'), /severities\[0\]: is "loud": expected one of critical/],
  [contact('email_config: { to: a@b.c }, severities: []'), /severities: is an empty list/],
  ['schedules: [{ name: s, time_zone: UTC }]', /^1:13 schedules\[0\].layers: is missing/],
  [
    'schedules: [{ name: s, time_zone: Mars/Base }]',
    /^1:35 schedules\[0\].time_zone: is "Mars\/Base": expected a name/,
  ],
  ['schedules: [{ name: s, layers: [] }]', /time_zone: is missing/],
  ['schedules: [{ name: s, time_zone: "+01:00" }]', /time_zone: is "\+01:00"/],
  [layer(`name: l, ${ROTATION}, start: 2026-01-05T09:00`), /layers\[0\].people: is missing/],
  [layer(`name: l, people: [], ${ROTATION}, start: 2026-01-05T09:00`), /layers\[0\].people: is missing/],
  [
    layer(`name: l, people: [Ada], ${ROTATION}`),
    /people\[0\]: is "Ada", which no person is called: did you mean "ada"/,
  ],
  [layer(`name: l, people: [bob], ${ROTATION}`), /people\[0\]: is "bob", which no person is called: there is "ada"/],
  [layer('name: l, people: [ada], start: 2026-01-05T09:00'), /rotation: is missing/],
  [
    layer('name: l, people: [ada], rotation: { unit: month }'),
    /rotation.unit: is "month": expected one of hour, day, week/,
  ],
  [layer('name: l, people: [ada], rotation: { unit: day, every: 0 }'), /rotation.every: is 0: expected a whole number/],
  [layer('name: l, people: [ada], rotation: { unit: day, every: 1.5 }'), /rotation.every: is "1.5"/],
  [layer('name: l, people: [ada], rotation: weekly'), /rotation: is text: expected a map/],
  [layer(`name: l, people: [ada], ${ROTATION}`), /layers\[0\].start: is missing: expected a time on the clock/],
  [layer(`name: l, people: [ada], ${ROTATION}, start: 2026-02-30T09:00`), /start: is "2026-02-30T09:00"/],
  [layer(`name: l, people: [ada], ${ROTATION}, start: 2026-01-05T09:00Z`), /start: is "2026-01-05T09:00Z"/],
  [whole('end: 2026-01-05T09:00'), /end: is not after start/],
  [whole('restrictions: []'), /restrictions: is empty, which holds no moment/],
  [whole('restrictions:'), /restrictions: is empty, which holds no moment/],
  [
    whole(`restrictions: [${'{ weekdays: [monday] }, '.repeat(51)}]`),
    /restrictions\[50\]: is one too many: the most is 50/,
  ],
  [whole('restrictions: [{}]'), /restrictions\[0\]: holds every moment/],
  [whole('restrictions: [{ weekdays: [] }]'), /restrictions\[0\]/],
  [whole('restrictions: [{ weekdays: [noday] }]'), /weekdays\[0\]: is "noday": expected a weekday/],
  [whole('restrictions: [{ from: "09:00" }]'), /restrictions\[0\]: has from without to/],
  [whole('restrictions: [{ from: "9:00", to: "17:00" }]'), /from: is "9:00": expected HH:MM/],
  [whole('restrictions: [{ from: "24:00", to: "17:00" }]'), /from: is 24:00/],
  [whole('restrictions: [{ days: [monday] }]'), /days: is unknown/],
  [override('person: bob, from: 2026-01-01T00:00, to: 2026-01-02T00:00'), /overrides\[0\].person: is "bob"/],
  [override('from: 2026-01-01T00:00, to: 2026-01-02T00:00'), /overrides\[0\].person: is missing/],
  [override('person: ada, from: 2026-01-01T00:00, to: 2026-01-01T00:00'), /overrides\[0\].to: is not after from/],
  [
    `policies: [{ name: nobody, ${right} }]`,
    /^1:20 policies\[0\].name: is "nobody", which no receiver of alertmanager.yml/,
  ],
  [policy('repeat: { times: 1 }'), /policies\[0\].steps: is missing/],
  [policy('steps: []'), /policies\[0\].steps: is missing/],
  [step('delay: 5m'), /steps\[0\].targets: is missing/],
  [step('delay: soon, targets: [{ receiver: pager }]'), /steps\[0\].delay: is "soon": expected a duration/],
  [step('targets: [{}]'), /targets\[0\]: names nobody: expected one of schedule, person, receiver/],
  [step('targets: [{ person: ada }]'), /targets\[0\].person: is "ada", which no person is called: there is none/],
  [step('targets: [{ schedule: s }]'), /targets\[0\].schedule: is "s", which no schedule is called/],
  [step('targets: [{ receiver: Pager }]'), /targets\[0\].receiver: is "Pager", .*did you mean "pager"/],
  [step('targets: [{ receiver: pager, team: x }]'), /targets\[0\].team: is unknown/],
  [
    `people: [{ name: ada }]\n${step('targets: [{ receiver: pager, person: ada }]')}`,
    /targets\[0\].receiver: stands beside person/,
  ],
  [policy(`${right}, repeat: { times: 1000 }`), /repeat.times: is 1000: the most is 100/],
  [policy(`${right}, repeat: { after: 0s }`), /repeat.after: is 0/],
  [policy(`${right}, warnings: { working_hours: { time_zone: UTC } }`), /working_hours.restrictions: is missing/],
  [policy(`${right}, warnings: { hours: {} }`), /warnings.hours: is unknown/],
];
for (const [text, expected] of REFUSED) {
  test(`refused: ${text.replaceAll('\n', '⏎').slice(0, 200)}`, () => {
    const found = faults(text);
    assert(
      found.some((one) => expected.test(one)),
      found.join('\n') || 'no fault',
    );
  });
}

test('all faults are told at once, in the order of the file', () => {
  const found = faults(`people: [{ name: ada, x: 1 }]
schedules: [{ name: s, time_zone: Mars, layers: [{ name: l, people: [bob] }] }]
policies: [{ name: none }]
`);
  assert.deepEqual(
    found.map((one) => one.split(' ')[0]),
    ['1:23', '2:35', '2:50', '2:50', '2:70', '3:12', '3:20'],
  );
});

test('a wrong alertmanager.yml does not make oncall.yaml wrong: what depends on it is not checked', () => {
  const text = `people: [{ name: ada, contacts: [{ slack_config: { channel: x } }] }]\npolicies: [{ name: gone, ${right} }]`;
  assert.deepEqual(faults(text, 'route: {}'), []);
  assert.equal(faults(text).length, 2);
});

test('what is wrong with a global secret is told once, and its first reader has the place', () => {
  const two = contact('slack_config: { channel: x }').replace(']', ', { slack_config: { channel: y } }]');
  const found = faults(two);
  assert.equal(found.length, 1, found.join('\n'));
});

test('no secret is in a fault', () => {
  const found = faults(contact('slack_config: { api_url: hunter2 }, severities: [loud]'));
  assert(found.length >= 2);
  assert.doesNotMatch(found.join('\n'), /hunter2/);
});
