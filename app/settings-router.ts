/** The router's settings. Flags are named as Alertmanager's, so that the router can take its place. */
import { z } from 'zod';
import { list, url } from './setting-forms.ts';
import type { Setting } from './settings.ts';
import { areSecrets, WEBHOOK_SECRETS } from './webhook-secrets.ts';

const ROUTING = ['router', 'start'] as const;

const EVERY = 'expected a whole number of seconds from 1 to 60';
/** Alertmanager's. The first two mean the same here; the rest change its own metrics and memory. */
const FEATURES = [
  ...(['classic-mode', 'utf8-strict-mode'] as const),
  ...(['alert-names-in-metrics', 'receiver-name-in-metrics', 'group-key-in-metrics', 'auto-gomemlimit'] as const),
];

export const ROUTER_SETTINGS = {
  ROUTER_CONFIG_FILE: {
    flag: '--config.file <file>',
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    help: 'alertmanager.yml: routes and receivers; default: the one that ships, with the vendors of this stack',
  },
  ROUTER_ONCALL_FILE: {
    flag: '--oncall.file <file>',
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    help: 'oncall.yaml: people, schedules, escalation policies',
  },
  ROUTER_OBJECTIVES: {
    flag: '--objectives <paths>',
    many: true,
    schema: list.default([]),
    roles: ROUTING,
    help: 'files or folders with objectives that the router watches, with commas; default: those that ship',
  },
  ROUTER_SCRAPE: {
    flag: '--scrape <urls>',
    many: true,
    schema: list
      .pipe(
        z.array(
          z
            .string()
            .regex(
              /^([\w.-]+=)?(dns\+)?https?:\/\/.+/,
              'expected http://host:port/metrics, name=http://… or dns+http://…',
            ),
        ),
      )
      .default([]),
    roles: ROUTING,
    help: 'metrics that the router reads every 5 s, with commas; dns+http://… for every address that a name has; default: worker and API of this machine',
  },
  ROUTER_PROMETHEUS_URL: {
    flag: '--prometheus.url <url>',
    schema: url.optional(),
    roles: ROUTING,
    help: 'Prometheus, Mimir, Thanos or VictoriaMetrics that has the objectives’ counters: read in place of scraping',
  },
  ROUTER_PROMETHEUS_EVERY: {
    flag: '--prometheus.every <seconds>',
    schema: z.coerce.number(EVERY).int(EVERY).min(1, EVERY).max(60, EVERY).default(5),
    roles: ROUTING,
    help: 'how often it is asked, in seconds: 5, or its scrape interval',
  },
  ROUTER_PROMETHEUS_TENANT: {
    flag: '--prometheus.tenant <id>',
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    help: 'X-Scope-OrgID, as Mimir’s',
  },
  ROUTER_PROMETHEUS_USER: {
    flag: '--prometheus.user <name>',
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    help: 'name of basic authentication, with ROUTER_PROMETHEUS_PASSWORD',
  },
  ROUTER_PROMETHEUS_PASSWORD: {
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    secret: true,
    help: 'password of basic authentication',
  },
  ROUTER_PROMETHEUS_TOKEN: {
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    secret: true,
    help: 'bearer token',
  },
  ROUTER_PROMETHEUS_AUTHORIZATION: {
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    secret: true,
    help: 'whole value of the header Authorization, where neither of the two fits',
  },
  ROUTER_LISTEN: {
    flag: '--web.listen-address <address>',
    schema: z
      .string()
      .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]*):\d{1,5}$/, 'expected host:port')
      .default('127.0.0.1:9093'),
    roles: ROUTING,
    help: 'address of the router; port 0: a free one; off loopback a key is needed',
  },
  ROUTER_STORAGE: {
    flag: '--storage.path <folder>',
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    help: 'folder of the router’s embedded database; default: router in the state folder',
  },
  ROUTER_DATABASE_URL: {
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'expected postgres://user:password@host:port/database')
      .optional(),
    roles: ['router'],
    secret: true,
    help: 'Postgres of the router, which several routers can share; without it the embedded database',
  },
  ROUTER_EXTERNAL_URL: {
    flag: '--web.external-url <url>',
    schema: url.optional(),
    roles: ROUTING,
    help: 'where people reach the router: the head of every link in a message',
  },
  ROUTER_PREFIX: {
    flag: '--web.route-prefix <prefix>',
    schema: z
      .string()
      .regex(/^\/[\w./-]*$/, 'expected a path that begins with /')
      .optional(),
    roles: ROUTING,
    help: 'path before every address of the router; default: that of the external URL',
  },
  ROUTER_WEB_CONFIG_FILE: {
    flag: '--web.config.file <file>',
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    help: 'web configuration as Prometheus has it: basic_auth_users, and tls_server_config with cert_file and key_file',
  },
  ROUTER_PAGERDUTY_WEBHOOK_SECRET: {
    schema: z
      .string()
      .refine((text) => areSecrets(text), WEBHOOK_SECRETS)
      .optional(),
    roles: ROUTING,
    secret: true,
    help: 'signs PagerDuty’s V3 webhooks to /api/v1/inbound/pagerduty; of several subscriptions with commas',
  },
  ROUTER_PAGERDUTY_WEBHOOK_SECRET_FILE: {
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    help: 'file that holds it, read at the start',
  },
  DOCUMENTS_API_URL: {
    flag: '--documents.url <url>',
    schema: url.optional(),
    roles: ROUTING,
    help: 'document API whose documents the console shows; without it, none; under npm start, the one of this stack',
  },
  DOCUMENTS_API_KEY: {
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    secret: true,
    help: 'the router’s key for it: reader, or writer where people may try a failed document again; none on loopback',
  },
  DOCUMENTS_API_KEY_FILE: {
    schema: z.string().min(1).optional(),
    roles: ROUTING,
    help: 'file that holds it, read at the start',
  },
  DOCUMENTS_API_TENANT: {
    schema: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/i, 'expected a tenant’s name')
      .default('default'),
    roles: ROUTING,
    help: 'whose that key is: people of another tenant are not shown its documents',
  },
  ROUTER_GRAFANA_URL: {
    schema: url.optional(),
    roles: ROUTING,
    help: 'where people reach Grafana: the console links there',
  },
  ROUTER_TRACES_URL: {
    schema: z
      .string()
      .regex(/^https?:\/\/.*\{traceId\}/, 'expected an http or https URL with {traceId} in it')
      .optional(),
    roles: ROUTING,
    help: 'where people see a trace, with {traceId} where its id stands: the console links there',
  },
  ROUTER_FEATURES: {
    flag: '--enable-feature <names>',
    many: true,
    schema: list.pipe(z.array(z.enum(FEATURES, `expected some of ${FEATURES.join(', ')}`))).default([]),
    roles: ROUTING,
    help: 'classic-mode refuses label names that are not ASCII; utf8-strict-mode takes UTF-8 matchers alone; others of Alertmanager change nothing',
  },
} as const satisfies Record<string, Setting>;
