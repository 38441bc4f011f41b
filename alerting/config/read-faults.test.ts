import assert from 'node:assert/strict';
import test from 'node:test';
import type { MatcherMode } from '#alerting/matcher.ts';
import { readAlertmanagerConfig } from './read.ts';
import { CONFIG_CHARS_MAX } from './read-file.ts';

const FILES: Readonly<Record<string, string>> = {
  'secrets/slack': ' https://hooks.slack.com/services/FROM/FILE\n',
  empty: '\n',
};

function read(text: string, mode: MatcherMode = 'default') {
  return readAlertmanagerConfig(text, { file: 'alertmanager.yml', mode, readFile: (path) => FILES[path] });
}

/** `line:column field: message`, each. */
function faults(text: string, mode?: MatcherMode): string[] {
  const result = read(text, mode);
  return result.kind === 'config'
    ? []
    : result.faults.map(({ line, column, field, message }) => `${line}:${column} ${field}: ${message}`);
}

const minimal = (route: string, rest = ''): string => `route: ${route}\nreceivers: [{ name: r }]\n${rest}`;
const child = (text: string): string => minimal(`{ receiver: r, routes: [{ ${text} }] }`);
const receiver = (text: string): string => `route: { receiver: r }\nreceivers: [{ name: r, ${text} }]\n`;
const interval = (text: string): string =>
  minimal('{ receiver: r }', `time_intervals: [{ name: n, time_intervals: [{ ${text} }] }]`);

const REFUSED: readonly [text: string, fault: RegExp][] = [
  ['', /^1:1 : is empty or no map/],
  ['[]', /^1:1 : is empty or no map/],
  ['route: {receiver: r}\n---\nroute: {receiver: r}\n', /several documents/],
  ['a: [', /^1:\d+ : is not YAML/],
  ['receivers: []', /^1:1 route: is missing/],
  ['route: {}', /^1:8 route: names no receiver/],
  ['route: { receiver: x }', /^1:20 route.receiver: is "x", which no receiver is called/],
  [minimal('{ receiver: r, recevier: r }'), /^1:23 route.recevier: is unknown/],
  [minimal('{ receiver: r }', 'routes: []'), /^3:1 routes: is unknown/],
  [minimal('{ receiver: r, matchers: [a=b] }'), /route.matchers: is at the root/],
  [minimal('{ receiver: r, match: { a: b } }'), /route.match: is at the root/],
  [minimal('{ receiver: r, continue: true }'), /route.continue: is at the root/],
  [
    minimal('{ receiver: r, mute_time_intervals: [n] }', 'time_intervals: [{ name: n }]'),
    /route.mute_time_intervals: is at the root/,
  ],
  [
    minimal('{ receiver: r, active_time_intervals: [n] }', 'time_intervals: [{ name: n }]'),
    /route.active_time_intervals: is at the root/,
  ],
  [minimal('{ receiver: r, group_by: [a, a] }'), /route.group_by\[1\]: is "a" a second time/],
  [minimal("{ receiver: r, group_by: [a, '...'] }"), /route.group_by: has \.\.\. and other labels/],
  [minimal("{ receiver: r, group_by: [''] }"), /route.group_by\[0\]: is "", which is no label name/],
  [minimal('{ receiver: r, group_interval: 0s }'), /route.group_interval: is 0/],
  [minimal('{ receiver: r, repeat_interval: 0 }'), /route.repeat_interval: is 0/],
  [minimal('{ receiver: r, group_wait: 30 }'), /route.group_wait: is "30": expected a duration/],
  [minimal('{ receiver: r, labels: { a: b } }'), /route.labels: is not supported/],
  [minimal('{ receiver: r, routes: { a: b } }'), /route.routes: is a map: expected a list/],
  [child('receiver: x'), /route.routes\[0\].receiver: is "x"/],
  [child('matchers: [a=b, "b=~["]'), /route.routes\[0\].matchers\[1\]: "\[" is no regular expression that RE2 reads/],
  [child('matchers: a=b'), /route.routes\[0\].matchers: is text: expected a list/],
  [child('match: { ü: b }'), /route.routes\[0\].match.ü: is no label name/],
  [child('match_re: { a: }'), /route.routes\[0\].match_re.a: is empty/],
  [child('match_re: { a: "(" }'), /route.routes\[0\].match_re.a: .*RE2/],
  [
    child('mute_time_intervals: [x]'),
    /mute_time_intervals\[0\]: is the time interval "x", which time_intervals does not/,
  ],
  [child('continue: maybe'), /continue: is the text "maybe": expected true or false/],
  ['route: { receiver: r }\nreceivers: [{ name: r }, { name: r }]', /receivers\[1\].name: is "r", as another/],
  ['route: { receiver: r }\nreceivers: [{ name: r }, {}]', /receivers\[1\].name: is missing/],
  [minimal('{ receiver: r }', "templates: ['*.tmpl']"), /^3:1 templates: is not supported/],
  [minimal('{ receiver: r }', 'tracing: { endpoint: x }'), /tracing: is not supported/],
  [
    receiver('opsgenie_configs: [{ api_key: x }]'),
    /^2:24 receivers\[0\].opsgenie_configs: is not supported: slack, email/,
  ],
  [receiver('slack_configs: [{ channel: c }]'), /slack_configs\[0\]: has no api_url and no api_url_file/],
  [
    receiver('slack_configs: [{ api_url: "http://x", api_url_file: secrets/slack }]'),
    /api_url_file: stands beside api_url/,
  ],
  [receiver('slack_configs: [{ api_url_file: gone }]'), /api_url_file: names the file gone, which cannot be read/],
  [receiver('slack_configs: [{ api_url_file: empty }]'), /api_url_file: names the file empty, which is empty/],
  [receiver('slack_configs: [{ api_url: <secret> }]'), /api_url: is <secret>: the file is a print/],
  [receiver('slack_configs: [{ api_url: "http://x", title: "{{ .Status }}" }]'), /title: holds a Go template/],
  [receiver('slack_configs: [{ api_url: "http://x", title: Fire }]'), /title: is not supported/],
  [receiver('slack_configs: [{ api_url: "http://x", channel: "{{ .x }}" }]'), /channel: holds a Go template/],
  [receiver('slack_configs: [{ app_token: x }]'), /app_token: is not supported/],
  [
    receiver('slack_configs: [{ api_url: "http://x", http_config: { bearer_token: x } }]'),
    /which are not sent to slack/,
  ],
  [
    `global: { slack_app_token: x }\n${receiver('slack_configs: [{}]')}`,
    /slack_configs\[0\]: inherits slack_app_token/,
  ],
  [`global: { opsgenie_api_key: [x] }\n${receiver('')}`, /global.opsgenie_api_key: is a list: expected text/],
  [receiver('email_configs: [{ to: a@b.example, smarthost: "x:25" }]'), /email_configs\[0\].from: is missing/],
  [receiver('email_configs: [{ to: a@b.example, from: a@b }]'), /email_configs\[0\].smarthost: is missing/],
  [
    receiver('email_configs: [{ to: a@b.example, from: a@b, smarthost: x }]'),
    /smarthost: is "x": expected a host and a port/,
  ],
  [
    receiver('email_configs: [{ to: a@b.example, from: a@b, smarthost: "x:25", auth_username: u }]'),
    /auth_password: is missing/,
  ],
  [receiver('email_configs: [{ to: a@b.example, from: a@b, smarthost: "x:25", html: hi }]'), /html: is not supported/],
  [
    receiver('email_configs: [{ to: a@b.example, from: a@b, smarthost: "x:25", headers: { a: 1, A: 2 } }]'),
    /headers.A: is the header A a second time/,
  ],
  [
    receiver('email_configs: [{ to: a@b.example, from: a@b, smarthost: "x:25", headers: { a: "b\\nc" } }]'),
    /headers.a: has several lines/,
  ],
  [
    receiver(
      'email_configs: [{ to: a@b.example, from: a@b, smarthost: "x:25", tls_config: { insecure_skip_verify: true } }]',
    ),
    /insecure_skip_verify: is not supported/,
  ],
  [receiver('pagerduty_configs: [{ service_key: x }]'), /service_key: is not supported: it is for Events API v1/],
  [receiver('pagerduty_configs: [{}]'), /pagerduty_configs\[0\]: has no routing_key/],
  [receiver('pagerduty_configs: [{ routing_key: x, severity: bad }]'), /severity: is "bad": expected one of critical/],
  [receiver('pagerduty_configs: [{ routing_key: x, details: { a: "{{ .x }}" } }]'), /details.a: holds a Go template/],
  [receiver('pagerduty_configs: [{ routing_key: x, images: [{ src: x }] }]'), /images: is not supported/],
  [receiver('webhook_configs: [{}]'), /webhook_configs\[0\]: has no url/],
  [receiver('webhook_configs: [{ url: "http://x/{{ .x }}" }]'), /url: holds a Go template/],
  [
    receiver('webhook_configs: [{ url: "http://x", timeout: 1d }]'),
    /timeout: is "1d": expected a duration such as 500ms/,
  ],
  [
    receiver('webhook_configs: [{ url: "http://x", http_config: { proxy_url: "http://p" } }]'),
    /http_config.proxy_url: is not supported/,
  ],
  [
    receiver('webhook_configs: [{ url: "http://x", http_config: { authorization: { type: Basic, credentials: x } } }]'),
    /type: is basic/,
  ],
  [
    receiver('webhook_configs: [{ url: "http://x", http_config: { basic_auth: { username: a }, bearer_token: b } }]'),
    /at most one of them/,
  ],
  [receiver('webhook_configs: [null]'), /webhook_configs\[0\]: is text: expected a map/],
  [minimal('{ receiver: r }', 'inhibit_rules: [{ equal: [""] }]'), /inhibit_rules\[0\].equal\[0\]/],
  [minimal('{ receiver: r }', 'inhibit_rules: [{ target_matchers: ["a"] }]'), /target_matchers\[0\]/],
  [
    minimal('{ receiver: r }', 'time_intervals: [{ name: n }, { name: n }]'),
    /time_intervals\[1\].name: is "n", as another/,
  ],
  [
    minimal('{ receiver: r }', 'time_intervals: [{ name: n }]\nmute_time_intervals: [{ name: n }]'),
    /time_intervals\[0\].name: is "n", as/,
  ],
  [interval('times: [{ start_time: 9:00, end_time: 10:00 }]'), /start_time: is "9:00": expected HH:MM/],
  [interval('times: [{ start_time: 10:00, end_time: 10:00 }]'), /end_time: is not after start_time/],
  [interval('times: [{ start_time: 10:00 }]'), /end_time: is missing/],
  [interval('times: []'), /times: is an empty list/],
  [interval('weekdays: [mon]'), /weekdays\[0\]: is "mon": expected a weekday/],
  [interval("weekdays: ['friday:monday']"), /weekdays\[0\]: is "friday:monday", which ends before it starts/],
  [interval('days_of_month: [0]'), /days_of_month\[0\]: is "0": expected a day/],
  [interval("days_of_month: ['-1:5']"), /days_of_month\[0\]: is "-1:5", which ends/],
  [interval("days_of_month: ['30:-1']"), /days_of_month\[0\]: is "30:-1", which ends/],
  [interval("months: ['may:april']"), /months\[0\]: .* ends before/],
  [interval('years: [x]'), /years\[0\]: is "x": expected a year/],
  [interval('location: Mars'), /location: is "Mars"/],
];
for (const [text, fault] of REFUSED) {
  test(`refused: ${text.replaceAll('\n', '⏎')}`, () => {
    const found = faults(text);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', fault);
  });
}

test('all faults are told at once, in the order of the file', () => {
  const text = minimal('{ receiver: x, group_wait: 1, routes: [{ receiver: y, oops: 1 }] }', 'what: 1');
  assert.deepEqual(
    faults(text).map((one) => one.split(': ')[0]),
    [
      '1:20 route.receiver',
      '1:35 route.group_wait',
      '1:59 route.routes[0].receiver',
      '1:62 route.routes[0].oops',
      '3:1 what',
    ],
  );
});

test('classic mode refuses UTF-8 names', () => {
  for (const text of [
    child('matchers: ["ü=1"]'),
    minimal('{ receiver: r, group_by: [ü] }'),
    minimal('{ receiver: r }', 'inhibit_rules: [{ equal: [ü] }]'),
  ]) {
    assert.deepEqual(faults(text), []);
    assert.equal(faults(text, 'classic').length, 1);
  }
});

test('a fault of syntax does not repeat a secret', () => {
  for (const written of ['*SECRET', '|SECRET', ']SECRET', '"SECRET"SECRET', '{SECRET', 'SECRET: SECRET', '@SECRET']) {
    const found = faults(`global:\n  smtp_auth_password: ${written}\n${receiver('')}`);
    assert.match(found[0] ?? '', /^\d+:\d+ : is /, written);
    assert.doesNotMatch(found.join(), /SECRET/);
  }
});

test('a global file that no receiver needs may be missing', () => {
  assert.deepEqual(faults(`global: { slack_api_url_file: gone }\n${receiver('')}`), []);
  assert.equal(faults(`global: { slack_api_url_file: gone }\n${receiver('slack_configs: [{}, {}]')}`).length, 1);
});

test('what a hostile file costs is bounded', () => {
  assert.match(faults(`#${'x'.repeat(CONFIG_CHARS_MAX)}`)[0] ?? '', /the most is/);
  const bomb = Array.from(
    { length: 12 },
    (_, i) =>
      `a${i}: &a${i} [${
        i === 0
          ? 'x'
          : Array(9)
              .fill(`*a${i - 1}`)
              .join()
      }]`,
  );
  assert.match(faults(bomb.join('\n'))[0] ?? '', /its aliases written out/);
  const equal = `&x "${'y'.repeat(100_000)}"${', *x'.repeat(1_000)}`;
  assert.match(
    faults(minimal('{ receiver: r }', `inhibit_rules: [{ equal: [${equal}] }]`)).join(),
    /aliases written out/,
  );
  const costly = `&x '${'a=~"(b?){500}c",'.repeat(90)}'${', *x'.repeat(10_000)}`;
  assert.match(faults(child(`matchers: [${costly}]`)).join(), /has more than 100 matchers/);
  const repeated = `&x { match_re: { a: '(b?){500}' } }${', *x'.repeat(5_000)}`;
  assert.deepEqual(faults(minimal(`{ receiver: r, routes: [${repeated}] }`)), []);
  const routes = minimal(`{ receiver: r, routes: [${'{},'.repeat(10_001)}] }`);
  assert.match(faults(routes).join(), /is one route too many/);
});
