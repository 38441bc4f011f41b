/**
 * Every setting there is: its environment variable, its flag, its form, its default, what it means. The command line,
 * `config check` and env.production.example are made from, or checked against, this table.
 */
import { z } from 'zod';
import { list, url } from './setting-forms.ts';
import { ROUTER_SETTINGS } from './settings-router.ts';

export type Role = 'api' | 'worker' | 'service' | 'router' | 'simulators' | 'start';
export type Setting = {
  readonly schema: z.ZodType;
  readonly help: string;
  readonly roles: readonly Role[];
  readonly flag?: string;
  /** Of a list: the flag may be given several times. */
  readonly many?: true;
  /** Its value may never be shown. */
  readonly secret?: true;
  /** When a role does not start without it; config.ts holds them to it. */
  readonly needed?: string;
};

const ALL = ['api', 'worker', 'service', 'router', 'simulators', 'start'] as const;
const DATABASE = ['api', 'worker', 'service'] as const;
const STORING = ['api', 'worker', 'service', 'router'] as const;
const SERVING = ['api', 'service', 'start'] as const;
const WORKING = ['worker', 'service', 'start'] as const;
const EITHER = ['api', 'worker', 'service', 'start'] as const;
const TELLING = ['api', 'worker', 'service', 'router', 'start'] as const;
const GUARDED = ['api', 'service', 'router', 'start'] as const;

const count = (least: number, most: number, error = `expected a whole number from ${least} to ${most}`) =>
  z.coerce.number(error).int(error).min(least, error).max(most, error);
const port = count(0, 65_535, 'expected a port, 0 to 65535');
const onOff = z.enum(['on', 'off']);
export const SETTINGS = {
  API_HOST: {
    flag: '--host <address>',
    schema: z.string().default('127.0.0.1'),
    roles: SERVING,
    help: 'address of the document API; off loopback a key is needed',
  },
  API_PORT: { flag: '--port <port>', schema: port.default(8080), roles: SERVING, help: 'port of the document API' },
  METRICS_HOST: {
    flag: '--metrics-host <address>',
    schema: z.string().default('127.0.0.1'),
    roles: WORKING,
    help: 'address of the worker’s metrics and health',
  },
  METRICS_PORT: {
    flag: '--metrics-port <port>',
    schema: port.default(9464),
    roles: WORKING,
    help: 'port of the worker’s metrics and health',
  },
  SIMULATORS_HOST: {
    flag: '--simulators-host <address>',
    schema: z.string().default('127.0.0.1'),
    roles: ALL,
    help: 'address of the vendors’ simulators',
  },
  SIMULATORS_PORT: {
    flag: '--simulators-port <port>',
    schema: port.default(8025),
    roles: ALL,
    help: 'HTTP port of the vendors’ simulators',
  },
  SIMULATORS_SMTP_PORT: {
    flag: '--smtp-port <port>',
    schema: port.default(1025),
    roles: ['simulators', 'start'],
    help: 'SMTP port of the mail simulator',
  },
  SIMULATORS_LATENCY: {
    flag: '--latency <kind>',
    schema: z.enum(['zero', 'realistic']).default('realistic'),
    roles: ['simulators', 'start'],
    help: 'how long simulated vendors take: zero or realistic',
  },
  SIMULATORS_SEED: {
    flag: '--seed <number>',
    schema: count(0, 4_294_967_295).default(1),
    roles: ['simulators', 'start'],
    help: 'seed of the simulators’ faults',
  },
  BURNLINE_STATE: {
    flag: '--state <folder>',
    schema: z.string().min(1).default('.burnline'),
    roles: ALL,
    help: 'folder of the embedded database and the simulators’ jobs',
  },
  DATABASE_URL: {
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'expected postgres://user:password@host:port/database')
      .optional(),
    roles: DATABASE,
    secret: true,
    needed: 'by api and worker',
    help: 'Postgres with pgvector; without it the embedded database (role service only)',
  },
  DATABASE_POOL_SIZE: {
    schema: count(2, 200).default(10),
    roles: STORING,
    help: 'connections to Postgres of one process',
  },
  DATABASE_STATEMENT_LIMIT_MS: {
    schema: count(100, 600_000).default(15_000),
    roles: STORING,
    help: 'a statement that takes longer is cancelled',
  },
  DATABASE_FSYNC: {
    schema: onOff.default('on'),
    roles: ['service', 'router', 'start'],
    help: 'embedded database: on makes a commit survive a power cut',
  },
  ...ROUTER_SETTINGS,
  WORKER_ID: {
    schema: z
      .string()
      .regex(/^[\w.:-]{1,100}$/, 'expected up to 100 letters, digits and . : _ -')
      .optional(),
    roles: WORKING,
    help: 'name of this worker, stable across restarts; default: embedded, or the host’s name',
  },
  WORKER_PLACES: {
    flag: '--places <number>',
    schema: count(1, 256).default(16),
    roles: WORKING,
    help: 'documents parsed side by side; other steps follow from it',
  },
  STEP_ATTEMPTS: {
    schema: count(1, 20).default(5),
    roles: WORKING,
    help: 'attempts at a step before a document fails',
  },
  STOP_LIMIT_MS: {
    schema: count(500, 300_000).default(30_000),
    roles: EITHER,
    help: 'how long a stop waits for work in hand before it is handed back',
  },
  RESTARTS_A_MINUTE: {
    schema: count(0, 1_000).default(5),
    roles: ['start'],
    help: 'how often a part of npm start may end within a minute before it is given up, and ServiceDown is paged',
  },
  CACHE: {
    schema: onOff.default('on'),
    roles: WORKING,
    help: 'on: the same bytes of the same tenant are not parsed and embedded twice',
  },
  CANARY_EVERY_SECONDS: {
    schema: count(0, 86_400).default(300),
    roles: WORKING,
    help: 'a synthetic document goes the whole way this often; 0: never',
  },
  PARSER: {
    schema: z.enum(['llamaparse', 'local']).default('llamaparse'),
    roles: WORKING,
    help: 'who parses: llamaparse, or local for every type',
  },
  PARSER_LOCAL_TYPES: {
    schema: list
      .pipe(
        z.array(
          z.enum(['pdf', 'docx', 'html', 'markdown', 'text'], 'expected some of pdf, docx, html, markdown, text'),
        ),
      )
      .default([]),
    roles: WORKING,
    help: 'types that are parsed here although PARSER is llamaparse, with commas',
  },
  BURNLINE_VENDORS: {
    schema: z.enum(['real', 'simulated']).optional(),
    roles: EITHER,
    help: 'real or simulated; default: real for a role alone, simulated under npm start',
  },
  LLAMA_CLOUD_API_KEY: {
    schema: z.string().min(1).optional(),
    roles: WORKING,
    secret: true,
    needed: 'by worker and service, where LlamaParse parses and vendors are real',
    help: 'key of LlamaParse',
  },
  LLAMA_CLOUD_BASE_URL: {
    schema: url.default('https://api.cloud.llamaindex.ai'),
    roles: WORKING,
    help: 'address of LlamaParse',
  },
  LLAMAPARSE_TIER: {
    schema: z.enum(['fast', 'cost_effective', 'agentic', 'agentic_plus']).default('cost_effective'),
    roles: WORKING,
    help: 'tier of LlamaParse: credits a page are 1, 3, 10, 45',
  },
  LLAMAPARSE_VERSION: {
    schema: z
      .string()
      .regex(/^[\w.-]{1,40}$/)
      .default('latest'),
    roles: WORKING,
    help: 'version of the tier; pin it to keep results alike',
  },
  LLAMAPARSE_CONCURRENCY: {
    schema: count(1, 1_000).default(20),
    roles: WORKING,
    help: 'uploads to LlamaParse open at once, all workers together',
  },
  LLAMAPARSE_REQUESTS_PER_MINUTE: {
    schema: count(1, 1_000_000).default(6_000),
    roles: WORKING,
    help: 'uploads to LlamaParse a minute, all workers together',
  },
  OPENAI_API_KEY: {
    schema: z.string().min(1).optional(),
    roles: EITHER,
    secret: true,
    needed: 'where vendors are real',
    help: 'key of OpenAI or of a compatible server',
  },
  OPENAI_BASE_URL: {
    schema: url.default('https://api.openai.com/v1'),
    roles: EITHER,
    help: 'address of OpenAI or of a compatible server',
  },
  EMBEDDING_MODEL: {
    schema: z.string().min(1).max(200).default('text-embedding-3-small'),
    roles: EITHER,
    help: 'model of embeddings; its vectors must have 1,536 dimensions',
  },
  EMBEDDING_USD_PER_MILLION_TOKENS: {
    schema: z.coerce.number().min(0).max(1_000).optional(),
    roles: EITHER,
    help: 'price, for a model that is not in the price table',
  },
  OPENAI_CONCURRENCY: {
    schema: count(1, 1_000).default(20),
    roles: EITHER,
    help: 'calls to OpenAI open at once, all workers together',
  },
  OPENAI_REQUESTS_PER_MINUTE: {
    schema: count(1, 10_000_000).default(10_000),
    roles: EITHER,
    help: 'calls to OpenAI a minute, until its headers say otherwise',
  },
  OPENAI_TOKENS_PER_MINUTE: {
    schema: count(1, 1_000_000_000).default(10_000_000),
    roles: EITHER,
    help: 'tokens to OpenAI a minute, until its headers say otherwise',
  },
  VENDOR_TIMEOUT_MS: {
    schema: count(100, 600_000).default(10_000),
    roles: EITHER,
    help: 'one call to a vendor may take this long',
  },
  UPLOAD_MAX_BYTES: {
    schema: count(1, 1_073_741_824).default(52_428_800),
    roles: SERVING,
    help: 'the largest upload, in bytes',
  },
  RATE_PER_SECOND: { schema: count(1, 1_000_000).default(50), roles: GUARDED, help: 'requests a second of one key' },
  RATE_BURST: { schema: count(1, 1_000_000).default(200), roles: GUARDED, help: 'requests of one key at once' },
  TRUST_PROXY: {
    schema: onOff.default('off'),
    roles: GUARDED,
    help: 'on: believe X-Forwarded-For; only behind a proxy that sets it',
  },
  WEBHOOK_SECRET: {
    schema: z.string().min(16, 'expected at least 16 characters').optional(),
    roles: WORKING,
    secret: true,
    needed: 'by worker',
    help: 'signs webhooks; without it one is made and kept in the state folder',
  },
  WEBHOOK_PRIVATE_HOSTS: {
    schema: list.default([]),
    roles: WORKING,
    help: 'hosts that webhooks may reach although they are private, with commas',
  },
  IP_ALLOW_LIST: {
    schema: list.default([]),
    roles: GUARDED,
    help: 'addresses and CIDR ranges that may call, with commas; empty: all',
  },
  JWT_KEY_FILE: {
    schema: z.string().min(1).optional(),
    roles: GUARDED,
    help: 'PEM, JWK or JWKS file that signs tokens (RS256, ES256, HS256)',
  },
  JWT_SHARED_SECRET: {
    schema: z.string().min(32, 'expected at least 32 characters').optional(),
    roles: GUARDED,
    secret: true,
    help: 'shared secret of HS256 tokens',
  },
  JWT_ISSUER: {
    schema: z.string().min(1).optional(),
    roles: GUARDED,
    needed: 'with JWT_KEY_FILE or JWT_SHARED_SECRET',
    help: 'who issues tokens (iss); needed with a JWT key',
  },
  JWT_AUDIENCE: { schema: z.string().min(1).default('burnline'), roles: GUARDED, help: 'whom tokens are for (aud)' },
  INSECURE_NO_AUTH: {
    flag: '--insecure-no-auth',
    schema: onOff.default('off'),
    roles: GUARDED,
    help: 'on: nobody needs a key, from wherever they call',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: url.optional(),
    roles: TELLING,
    help: 'traces and logs go there by OTLP/HTTP; without it they stay',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: z.string().optional(),
    roles: TELLING,
    secret: true,
    help: 'headers for it: name=value, with commas',
  },
  METRICS: { schema: onOff.default('on'), roles: TELLING, help: 'off: no metrics; for measuring their cost' },
  TRACES: { schema: onOff.default('on'), roles: TELLING, help: 'off: no spans are recorded; for measuring their cost' },
  TRACES_SLOW_STATEMENT_MS: {
    schema: count(0, 60_000).default(20),
    roles: TELLING,
    help: 'a statement that takes as long, or fails, has a span; 0: each, at a fifth more CPU of the worker',
  },
  LOG_LEVEL: {
    flag: '--log-level <level>',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    roles: ALL,
    help: 'debug, info, warn, error or silent',
  },
  LOG_FORMAT: {
    flag: '--log-format <format>',
    schema: z.enum(['json', 'pretty']).optional(),
    roles: ALL,
    help: 'json or pretty; default: pretty on a terminal',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];
export type Values = { readonly [N in SettingName]: z.output<(typeof SETTINGS)[N]['schema']> };

export const setting = (name: SettingName): Setting => SETTINGS[name];
