/**
 * `global`: what integrations inherit.
 *
 * Source: prometheus/alertmanager config/config.go (GlobalConfig, DefaultGlobalConfig).
 */
import { type Milliseconds, minutes, toMilliseconds } from '#kernel/units.ts';
import type { EmailIntegration } from './config.ts';
import { type HttpConfig, httpUrl, NO_HTTP, readHttp, readTls } from './read-http.ts';
import { type Given, type Section, shown } from './section.ts';

export type Smtp = {
  readonly from: string | undefined;
  readonly smarthost: EmailIntegration['smarthost'] | undefined;
  readonly hello: string;
  readonly username: string | undefined;
  readonly password: Given | undefined;
  readonly requireTls: boolean;
  readonly implicitTls: boolean | undefined;
};

export type Global = {
  readonly resolveTimeout: Milliseconds;
  readonly http: HttpConfig;
  readonly smtp: Smtp;
  readonly slackUrl: Given | undefined;
  readonly hasSlackToken: boolean;
  readonly pagerdutyUrl: string;
};

/** Of vendors whose receivers are refused: nothing can depend on them. */
const OTHERS = [
  ...['jira_api_url', 'opsgenie_api_key_file', 'opsgenie_api_url', 'rocketchat_api_url', 'rocketchat_token_file'],
  ...['rocketchat_token_id_file', 'telegram_api_url', 'telegram_bot_token_file', 'victorops_api_key_file'],
  ...['victorops_api_url', 'webex_api_url', 'wechat_api_corp_id', 'wechat_api_secret_file', 'wechat_api_url'],
  ...['mattermost_webhook_url_file', 'slack_app_url'],
];
const OTHERS_SECRETS = [
  ...['opsgenie_api_key', 'rocketchat_token', 'rocketchat_token_id', 'telegram_bot_token', 'victorops_api_key'],
  ...['wechat_api_secret', 'mattermost_webhook_url', 'slack_app_token'],
];

export function readGlobal(section: Section | undefined): Global {
  const http = section?.section('http_config');
  const pagerdutyUrl = section?.text('pagerduty_url') || 'https://events.pagerduty.com/v2/enqueue';
  const wrong = httpUrl(pagerdutyUrl);
  if (wrong !== undefined) section?.fault('pagerduty_url', wrong);
  const global = {
    resolveTimeout: section?.duration('resolve_timeout') ?? toMilliseconds(minutes(5)),
    http: http === undefined ? NO_HTTP : readHttp(http),
    smtp: readSmtp(section),
    slackUrl: section?.given('slack_api_url', httpUrl),
    hasSlackToken: section !== undefined && (section.has('slack_app_token') || section.has('slack_app_token_file')),
    pagerdutyUrl,
  };
  section?.pass(OTHERS, OTHERS_SECRETS);
  section?.end();
  return global;
}

function readSmtp(section: Section | undefined): Smtp {
  section?.pass([], ['smtp_auth_secret']);
  section?.refuse(['smtp_auth_secret', 'smtp_auth_secret_file'], NO_CRAM);
  section?.refuse(['smtp_auth_identity'], NO_IDENTITY);
  const tls = section?.section('smtp_tls_config');
  if (tls !== undefined) readTls(tls);
  return {
    from: section?.plain('smtp_from') || undefined,
    smarthost: section && readSmarthost(section, 'smtp_smarthost'),
    hello: section?.text('smtp_hello') || 'localhost',
    username: section?.text('smtp_auth_username') || undefined,
    password: section?.given('smtp_auth_password'),
    requireTls: section?.flag('smtp_require_tls') ?? true,
    implicitTls: section?.flag('smtp_force_implicit_tls'),
  };
}

export const NO_CRAM = 'is not supported: it is for CRAM-MD5; give the password';
export const NO_IDENTITY = 'is not supported: mail is sent as the one whose name and password are given';

export function readSmarthost(section: Section, key: string): Smtp['smarthost'] {
  const text = section.text(key);
  if (!text) return undefined;
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port === 0 || port > 65_535) {
    section.fault(key, `is ${shown(text)}: expected a host and a port, such as smtp.example.org:587`);
    return undefined;
  }
  return { host: match[1] ?? (match[2] || 'localhost'), port };
}
