/** From the configuration to what the rooms take: each gets its own part and nothing of the rest. */
import { parseAddresses } from '#access/addresses.ts';
import { type Authenticate, makeAuthenticator } from '#access/authenticator.ts';
import type { BasicUsers } from '#access/basic-users.ts';
import { type JwtOptions, jwtBases, makeJwtVerifier } from '#access/jwt.ts';
import { hs256Key } from '#access/jwt-keys.ts';
import type { Keys } from '#access/keys.ts';
import type { Sessions } from '#access/sessions.ts';
import type { DbInstruments } from '#collector/database.ts';
import type { OtlpOptions } from '#collector/sdk.ts';
import type { Clock } from '#kernel/clock.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import { POLICY } from '#worker/decide.ts';
import type { VendorSettings, WorkerSettings } from '#worker/worker.ts';
import { anonymousAllowed, type Config, readJwtKeys } from './config.ts';

/** What simulators take for a key. */
const SIMULATED_KEY = secret('simulated');

export function vendorSettings(config: Config): VendorSettings {
  const simulated = config.BURNLINE_VENDORS === 'simulated';
  const key = (given: Secret | undefined) => (simulated ? SIMULATED_KEY : (given ?? SIMULATED_KEY));
  return {
    timeout: milliseconds(config.VENDOR_TIMEOUT_MS),
    llamaparse: {
      apiKey: key(config.secrets.LLAMA_CLOUD_API_KEY),
      baseUrl: simulated ? `${simulatorsUrl(config)}/llamaparse` : config.LLAMA_CLOUD_BASE_URL,
      tier: config.LLAMAPARSE_TIER,
      version: config.LLAMAPARSE_VERSION,
      quota: {
        requestsPerMinute: config.LLAMAPARSE_REQUESTS_PER_MINUTE,
        tokensPerMinute: 1,
        concurrency: config.LLAMAPARSE_CONCURRENCY,
      },
    },
    openai: {
      apiKey: key(config.secrets.OPENAI_API_KEY),
      baseUrl: simulated ? `${simulatorsUrl(config)}/openai/v1` : config.OPENAI_BASE_URL,
      model: config.EMBEDDING_MODEL,
      usdPerMillionTokens: config.EMBEDDING_USD_PER_MILLION_TOKENS,
      quota: {
        requestsPerMinute: config.OPENAI_REQUESTS_PER_MINUTE,
        tokensPerMinute: config.OPENAI_TOKENS_PER_MINUTE,
        concurrency: config.OPENAI_CONCURRENCY,
      },
    },
  };
}

export const simulatorsUrl = (config: Config): string => `http://${config.SIMULATORS_HOST}:${config.SIMULATORS_PORT}`;

export function workerSettings(config: Config, webhookSecret: Secret): WorkerSettings {
  const places = config.WORKER_PLACES;
  // Parsing and embedding wait for vendors; chunking is computation, storing is the database's work.
  const share = (of: number) => Math.max(1, Math.ceil(places / of));
  return {
    workerId: config.workerId,
    places: { parse: places, chunk: share(8), embed: places, store: share(4) },
    localFormats: config.PARSER === 'local' ? ['pdf', 'docx', 'html', 'markdown', 'text'] : config.PARSER_LOCAL_TYPES,
    cache: config.CACHE === 'on',
    canaryEvery: config.CANARY_EVERY_SECONDS === 0 ? undefined : milliseconds(config.CANARY_EVERY_SECONDS * 1000),
    webhookSecret,
    webhookPrivateHosts: config.WEBHOOK_PRIVATE_HOSTS,
    vendors: vendorSettings(config),
    policy: { ...POLICY, attempts: config.STEP_ATTEMPTS },
    sole: config.secrets.DATABASE_URL === undefined,
  };
}

export type People = {
  /** Where there are some, nobody comes without a name or a key. */
  readonly users: BasicUsers | undefined;
  readonly sessions: Sessions;
};

export function authenticator(config: Config, keys: Keys, clock: Clock, people?: People): Authenticate {
  const jwt = jwtOptions(config);
  const users = people?.users;
  return makeAuthenticator({
    clock,
    keys,
    anonymous: users === undefined ? anonymousAllowed(config) : 'nobody',
    ...(users === undefined ? {} : { users }),
    ...(people === undefined ? {} : { sessions: people.sessions }),
    ...(jwt ? { jwt: makeJwtVerifier(jwt, clock), jwtBases: jwtBases(jwt) } : {}),
    ...(config.IP_ALLOW_LIST.length > 0 ? { allowed: parseAddresses(config.IP_ALLOW_LIST) } : {}),
  });
}

function jwtOptions(config: Config): JwtOptions | undefined {
  const { JWT_KEY_FILE: file, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = config;
  const shared = config.secrets.JWT_SHARED_SECRET;
  if (issuer === undefined || (file === undefined && shared === undefined)) return undefined;
  const fromFile = file === undefined ? [] : readJwtKeys(file);
  const keys = [...fromFile, ...(shared === undefined ? [] : [hs256Key(shared)])];
  return { keys, issuer, audience };
}

export const instrumentsOf = (
  { TRACES_SLOW_STATEMENT_MS: slow }: Config,
  { telemetry, clock }: Omit<DbInstruments, 'slow'>,
): DbInstruments => ({ telemetry, clock, slow: milliseconds(slow) });

export function otlpOptions(config: Config): OtlpOptions | undefined {
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  const pairs = (config.secrets.OTEL_EXPORTER_OTLP_HEADERS?.reveal() ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at < 1 ? [] : [[pair.slice(0, at).trim(), secret(decodeURIComponent(pair.slice(at + 1).trim()))] as const];
  });
  return { endpoint, headers: Object.fromEntries(pairs) };
}
