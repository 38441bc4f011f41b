import assert from 'node:assert/strict';
import test from 'node:test';
import { type AttributesOf, CATALOGUE, INSTRUMENT_NAMES, instrument } from './catalogue.ts';

/** The names, kinds and labels that rules, dashboards, load tests and people rely on. */
const CONTRACT: readonly [name: string, kind: string, labels: string][] = [
  ['documents_finished_total', 'observable counter', 'outcome=completed|rejected|failed'],
  ['document_processing_duration_seconds', 'histogram', ''],
  [
    'document_step_attempts_total',
    'observable counter',
    'step=parse|chunk|embed|store outcome=completed|rejected|failed|deferred',
  ],
  [
    'document_step_duration_seconds',
    'histogram',
    'step=parse|chunk|embed|store outcome=completed|rejected|failed|deferred',
  ],
  ['documents_unfinished', 'gauge', 'status=queued|parsing|chunking|embedding|storing'],
  ['document_oldest_unfinished_age_seconds', 'gauge', ''],
  [
    'vendor_request_duration_seconds',
    'histogram',
    'vendor=llamaparse|openai|local outcome=ok|client_error|rate_limited|out_of_credit|server_error|timeout|unreachable|malformed|aborted',
  ],
  ['document_cost_usd_total', 'counter', 'vendor=llamaparse|openai|local'],
  ['worker_last_seen_timestamp_seconds', 'gauge', ''],
  ['process_start_time_seconds', 'gauge', ''],
  ['canary_finished_total', 'observable counter', 'outcome=completed|rejected|failed'],
];

for (const [name, kind, labels] of CONTRACT) {
  test(`${name} is what others rely on`, () => {
    assert(name in CATALOGUE);
    const entry = instrument(name as keyof typeof CATALOGUE);
    const found = Object.entries(entry.attributes).map(
      ([key, values]) => `${key}=${typeof values === 'string' ? values : values.join('|')}`,
    );
    assert.deepEqual([entry.kind, found.join(' ')], [kind, labels]);
  });
}

test('the semantic conventions’ instruments are exposed by the contract’s names', () => {
  const named = INSTRUMENT_NAMES.filter((name) => instrument(name).semantic !== undefined);
  assert.deepEqual(
    named.map((name) => `${instrument(name).semantic} ${name}`),
    [
      'http.server.request.duration http_server_request_duration_seconds',
      'db.client.operation.duration db_client_operation_duration_seconds',
    ],
  );
});

for (const name of INSTRUMENT_NAMES) {
  const entry = instrument(name);
  test(`${name} is named as Prometheus wants it`, () => {
    assert.match(name, /^[a-z][a-z0-9_]*$/);
    assert.equal(name.endsWith('_total'), entry.kind.endsWith('counter'));
    if (entry.unit === 's') assert.match(name, /_seconds(_total)?$/);
    if (entry.unit === 'By') assert.match(name, /_bytes$/);
    assert(entry.help.endsWith('.') && !entry.help.includes('\n'));
    assert(entry.roles.length > 0);
  });
  test(`${name} has buckets exactly if it is a histogram`, () => {
    const { kind, buckets } = entry;
    assert.equal(buckets !== undefined, kind === 'histogram');
    assert.deepEqual(
      [...(buckets ?? [])].sort((a, b) => a - b),
      [...new Set(buckets)],
    );
  });
}

test('the objectives’ thresholds are bucket boundaries', () => {
  const has = (name: keyof typeof CATALOGUE, ...thresholds: number[]) =>
    assert(
      thresholds.every((threshold) => instrument(name).buckets?.includes(threshold)),
      name,
    );
  has('http_server_request_duration_seconds', 0.2, 2, 30);
  has('document_processing_duration_seconds', 0.2, 2, 30);
  has('document_step_duration_seconds', 0.2, 2, 30);
  has('vendor_request_duration_seconds', 0.2, 2, 10, 30);
  has('db_client_operation_duration_seconds', 0.2, 2, 30);
});

({ outcome: 'completed' }) satisfies AttributesOf<'documents_finished_total'>;
({}) satisfies AttributesOf<'document_processing_duration_seconds'>;
// @ts-expect-error A closed set is closed for the compiler too.
({ outcome: 'done' }) satisfies AttributesOf<'documents_finished_total'>;
// @ts-expect-error A step's attempt has an outcome.
({ step: 'parse' }) satisfies AttributesOf<'document_step_attempts_total'>;
// @ts-expect-error Nothing may be added: which document it was is for the trace.
({ documentId: '7' }) satisfies AttributesOf<'document_processing_duration_seconds'>;
