/**
 * Receivers and their integrations. What Alertmanager would do and Burnline would not is refused, never left out in
 * silence: a template, a vendor, a picture beside a message.
 *
 * Source: prometheus/alertmanager config/notifiers.go, notify/pagerduty/config.go, notify/webhook/config.go.
 */
import { type Milliseconds, seconds, toMilliseconds } from '#kernel/units.ts';
import type { Integration, PagerdutyIntegration, Receiver, SlackIntegration, WebhookIntegration } from './config.ts';
import { readEmail } from './read-email.ts';
import type { Global } from './read-global.ts';
import { credentialsOf, type HttpConfig, httpUrl, readHttp } from './read-http.ts';
import { type Section, shown } from './section.ts';

export const RECEIVERS_MAX = 10_000;

/** Where the file gives none, or 0. Alertmanager then waits as long as its group does. */
const TIMEOUT: Milliseconds = toMilliseconds(seconds(30));

const VENDORS = [
  ...['discord', 'incidentio', 'jira', 'mattermost', 'msteams', 'msteamsv2', 'opsgenie', 'pushover', 'rocketchat'],
  ...['sns', 'telegram', 'victorops', 'webex', 'wechat'],
].map((vendor) => `${vendor}_configs`);

export function readReceivers(sections: readonly Section[], global: Global): Map<string, Receiver> {
  const found = new Map<string, Receiver>();
  sections[RECEIVERS_MAX]?.fault(undefined, `is one receiver too many: the most is ${RECEIVERS_MAX}`);
  for (const section of sections.slice(0, RECEIVERS_MAX)) {
    const name = section.text('name');
    if (!name) section.fault('name', 'is missing: expected the name by which routes call it');
    else if (found.has(name)) section.fault('name', `is ${shown(name)}, as another receiver is called`);
    section.refuse(['labels'], 'is not supported: a receiver has its name');
    section.refuse(VENDORS, 'is not supported: slack, email, pagerduty and webhook are');
    const integrations = KINDS.flatMap((kind) =>
      (section.sections(`${kind}_configs`) ?? []).flatMap((item, index) => {
        const integration = readIntegration(kind, item, index, global);
        item.end();
        return integration ?? [];
      }),
    );
    section.end();
    if (name) found.set(name, { name, integrations });
  }
  return found;
}

export const KINDS = ['email', 'pagerduty', 'slack', 'webhook'] as const satisfies readonly Integration['kind'][];

/** Undefined after a fault. What is left over in the section is the caller's to say. */
export function readIntegration(
  kind: Integration['kind'],
  section: Section,
  index: number,
  global: Global,
): Integration | undefined {
  switch (kind) {
    case 'email':
      return readEmail(section, index, global.smtp);
    case 'pagerduty':
      return readPagerduty(section, index, global);
    case 'slack':
      return readSlack(section, index, global);
    case 'webhook':
      return readWebhook(section, index, global);
    default:
      return kind satisfies never;
  }
}

const SLACK_DEFAULTS = {
  color: 'color',
  title: 'title',
  title_link: 'titlelink',
  pretext: 'pretext',
  text: 'text',
  footer: 'footer',
  fallback: 'fallback',
  callback_id: 'callbackid',
  icon_emoji: 'iconemoji',
  icon_url: 'iconurl',
} as const;
const SLACK_REFUSED = [
  ...['message_text', 'fields', 'short_fields', 'image_url', 'thumb_url', 'link_names', 'mrkdwn_in', 'actions'],
  'update_message',
];
const WRITES_ITSELF = 'is not supported: Burnline writes its messages itself, leave it out';

function readSlack(section: Section, index: number, global: Global): SlackIntegration | undefined {
  for (const [key, name] of Object.entries(SLACK_DEFAULTS)) refuseText(section, key, `slack.default.${name}`);
  section.refuse(SLACK_REFUSED, WRITES_ITSELF);
  section.pass(['app_url'], ['app_token']);
  section.refuse(['app_token', 'app_token_file'], NO_TOKEN);
  const own = section.given('api_url', httpUrl);
  if (own === undefined && global.hasSlackToken)
    section.fault(undefined, `inherits slack_app_token, which ${NO_TOKEN}`);
  else if (own === undefined && global.slackUrl === undefined && !section.has('app_token')) {
    section.fault(undefined, 'has no api_url and no api_url_file, and global has no slack_api_url');
  }
  const url = (own ?? global.slackUrl)?.read();
  refuseCredentials(section, global.http, 'slack');
  const integration = {
    kind: 'slack',
    index,
    sendResolved: section.flag('send_resolved') ?? false,
    channel: section.plain('channel') || undefined,
    username: section.plain('username', '{{ template "slack.default.username" . }}') || undefined,
    timeout: section.timeout('timeout') || TIMEOUT,
  } as const;
  return url && { ...integration, url };
}

const NO_TOKEN = 'is not supported: give the api_url of an incoming webhook';

/** A text that would be in the message. Alertmanager's default may be repeated, and so may nothing. */
function refuseText(section: Section, key: string, template: string): void {
  if (section.plain(key, `{{ template "${template}" . }}`)) section.fault(key, WRITES_ITSELF);
}

/** Slack's and PagerDuty's secrets are in the address and in the body: nothing is sent beside them. */
function refuseCredentials(section: Section, inherited: HttpConfig, kind: string): void {
  const own = section.section('http_config');
  const { authorization, basicAuth } = own === undefined ? inherited : readHttp(own);
  if (authorization === undefined && basicAuth === undefined) return;
  const where = own === undefined ? 'inherits credentials from global.http_config' : 'has credentials';
  section.fault(own === undefined ? undefined : 'http_config', `${where}, which are not sent to ${kind}`);
}

/** In `details` they may be repeated too. */
const DETAILS_DEFAULTS: Readonly<Record<string, string>> = {
  firing: '{{ .Alerts.Firing | toJson }}',
  resolved: '{{ .Alerts.Resolved | toJson }}',
  num_firing: '{{ .Alerts.Firing | len }}',
  num_resolved: '{{ .Alerts.Resolved | len }}',
};
const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;

function readPagerduty(section: Section, index: number, global: Global): PagerdutyIntegration | undefined {
  section.pass([], ['service_key']);
  section.refuse(['service_key', 'service_key_file'], 'is not supported: it is for Events API v1; give a routing_key');
  section.refuse(['images', 'links'], WRITES_ITSELF);
  refuseText(section, 'description', 'pagerduty.default.description');
  refuseCredentials(section, global.http, 'pagerduty');
  const given = section.given('routing_key', (key) => (key.includes('{{') ? 'holds a Go template' : undefined));
  if (given === undefined && !section.has('service_key') && !section.has('service_key_file')) {
    section.fault(undefined, 'has no routing_key and no routing_key_file');
  }
  const routingKey = given?.read();
  const url = section.text('url') || global.pagerdutyUrl;
  const wrong = httpUrl(url);
  if (wrong !== undefined) section.fault('url', wrong);
  const severity = section.plain('severity') || undefined;
  const known = SEVERITIES.find((one) => one === severity);
  if (severity !== undefined && known === undefined) {
    section.fault('severity', `is ${shown(severity)}: expected one of ${SEVERITIES.join(', ')}`);
  }
  const integration = {
    kind: 'pagerduty',
    index,
    sendResolved: section.flag('send_resolved') ?? true,
    url,
    client: section.plain('client', '{{ template "pagerduty.default.client" . }}') || undefined,
    clientUrl: section.plain('client_url', '{{ template "pagerduty.default.clientURL" . }}') || undefined,
    source: section.plain('source') || undefined,
    severity: known,
    class: section.plain('class') || undefined,
    component: section.plain('component') || undefined,
    group: section.plain('group') || undefined,
    details: readDetails(section.section('details')),
    timeout: section.timeout('timeout') || TIMEOUT,
  } as const;
  return routingKey && { ...integration, routingKey };
}

function readDetails(section: Section | undefined): Record<string, string> {
  const details: Record<string, string> = {};
  for (const key of section?.keys() ?? []) {
    const text = section?.plain(key, DETAILS_DEFAULTS[key]);
    if (text !== undefined) details[key] = text;
  }
  return details;
}

function readWebhook(section: Section, index: number, global: Global): WebhookIntegration | undefined {
  section.refuse(['payload'], "is not supported: the body is Alertmanager's own");
  const given = section.given('url', httpUrl);
  if (given === undefined) section.fault(undefined, 'has no url and no url_file');
  const url = given?.read();
  const http = section.section('http_config');
  const credentials = credentialsOf(http === undefined ? global.http : readHttp(http));
  const integration = {
    kind: 'webhook',
    index,
    sendResolved: section.flag('send_resolved') ?? true,
    maxAlerts: section.count('max_alerts') ?? 0,
    timeout: section.timeout('timeout') || TIMEOUT,
  } as const;
  return url && credentials && { ...integration, ...credentials, url };
}
