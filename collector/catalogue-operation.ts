/** The instruments that any role has: HTTP, database, process, and the telemetry about the telemetry. */
import type { Instrument } from './catalogue.ts';

export const DB_SYSTEMS = ['postgresql', 'pglite'] as const;
export const DB_OPERATIONS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'WITH', 'OTHER'] as const;
/** kernel/database.ts's codes, and a throw of another kind; a statement that went well has no error.type at all. */
export const DB_ERRORS = ['unavailable', 'timeout', 'conflict', 'duplicate', 'refused', 'other'] as const;
/** pg_stat_activity's, as far as they tell something apart; what another program may not see reads other. */
export const CONNECTION_STATES = ['active', 'idle', 'idle_in_transaction', 'other'] as const;
/** RFC 9110 §9 and RFC 5789; what else a client sends reads `_OTHER`, as the semantic conventions want it. */
export const HTTP_METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  '_OTHER',
] as const;

const ALL = ['api', 'worker', 'service', 'router', 'simulators'] as const;

/** 0.2 s is the objective `api-fast`. */
const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30] as const;
const DB_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30] as const;

export const METRICS_OF_OPERATION = {
  http_server_request_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    help: 'HTTP requests, from the first byte in to the last byte out or the broken connection.',
    attributes: {
      'http.request.method': HTTP_METHODS,
      'http.route': 'bounded?',
      'http.response.status_code': 'bounded?',
      'url.scheme': ['http', 'https'],
      'error.type': 'bounded?',
    },
    buckets: HTTP_SECONDS,
    roles: ['api', 'service', 'router'],
    shown: 'http',
    semantic: 'http.server.request.duration',
  },
  db_client_operation_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    help: 'SQL statements, from the call to the last row.',
    attributes: { 'db.system.name': DB_SYSTEMS, 'db.operation.name': DB_OPERATIONS, 'error.type': 'bounded?' },
    buckets: DB_SECONDS,
    roles: ['api', 'worker', 'service', 'router'],
    shown: 'rest',
    semantic: 'db.client.operation.duration',
  },
  database_connections: {
    kind: 'gauge',
    unit: '{connection}',
    help: 'Connections to the database that this role keeps its state in, of all programs together.',
    attributes: { state: CONNECTION_STATES },
    roles: ['api', 'service', 'router'],
    shown: 'rest',
  },
  database_connections_max: {
    kind: 'gauge',
    unit: '{connection}',
    help: 'How many connections that database accepts.',
    attributes: {},
    roles: ['api', 'service', 'router'],
    shown: 'rest',
  },
  access_refused_total: {
    kind: 'counter',
    unit: '{request}',
    help: 'Requests refused for who asked: no or a bad credential, no right, a wrong address.',
    attributes: {
      reason: [
        'missing',
        'malformed',
        'unknown',
        'revoked',
        'expired',
        'invalid',
        'address',
        'cross_site',
        'forbidden',
        'rate_limited',
      ],
    },
    roles: ['api', 'service', 'router'],
    shown: 'rest',
  },
  tls_certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    unit: 's',
    help: 'Until when the certificate of this server is good, in Unix time, the soonest of its chain; absent without TLS.',
    attributes: {},
    roles: ['router'],
    shown: 'rest',
  },
  process_start_time_seconds: {
    kind: 'gauge',
    unit: 's',
    help: 'When this role started, in Unix time: its counters began at 0 then.',
    attributes: {},
    roles: ALL,
    shown: 'both',
  },
  burnline_build_info: {
    kind: 'gauge',
    unit: '1',
    help: 'Always 1; which version runs, and as what.',
    attributes: { version: 'bounded', role: ALL },
    roles: ALL,
    shown: 'rest',
  },
  process_resident_memory_bytes: {
    kind: 'gauge',
    unit: 'By',
    help: 'Memory that the process holds.',
    attributes: {},
    roles: ALL,
    shown: 'rest',
  },
  process_cpu_seconds_total: {
    kind: 'observable counter',
    unit: 's',
    help: 'CPU time that the process has used.',
    attributes: { mode: ['user', 'system'] },
    roles: ALL,
    shown: 'rest',
  },
  nodejs_heap_size_used_bytes: {
    kind: 'gauge',
    unit: 'By',
    help: 'JavaScript heap in use.',
    attributes: {},
    roles: ALL,
    shown: 'rest',
  },
  nodejs_eventloop_lag_p99_seconds: {
    kind: 'gauge',
    unit: 's',
    help: 'How late 99 of 100 timers ran at most since the last scrape.',
    attributes: {},
    roles: ALL,
    shown: 'rest',
  },
  nodejs_eventloop_lag_max_seconds: {
    kind: 'gauge',
    unit: 's',
    help: 'How late a timer ran at worst since the last scrape: a blocked thread shows here first.',
    attributes: {},
    roles: ALL,
    shown: 'rest',
  },
  nodejs_eventloop_utilization_ratio: {
    kind: 'gauge',
    unit: '1',
    help: 'Share of the time since the last scrape in which the event loop was busy.',
    attributes: {},
    roles: ALL,
    shown: 'rest',
  },
  telemetry_attributes_dropped_total: {
    kind: 'counter',
    unit: '{attribute}',
    help: 'Attributes kept back because no list allows them, and metric values that became "other".',
    attributes: { signal: ['span', 'log', 'metric'] },
    roles: ALL,
    shown: 'rest',
  },
  telemetry_observations_failed_total: {
    kind: 'counter',
    unit: '{observation}',
    help: 'Values that could not be read at a scrape; their series are absent from it.',
    attributes: { reason: ['error', 'timeout'] },
    roles: ALL,
    shown: 'rest',
  },
} as const satisfies Record<string, Instrument>;
