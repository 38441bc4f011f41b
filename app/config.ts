/**
 * The only reader of the environment. Takes the settings of a role from flags and environment, checks all of them, and
 * names every fault at once: what was found, where, and what would be right. A secret's value is in no message.
 */
import { hostname, networkInterfaces } from 'node:os';
import { isLoopback, parseAddresses } from '#access/addresses.ts';
import { type JwtKey, parseJwtKeys } from '#access/jwt-keys.ts';
import { describe, Fault } from '#kernel/errors.ts';
import type { LogOptions } from '#kernel/log.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { embeddingPrice } from '#worker/prices.ts';
import { readNamedFile } from './named-file.ts';
import { type Role, SETTING_NAMES, type SettingName, setting, type Values } from './settings.ts';
import { COMPOSE_VARIABLES } from './settings-compose.ts';
import { readWebConfig } from './web-config.ts';
import { readWebhookSecrets } from './webhook-secrets.ts';

export type ConfigFault = { readonly setting: string; readonly message: string };
export type Flags = Readonly<Partial<Record<SettingName, string>>>;

type SecretName =
  | 'DATABASE_URL'
  | 'ROUTER_DATABASE_URL'
  | 'ROUTER_PROMETHEUS_PASSWORD'
  | 'ROUTER_PROMETHEUS_TOKEN'
  | 'ROUTER_PROMETHEUS_AUTHORIZATION'
  | 'LLAMA_CLOUD_API_KEY'
  | 'OPENAI_API_KEY'
  | 'WEBHOOK_SECRET'
  | 'ROUTER_PAGERDUTY_WEBHOOK_SECRET'
  | 'DOCUMENTS_API_KEY'
  | 'JWT_SHARED_SECRET'
  | 'OTEL_EXPORTER_OTLP_HEADERS';
type Plain = Omit<Values, SecretName | 'BURNLINE_VENDORS'> & { readonly BURNLINE_VENDORS: 'real' | 'simulated' };
export type Config = Plain & {
  readonly role: Role;
  readonly secrets: Readonly<Partial<Record<SecretName, Secret>>>;
  readonly workerId: string;
  /** Started by `npm start`, which alone hears the terminal. */
  readonly supervised: boolean;
  readonly warnings: readonly ConfigFault[];
};
export type ConfigOutcome =
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'faults'; readonly faults: readonly ConfigFault[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable counts as none. */
export const environment = (): Environment =>
  Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));

export function readConfig(role: Role, flags: Flags = {}, env: Environment = environment()): ConfigOutcome {
  const faults: ConfigFault[] = [];
  const values: Record<string, unknown> = {};
  const secrets: Record<string, Secret> = {};
  for (const name of SETTING_NAMES) {
    const { schema, secret: hidden } = setting(name);
    const given = flags[name] ?? env[name];
    const parsed = schema.safeParse(given === '' ? undefined : given);
    if (!parsed.success) {
      const wrong = parsed.error.issues.map((issue) => issue.message).join('; ');
      const found = hidden ? '' : `, received "${String(given).slice(0, 80)}"`;
      faults.push({ setting: name, message: `${wrong}${found}` });
    } else if (!hidden) values[name] = parsed.data;
    else if (parsed.data !== undefined) secrets[name] = secret(String(parsed.data));
  }
  // Whatever keys the shell holds: nobody's first try may cost money.
  const vendors = values['BURNLINE_VENDORS'] ?? (role === 'start' ? 'simulated' : 'real');
  const base = { ...values, BURNLINE_VENDORS: vendors } as Plain;
  // A value that is wrong is not also missing.
  const wrong = new Set(faults.map((fault) => fault.setting));
  faults.push(...crossFaults(role, base, secrets, wrong).filter((fault) => !wrong.has(fault.setting)));
  if (faults.length > 0) return { kind: 'faults', faults };
  const workerId =
    base.WORKER_ID ?? (secrets['DATABASE_URL'] === undefined ? 'embedded' : idOfPlace(base.METRICS_PORT));
  const supervised = env['BURNLINE_SUPERVISED'] === '1';
  const config: Config = { ...base, role, secrets, workerId, supervised, warnings: warningsOf(env) };
  return { kind: 'config', config };
}

/**
 * The same place, the same worker, whose counters go on; another address is another target to whoever scrapes, and counters
 * that went on there would be counted twice.
 */
function idOfPlace(port: number): string {
  const outward = Object.values(networkInterfaces()).flatMap((all = []) => all.filter(({ internal }) => !internal));
  const address = outward.find(({ family }) => family === 'IPv4') ?? outward[0];
  return [hostname(), ...(address === undefined ? [] : [address.address]), port].join('-');
}

/** What each value alone cannot show. @param wrong the settings that could not be read. */
function crossFaults(
  role: Role,
  values: Plain,
  secrets: Readonly<Partial<Record<SecretName, Secret>>>,
  wrong: ReadonlySet<string>,
): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const need = (name: SecretName | 'JWT_ISSUER', given: unknown, why: string) => {
    if (given === undefined) faults.push({ setting: name, message: `is missing: ${why}` });
  };
  if (role === 'api' || role === 'worker') {
    const why = `role ${role} shares a Postgres; the embedded database is for role service alone`;
    need('DATABASE_URL', secrets.DATABASE_URL, why);
  }
  const calls = role !== 'simulators' && role !== 'router';
  if (values.BURNLINE_VENDORS === 'real' && !wrong.has('BURNLINE_VENDORS') && calls) {
    if (role !== 'api' && values.PARSER === 'llamaparse') {
      need('LLAMA_CLOUD_API_KEY', secrets.LLAMA_CLOUD_API_KEY, 'PARSER is llamaparse');
    }
    const why = 'embeddings are made by OpenAI or a compatible server';
    need('OPENAI_API_KEY', secrets.OPENAI_API_KEY, why);
  }
  if (role === 'worker') {
    need('WEBHOOK_SECRET', secrets.WEBHOOK_SECRET, 'all workers must sign webhooks with the same secret');
  }
  const jwt = values.JWT_KEY_FILE !== undefined || secrets.JWT_SHARED_SECRET !== undefined;
  if (jwt) need('JWT_ISSUER', values.JWT_ISSUER, 'tokens are believed only from a named issuer');
  return [...faults, ...watchFaults(values, secrets), ...documentsFaults(role, values, secrets), ...unusable(values)];
}

/** What the router watches it reads in one way, and shows one credential. */
function watchFaults(values: Plain, secrets: Readonly<Partial<Record<SecretName, Secret>>>): ConfigFault[] {
  const { ROUTER_PROMETHEUS_URL: url, ROUTER_PROMETHEUS_USER: user, ROUTER_SCRAPE: scraped } = values;
  const { ROUTER_PROMETHEUS_PASSWORD: password, ROUTER_PROMETHEUS_TOKEN: token } = secrets;
  const given = [user ?? password, token, secrets.ROUTER_PROMETHEUS_AUTHORIZATION].filter((one) => one !== undefined);
  const wrong: readonly [SettingName, boolean | undefined, string][] = [
    [
      'ROUTER_SCRAPE',
      url !== undefined && (scraped?.length ?? 0) > 0,
      'stands beside ROUTER_PROMETHEUS_URL: expected one',
    ],
    // Its value is shown in the API and in logs.
    ['ROUTER_PROMETHEUS_URL', hasCredentials(url), 'holds a name or a password: see ROUTER_PROMETHEUS_USER'],
    ['ROUTER_PROMETHEUS_URL', url === undefined && given.length > 0, 'is missing: a credential for it is given'],
    [
      'ROUTER_PROMETHEUS_PASSWORD',
      (user === undefined) !== (password === undefined),
      'goes with ROUTER_PROMETHEUS_USER',
    ],
    ['ROUTER_PROMETHEUS_TOKEN', given.length > 1, 'is one of several credentials: expected one'],
  ];
  return wrong.flatMap(([setting, is, message]) => (is === true ? [{ setting, message }] : []));
}

/** A key goes to one address, and is given in one way. */
function documentsFaults(
  role: Role,
  { DOCUMENTS_API_URL: url, DOCUMENTS_API_KEY_FILE: file }: Plain,
  { DOCUMENTS_API_KEY: key }: Readonly<Partial<Record<SecretName, Secret>>>,
): ConfigFault[] {
  const wrong: readonly [SettingName, boolean, string][] = [
    ['DOCUMENTS_API_URL', hasCredentials(url), 'holds a name or a password: see DOCUMENTS_API_KEY'],
    [
      'DOCUMENTS_API_URL',
      role === 'router' && url === undefined && (key !== undefined || file !== undefined),
      'is missing: a key for it is given',
    ],
    [
      'DOCUMENTS_API_KEY_FILE',
      key !== undefined && file !== undefined,
      'stands beside DOCUMENTS_API_KEY: expected one',
    ],
  ];
  return wrong.flatMap(([setting, is, message]) => (is ? [{ setting, message }] : []));
}

const hasCredentials = (url: string | undefined): boolean => {
  const { username, password } = new URL(url ?? 'http://none');
  return `${username}${password}` !== '';
};

/** Values of the right form that cannot be used: found now, and not by the first request. */
function unusable(values: Plain): ConfigFault[] {
  const {
    EMBEDDING_MODEL: model,
    EMBEDDING_USD_PER_MILLION_TOKENS: price,
    JWT_KEY_FILE: file,
    ROUTER_WEB_CONFIG_FILE: web,
    ROUTER_PAGERDUTY_WEBHOOK_SECRET_FILE: pagerduty,
    DOCUMENTS_API_KEY_FILE: documents,
  } = values;
  const tries: readonly [SettingName, () => unknown][] = [
    ['IP_ALLOW_LIST', () => parseAddresses(values.IP_ALLOW_LIST ?? [])],
    ['EMBEDDING_MODEL', () => (model === undefined ? undefined : embeddingPrice(model, price))],
    ['JWT_KEY_FILE', () => (file === undefined ? undefined : readJwtKeys(file))],
    ['DOCUMENTS_API_KEY_FILE', () => (documents === undefined ? undefined : readDocumentsKey(documents))],
    ['ROUTER_WEB_CONFIG_FILE', () => (web === undefined ? undefined : readWebConfig(web))],
    [
      'ROUTER_PAGERDUTY_WEBHOOK_SECRET_FILE',
      () => (pagerduty === undefined ? undefined : readWebhookSecrets(pagerduty)),
    ],
  ];
  return tries.flatMap(([name, use]) => {
    try {
      use();
      return [];
    } catch (error) {
      return [{ setting: name, message: `cannot be used. ${describe(error)}` }];
    }
  });
}

/** @throws {Fault} which names the file and never quotes it. */
export function readJwtKeys(file: string): JwtKey[] {
  return parseJwtKeys(readNamedFile(file, 'jwt_keys_unreadable'));
}

/** @throws {Fault} which names the file and never quotes it. */
export function readDocumentsKey(file: string): Secret {
  const text = readNamedFile(file, 'documents_key_unreadable').trim();
  if (!/^[\x21-\x7e]{1,8192}$/.test(text))
    throw new Fault('documents_key_invalid', `Cannot use ${file}: expected one key`);
  return secret(text);
}

/** A variable of ours that nobody reads is a typing error that would be found in production. */
function warningsOf(env: Environment): ConfigFault[] {
  const ours = /^(BURNLINE|LLAMAPARSE|LLAMA_CLOUD|SIMULATORS|WORKER|CANARY|WEBHOOK|PARSER|ROUTER|DOCUMENTS_API)_?/;
  const known = new Set<string>([
    ...SETTING_NAMES,
    ...Object.keys(COMPOSE_VARIABLES),
    'BURNLINE_SUPERVISED',
    'BURNLINE_URL',
    'BURNLINE_KEY',
    'BURNLINE_ROUTER_URL',
    'BURNLINE_ROUTER_KEY',
    'BURNLINE_SIMULATORS_URL',
    'BURNLINE_CACHE',
  ]);
  return Object.keys(env)
    .filter((name) => ours.test(name) && !known.has(name))
    .map((name) => ({ setting: name, message: 'is not a setting of Burnline: nobody reads it' }));
}

export function logOptions(config: Config): LogOptions {
  const terminal = process.stderr.isTTY === true;
  const format =
    config.LOG_FORMAT ?? (terminal || (config.supervised && environment()['LOG_TERMINAL'] === '1') ? 'pretty' : 'json');
  const colour = format === 'pretty' && environment()['NO_COLOR'] === undefined && terminal;
  return { level: config.LOG_LEVEL, format, colour };
}

/** Who may come without a key: on loopback a developer, off it nobody, unless somebody insists. */
export function anonymousAllowed(config: Config): 'nobody' | 'loopback' | 'anyone' {
  if (config.INSECURE_NO_AUTH === 'on') return 'anyone';
  const host = config.role === 'router' ? routerAddress(config).host : config.API_HOST;
  return host === 'localhost' || isLoopback(host) ? 'loopback' : 'nobody';
}

/** As Alertmanager reads it: without a host, all of them. */
export function routerAddress({ ROUTER_LISTEN: text }: Pick<Config, 'ROUTER_LISTEN'>): { host: string; port: number } {
  const at = text.lastIndexOf(':');
  const host = text.slice(0, at).replace(/^\[|\]$/g, '');
  return { host: host === '' ? '0.0.0.0' : host, port: Number(text.slice(at + 1)) };
}
