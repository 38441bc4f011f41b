import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import type { MatcherMode } from '#alerting/matcher.ts';
import { matchersText } from '#alerting/matcher.ts';
import { groupOf, routesOf } from '#alerting/route.ts';
import type { AlertmanagerConfig, Integration } from './config.ts';
import { readAlertmanagerConfig } from './read.ts';

const FILES: Readonly<Record<string, string>> = {
  'secrets/slack': ' https://hooks.slack.com/services/FROM/FILE\n',
  empty: '\n',
};

function read(text: string, mode: MatcherMode = 'default') {
  return readAlertmanagerConfig(text, { file: 'alertmanager.yml', mode, readFile: (path) => FILES[path] });
}

function config(text: string): AlertmanagerConfig {
  const result = read(text);
  assert.deepEqual(result.kind === 'faults' ? result.faults : [], []);
  assert(result.kind === 'config');
  return result.config;
}

/** `line:column field: message`, each. */
function faults(text: string, mode?: MatcherMode): string[] {
  const result = read(text, mode);
  return result.kind === 'config'
    ? []
    : result.faults.map(({ line, column, field, message }) => `${line}:${column} ${field}: ${message}`);
}

const FULL = `
global:
  resolve_timeout: 10m
  smtp_smarthost: mail.example.org:587
  smtp_from: alerts@example.org
  smtp_auth_username: alerts
  smtp_auth_password: SECRET-smtp
  smtp_require_tls: no
  slack_api_url_file: secrets/slack
  opsgenie_api_key: SECRET-genie
  http_config: { follow_redirects: true, basic_auth: { username: ada, password: SECRET-basic } }
route:
  receiver: team
  group_by: [alertname, cluster]
  group_wait: 10s
  routes:
    - matchers: [severity="critical", 'team=~"a|b"']
      receiver: pager
      group_by: ['...']
      continue: true
      repeat_interval: 1d12h
    - match: { service: db }
      match_re: { owner: x.* }
      mute_time_intervals: [nights]
      routes:
        - receiver: pager
          group_by: []
receivers:
  - name: team
    slack_configs:
      - channel: '#alerts'
        title: '{{ template "slack.default.title" . }}'
        username: '{{template "slack.default.username" .}}'
        api_url: https://hooks.slack.com/services/SECRET/own # SECRET in a comment
        http_config: {}
      - send_resolved: true
        http_config: {}
        timeout: 1m30s
    email_configs:
      - to: ops@example.org
        headers: { subject: '{{ template "email.default.subject" . }}', x-team: ops }
      - { to: a@example.org, smarthost: 'other:465', require_tls: true, hello: me, auth_username: b, auth_password: SECRET-b }
  - name: pager
    pagerduty_configs:
      - routing_key: SECRET-routing
        client: Burnline
        severity: warning
        details: { firing: '{{ .Alerts.Firing | toJson }}', runbook: https://runbooks.example.org }
        http_config: { enable_http2: false }
    webhook_configs:
      - url: https://example.org/SECRET-hook
        max_alerts: 10
      - url: http://example.org/
        send_resolved: off
        http_config: { authorization: { credentials: SECRET-bearer } }
inhibit_rules:
  - name: quiet
    source_matchers: [severity=critical]
    target_match: { severity: warning }
    equal: [cluster]
time_intervals:
  - name: nights
    time_intervals:
      - times: [{ start_time: '22:00', end_time: '24:00' }, { start_time: 00:00, end_time: 06:30 }]
        weekdays: ['Monday:Friday', sunday]
        days_of_month: ['1:5', -3:-1, 15]
        months: ['may:august', 12, January]
        years: [2026, '2030:2031']
        location: Europe/Berlin
`;

test('the tree of routes is read with what each inherits', () => {
  const { root, resolveTimeout } = config(FULL);
  const [pager, db] = root.routes;
  assert.deepEqual(
    [resolveTimeout, root.groupBy, root.groupWait, root.groupInterval, root.repeatInterval],
    [600_000, ['alertname', 'cluster'], 10_000, 300_000, 14_400_000],
  );
  assert.deepEqual(
    [pager?.groupBy, pager?.groupWait, pager?.repeatInterval, pager?.continue],
    ['all', 10_000, 129_600_000, true],
  );
  assert.equal(db?.receiver, 'team');
  assert.deepEqual(db?.muteTimeIntervals, ['nights']);
  assert.deepEqual(db?.routes[0]?.groupBy, []);
  assert.equal(db?.routes[0]?.id, '{}/{owner=~"^(?:x.*)$",service="db"}/1/{}/0');
  assert.equal(db?.routes[0]?.key, '{}/{owner=~"^(?:x.*)$",service="db"}/{}');
});

test('routesOf() and groupOf() walk what was read', () => {
  const { root } = config(FULL);
  const labels = { alertname: 'Down', severity: 'critical', team: 'a', service: 'db', owner: 'xy', cluster: 'c' };
  const found = routesOf(root, labels);
  assert.deepEqual(
    found.map(({ receiver }) => receiver),
    ['pager', 'pager'],
  );
  assert.deepEqual(
    found.map((route) => groupOf(route, labels)).map((group) => [group.key, Object.keys(group.labels).length]),
    [
      [
        '{}/{severity="critical",team=~"a|b"}:{alertname="Down", cluster="c", owner="xy", service="db", severity="critical", team="a"}',
        6,
      ],
      ['{}/{owner=~"^(?:x.*)$",service="db"}/{}:{}', 0],
    ],
  );
  const rest = routesOf(root, { alertname: 'Other' });
  assert.deepEqual(
    rest.map((route) => groupOf(route, { alertname: 'Other' }).id),
    ['{}:{alertname="Other"}'],
  );
});

function integrations<K extends Integration['kind']>(name: string, kind: K) {
  const list = config(FULL).receivers.get(name)?.integrations ?? [];
  return list.filter((one): one is Extract<Integration, { kind: K }> => one.kind === kind);
}

test('integrations have their own settings, the global ones, and the defaults', () => {
  assert.deepEqual(
    integrations('team', 'slack').map(({ url, index, channel, username, sendResolved, timeout }) => [
      url.reveal(),
      index,
      channel,
      username,
      sendResolved,
      timeout,
    ]),
    [
      ['https://hooks.slack.com/services/SECRET/own', 0, '#alerts', undefined, false, 30_000],
      ['https://hooks.slack.com/services/FROM/FILE', 1, undefined, undefined, true, 90_000],
    ],
  );
  assert.deepEqual(
    integrations('team', 'email').map(({ auth, ...one }) => ({
      ...one,
      auth: [auth?.username, auth?.password.reveal()],
    })),
    [
      {
        kind: 'email',
        index: 0,
        sendResolved: false,
        to: 'ops@example.org',
        from: 'alerts@example.org',
        smarthost: { host: 'mail.example.org', port: 587 },
        hello: 'localhost',
        requireTls: false,
        implicitTls: false,
        headers: { 'X-Team': 'ops' },
        auth: ['alerts', 'SECRET-smtp'],
      },
      {
        kind: 'email',
        index: 1,
        sendResolved: false,
        to: 'a@example.org',
        from: 'alerts@example.org',
        smarthost: { host: 'other', port: 465 },
        hello: 'me',
        requireTls: true,
        implicitTls: true,
        headers: {},
        auth: ['b', 'SECRET-b'],
      },
    ],
  );
  const [pagerduty] = integrations('pager', 'pagerduty');
  assert.deepEqual(
    { ...pagerduty, routingKey: pagerduty?.routingKey.reveal() },
    {
      kind: 'pagerduty',
      index: 0,
      sendResolved: true,
      routingKey: 'SECRET-routing',
      url: 'https://events.pagerduty.com/v2/enqueue',
      client: 'Burnline',
      clientUrl: undefined,
      source: undefined,
      severity: 'warning',
      class: undefined,
      component: undefined,
      group: undefined,
      details: { runbook: 'https://runbooks.example.org' },
      timeout: 30_000,
    },
  );
  assert.deepEqual(
    integrations('pager', 'webhook').map(({ url, maxAlerts, sendResolved, basicAuth, authorization }) => [
      url.reveal(),
      maxAlerts,
      sendResolved,
      basicAuth?.password.reveal(),
      authorization && [authorization.type, authorization.credentials.reveal()],
    ]),
    [
      ['https://example.org/SECRET-hook', 10, true, 'SECRET-basic', undefined],
      ['http://example.org/', 0, false, undefined, ['Bearer', 'SECRET-bearer']],
    ],
  );
});

test('inhibition and time intervals are read', () => {
  const { inhibitRules, timeIntervals } = config(FULL);
  assert.deepEqual(
    inhibitRules.map(({ name, source, target, equal }) => [name, matchersText(source), matchersText(target), equal]),
    [['quiet', '{severity="critical"}', '{severity="warning"}', ['cluster']]],
  );
  assert.deepEqual(timeIntervals.get('nights'), [
    {
      times: [
        { from: 1320, to: 1440 },
        { from: 0, to: 390 },
      ],
      weekdays: [
        { from: 1, to: 5 },
        { from: 0, to: 0 },
      ],
      daysOfMonth: [
        { from: 1, to: 5 },
        { from: -3, to: -1 },
        { from: 15, to: 15 },
      ],
      months: [
        { from: 5, to: 8 },
        { from: 12, to: 12 },
        { from: 1, to: 1 },
      ],
      years: [
        { from: 2026, to: 2026 },
        { from: 2030, to: 2031 },
      ],
      location: 'Europe/Berlin',
    },
  ]);
});

test('no secret is in `original`, in what is printed of the configuration, or in a fault', () => {
  const read = config(FULL);
  assert.doesNotMatch(read.original, /SECRET/);
  assert.doesNotMatch(inspect(read.receivers, { depth: 9 }), /SECRET/);
  assert.equal(read.original.match(/<secret>/g)?.length, 9);
  assert.match(read.original, /slack_api_url_file: secrets\/slack\n/);
  const broken = FULL.replace('https://hooks', 'ftp://hooks')
    .replace('https://example.org/SECRET', 'SECRET')
    .replace('max_alerts: 10', 'max_alerts: -1');
  assert.deepEqual(faults(broken), [
    '34:18 receivers[0].slack_configs[0].api_url: is no address that starts with http:// or https://',
    '51:14 receivers[1].webhook_configs[0].url: is no address that starts with http:// or https://',
    '52:21 receivers[1].webhook_configs[0].max_alerts: is "-1": expected a whole number',
  ]);
});

const minimal = (route: string, rest = ''): string => `route: ${route}\nreceivers: [{ name: r }]\n${rest}`;

test('anchors, aliases and merge keys are read, and written out in `original`', () => {
  const { root, original } = config(
    minimal('{ receiver: r, routes: [&a { matchers: [x=y], group_by: [b] }, { <<: *a, continue: yes }] }'),
  );
  assert.deepEqual(
    root.routes.map(({ key, continue: goesOn }) => [key, goesOn]),
    [
      ['{}/{x="y"}', false],
      ['{}/{x="y"}', true],
    ],
  );
  assert.doesNotMatch(original, /[&*<]/);
  assert.match(original, /continue: true/);
});
