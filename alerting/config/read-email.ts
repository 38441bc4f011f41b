/**
 * `email_configs`.
 *
 * Source: prometheus/alertmanager config/notifiers.go (EmailConfig) and notify/email/email.go.
 */
import type { EmailIntegration } from './config.ts';
import { NO_CRAM, NO_IDENTITY, readSmarthost, type Smtp } from './read-global.ts';
import { oneLine, readTls } from './read-http.ts';
import { type Section, shown } from './section.ts';

/** Where a server expects TLS from the first byte on. */
const SUBMISSIONS_PORT = 465;

export function readEmail(section: Section, index: number, smtp: Smtp): EmailIntegration | undefined {
  refuseParts(section);
  const to = readAddress(section, 'to', undefined, 'is missing: expected an address');
  const from = readAddress(section, 'from', smtp.from, 'is missing, and global has no smtp_from');
  const smarthost = readSmarthost(section, 'smarthost') ?? smtp.smarthost;
  if (smarthost === undefined && !section.has('smarthost')) {
    section.fault('smarthost', 'is missing, and global has no smtp_smarthost');
  }
  const username = section.text('auth_username') || smtp.username;
  const given = section.given('auth_password') ?? smtp.password;
  if (username !== undefined && given === undefined) section.fault('auth_password', 'is missing beside a user name');
  // A password without a name is never sent, there as here.
  const password = username === undefined ? undefined : given?.read();
  const implicit = section.flag('force_implicit_tls') ?? smtp.implicitTls;
  const integration = {
    kind: 'email',
    index,
    sendResolved: section.flag('send_resolved') ?? false,
    hello: section.text('hello') || smtp.hello,
    requireTls: section.flag('require_tls') ?? smtp.requireTls,
    headers: readHeaders(section.section('headers')),
  } as const;
  if (!to || !from || smarthost === undefined || (username !== undefined && password === undefined)) return undefined;
  return {
    ...integration,
    to,
    from,
    smarthost,
    implicitTls: implicit ?? smarthost.port === SUBMISSIONS_PORT,
    auth: username !== undefined && password !== undefined ? { username, password } : undefined,
  };
}

function refuseParts(section: Section): void {
  const writes = 'is not supported: Burnline writes its mail itself, leave it out';
  if (section.plain('html', '{{ template "email.default.html" . }}')) section.fault('html', writes);
  section.refuse(['text', 'threading'], writes);
  section.pass([], ['auth_secret']);
  section.refuse(['auth_secret', 'auth_secret_file'], NO_CRAM);
  section.refuse(['auth_identity'], NO_IDENTITY);
  const tls = section.section('tls_config');
  if (tls !== undefined) readTls(tls);
}

function readAddress(
  section: Section,
  key: string,
  inherited: string | undefined,
  missing: string,
): string | undefined {
  const address = section.plain(key) || inherited;
  if (!address && !section.has(key)) section.fault(key, missing);
  if (address && (!address.includes('@') || oneLine(address) !== undefined)) {
    section.fault(section.has(key) ? key : undefined, `has the address ${shown(address)}: expected one with an @`);
  }
  return address;
}

function readHeaders(section: Section | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const key of section?.keys() ?? []) {
    const text = section?.plain(
      key,
      key.toLowerCase() === 'subject' ? '{{ template "email.default.subject" . }}' : undefined,
    );
    const name = key.toLowerCase().replace(/(?<![^-])[a-z]/g, (letter) => letter.toUpperCase());
    if (!/^[!-9;-~]+$/.test(key)) section?.fault(key, `is ${shown(key)}, which is no name of a header`);
    if (text !== undefined && oneLine(text) !== undefined) section?.fault(key, 'has several lines: expected one');
    if (Object.hasOwn(headers, name)) section?.fault(key, `is the header ${name} a second time`);
    if (text !== undefined) headers[name] = text;
  }
  return headers;
}
