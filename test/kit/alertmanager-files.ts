/** Configurations of Alertmanager, drawn at random: what its own programs and ours are to read alike. */
import fc from 'fast-check';
import { stringify } from 'yaml';

const NAMES = ['alertname', 'service', 'severity', 'team', 'zone'];
const VALUES = [
  '',
  'a',
  'b',
  'db',
  'db-1',
  'critical',
  'warning',
  'ü',
  'a b',
  '"x"',
  'back\\slash',
  'new\nline',
  'tab\t',
];
const EXPRESSIONS = ['.*', '.+', 'db.*', 'a|b', '[a-c]', '(?i)DB', '\\w+', 'critical|warning', '', '.', 'db-\\d{1,3}'];

export const labelSets: fc.Arbitrary<Record<string, string>> = fc.dictionary(
  fc.constantFrom(...NAMES),
  fc.constantFrom(...VALUES),
  { noNullPrototype: true },
);

const matchers = fc.oneof(
  fc
    .tuple(fc.constantFrom(...NAMES, 'größe'), fc.constantFrom('=', '!='), fc.constantFrom(...VALUES))
    .map(([name, op, value]) => `${name}${op}${JSON.stringify(value)}`),
  fc
    .tuple(fc.constantFrom(...NAMES), fc.constantFrom('=~', '!~'), fc.constantFrom(...EXPRESSIONS))
    .map(([name, op, value]) => `${name}${op}${JSON.stringify(value)}`),
  fc.constantFrom('service=db', '{service=db,severity!=critical}', 'zone=', 'team=~\\w+', '"a b"=x', "zone='a'"),
);

const RECEIVERS = ['one', 'two', 'three', 'four'];
const durations = fc.constantFrom('30s', '1m', '5m30s', '1h', '1d12h', '2w');
const options = {
  group_by: fc.oneof(fc.constant(['...']), fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 })),
  group_wait: fc.oneof(durations, fc.constant('0s')),
  group_interval: durations,
  repeat_interval: durations,
};
const below = {
  receiver: fc.constantFrom(...RECEIVERS),
  continue: fc.boolean(),
  matchers: fc.array(matchers, { maxLength: 2 }),
  match: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES), { maxKeys: 1, noNullPrototype: true }),
  match_re: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...EXPRESSIONS), {
    maxKeys: 1,
    noNullPrototype: true,
  }),
  mute_time_intervals: fc.subarray(['nights', 'weekends']),
  active_time_intervals: fc.subarray(['nights', 'weekends']),
};

const { route } = fc.letrec<{ route: unknown; routes: unknown }>((tie) => ({
  route: fc.record({ ...options, ...below, routes: tie('routes') }, { requiredKeys: [], noNullPrototype: true }),
  routes: fc.array(tie('route'), { maxLength: 3, depthIdentifier: 'routes' }),
}));

/** With two time intervals and four receivers, which do nothing. */
export const routingFiles: fc.Arbitrary<string> = fc
  .record(
    { ...options, routes: fc.array(route, { maxLength: 5 }) },
    { requiredKeys: ['routes'], noNullPrototype: true },
  )
  .map((root) =>
    stringify({
      route: { receiver: 'one', ...root },
      receivers: RECEIVERS.map((name) => ({ name })),
      time_intervals: [
        { name: 'nights', time_intervals: [{ times: [{ start_time: '22:00', end_time: '24:00' }] }] },
        { name: 'weekends', time_intervals: [{ weekdays: ['saturday', 'sunday'], location: 'Europe/Berlin' }] },
      ],
    }),
  );
