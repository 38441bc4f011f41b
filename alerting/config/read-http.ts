/**
 * `http_config`: how an integration shows who it is. What would change the way of the request is refused.
 *
 * Source: prometheus/common config/http_config.go.
 */
import { type Secret, secret } from '#kernel/secret.ts';
import type { WebhookIntegration } from './config.ts';
import { type Given, type Section, shown, TEMPLATE } from './section.ts';

export type HttpConfig = {
  readonly authorization: { readonly type: string; readonly credentials: Given } | undefined;
  readonly basicAuth: { readonly username: string; readonly password: Given | undefined } | undefined;
};

export const NO_HTTP: HttpConfig = { authorization: undefined, basicAuth: undefined };

const UNSUPPORTED = [
  'oauth2',
  'http_headers',
  'no_proxy',
  'proxy_connect_header',
  'proxy_from_environment',
  'proxy_url',
];

export function readHttp(section: Section): HttpConfig {
  section.refuse(UNSUPPORTED, 'is not supported: authorization, basic_auth and bearer_token are');
  // As Alertmanager's own print of its configuration has them. Redirects are not followed.
  section.flag('follow_redirects');
  section.flag('enable_http2');
  const tls = section.section('tls_config');
  if (tls !== undefined) readTls(tls);
  const bearer = section.given('bearer_token');
  const authorization = readAuthorization(section.section('authorization'));
  const basicAuth = readBasicAuth(section.section('basic_auth'));
  if ([bearer, authorization, basicAuth].filter((one) => one !== undefined).length > 1) {
    section.fault(undefined, 'has several of authorization, basic_auth and bearer_token: at most one of them');
  }
  section.end();
  return { authorization: bearer ? { type: 'Bearer', credentials: bearer } : authorization, basicAuth };
}

/** What Node does by itself may be said. */
export function readTls(section: Section): void {
  const unsupported = ['ca', 'ca_file', 'ca_ref', 'cert', 'cert_file', 'cert_ref', 'key', 'key_file', 'key_ref'];
  section.pass([], ['key']);
  section.refuse([...unsupported, 'server_name', 'max_version'], 'is not supported: give a CA by NODE_EXTRA_CA_CERTS');
  section.refuse(['insecure_skip_verify'], 'is not supported: certificates are always checked');
  const least = section.text('min_version');
  if (least && least !== 'TLS12') section.fault('min_version', `is ${shown(least)}: supported is TLS12`);
  section.end();
}

function readAuthorization(section: Section | undefined): HttpConfig['authorization'] {
  if (section === undefined) return undefined;
  section.refuse(['credentials_ref'], 'is not supported: give credentials or credentials_file');
  const type = section.text('type')?.trim() || 'Bearer';
  if (type.toLowerCase() === 'basic') section.fault('type', 'is basic: write basic_auth instead');
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(type)) section.fault('type', `is ${shown(type)}, which is no scheme of HTTP`);
  const credentials = section.given('credentials', oneLine);
  if (credentials === undefined) section.fault(undefined, 'has no credentials and no credentials_file');
  section.end();
  return credentials && { type, credentials };
}

function readBasicAuth(section: Section | undefined): HttpConfig['basicAuth'] {
  if (section === undefined) return undefined;
  section.refuse(
    ['username_file', 'username_ref', 'password_ref'],
    'is not supported: give username, and password or password_file',
  );
  const username = section.text('username') ?? '';
  const password = section.given('password');
  section.end();
  return { username, password };
}

/** A header's value. */
export const oneLine = (value: string): string | undefined =>
  /[\r\n\0]/.test(value) ? 'has several lines: expected one' : undefined;

export type Credentials = Pick<WebhookIntegration, 'authorization' | 'basicAuth'>;

/** Undefined after a fault. */
export function credentialsOf({ authorization, basicAuth }: HttpConfig): Credentials | undefined {
  const credentials = authorization?.credentials.read();
  const password: Secret | undefined = basicAuth?.password ? basicAuth.password.read() : secret('');
  if ((authorization && !credentials) || (basicAuth && !password)) return undefined;
  return {
    authorization: authorization && credentials && { type: authorization.type, credentials },
    basicAuth: basicAuth && password && { username: basicAuth.username, password },
  };
}

/** Never with the address itself: Slack's and webhooks' are secrets. */
export function httpUrl(value: string): string | undefined {
  if (value.includes('{{')) return TEMPLATE;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const right = url !== undefined && /^https?:$/.test(url.protocol) && url.host !== '' && /^https?:\/\//i.test(value);
  return right ? undefined : 'is no address that starts with http:// or https://';
}
