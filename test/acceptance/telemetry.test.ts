/** One trace for a document across processes and a kill, nothing of the document in it, and every metric of the contract. */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, json, read, untilFinished, upload } from '#test/kit/client.ts';
import { freshDatabase, POSTGRES_URL } from '#test/kit/database.ts';
import { startReceiver } from '#test/kit/otlp.ts';
import { removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

/** DESIGN §4, "Metrics that others rely on", and what the rules on blindness need. */
const CONTRACT = [
  'documents_finished_total{outcome="completed"}',
  'document_processing_duration_seconds_bucket{le="30"}',
  'document_step_attempts_total{',
  'document_step_duration_seconds_bucket{',
  'documents_unfinished{status="queued"}',
  'document_oldest_unfinished_age_seconds ',
  'vendor_request_duration_seconds_bucket{',
  'document_cost_usd_total{',
  'worker_last_seen_timestamp_seconds ',
  'canary_finished_total{',
  'process_start_time_seconds ',
  'db_client_operation_duration_seconds_bucket{',
];

describe('telemetry', () => {
  test('every metric of the contract is on the service’s two pages, and no HTTP metric on the second', async () => {
    const state = temporaryFolder();
    await using stack = await startRole('start', { BURNLINE_STATE: state });
    const { api = '', metrics = '' } = stack.urls;
    const { body } = await upload(api, '# One\n\nThe pump is in order.', 'one.md');
    await untilFinished(api, body.id);
    const rest = (await call<string>(`${metrics}/metrics`)).body;
    const http = (await call<string>(`${api}/metrics`)).body;
    for (const name of CONTRACT) assert(rest.includes(`\n${name}`), `${name} is not on the metrics port`);
    assert.match(http, /\nhttp_server_request_duration_seconds_bucket\{[^}]*http_route="\/v1\/documents\/:id"/);
    assert.doesNotMatch(rest, /http_server_request_duration/);
    assert.match(rest, /documents_finished_total\{outcome="completed"\} 1\n/);
    assert.match(rest, /document_step_attempts_total\{[^}]*step="store"[^}]*\} 1\n/);
    for (const path of ['/healthz', '/readyz']) assert.equal((await call(`${metrics}${path}`)).status, 200, path);
    assert.equal(await stack.stop('SIGINT'), 0);
    removeFolder(state);
  });

  test('a document is one trace, through a killed worker, and nothing of it leaves', {
    skip: !POSTGRES_URL && 'no Postgres',
  }, async () => {
    const state = temporaryFolder();
    await using receiver = await startReceiver();
    await using simulators = await startRole('simulators', { BURNLINE_STATE: state, SIMULATORS_LATENCY: 'zero' });
    const env = {
      BURNLINE_STATE: state,
      DATABASE_URL: await freshDatabase(),
      WEBHOOK_SECRET: 'only-for-this-very-test',
      BURNLINE_VENDORS: 'simulated',
      SIMULATORS_PORT: new URL(simulators.urls['simulators'] ?? '').port,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      CANARY_EVERY_SECONDS: '0',
      // On a quiet machine none is slow.
      TRACES_SLOW_STATEMENT_MS: '0',
    };
    await using server = await startRole('api', env);
    const api = server.urls['api'] ?? '';
    const faults = `${simulators.urls['simulators']}/faults/openai`;
    await json('PUT', faults, { latencyMs: 4_000 });
    await using first = await startRole('worker', { ...env, WORKER_ID: 'first' });
    const text = '# Patient Zebediah Quux\n\nThe xylophone diagnosis is confidential.';
    const { body } = await upload(api, text, 'zebediah-quux.md', { headers: { 'x-correlation-id': 'case-17' } });
    while ((await read(api, body.id)).status !== 'embedding') await sleep(20);
    await sleep(300); // the call to OpenAI is open now
    await first.kill();
    await json('DELETE', faults);
    await using second = await startRole('worker', { ...env, WORKER_ID: 'second' });
    const document = await untilFinished(api, body.id);
    assert.equal(document.status, 'completed');
    assert.match(document.timeline.map(({ because }) => because).join('\n'), /taken over by worker second/);
    await Promise.all([second.stop(), server.stop()]);

    const spans = receiver.spans().filter((span) => span.traceId === document.traceId);
    const names = spans.map(({ name }) => name);
    for (const name of ['POST /v1/documents', 'process embed', 'process store', 'embeddings text-embedding-3-small']) {
      assert(names.includes(name), `no span "${name}" in ${[...new Set(names)].join(', ')}`);
    }
    assert(
      names.some((name) => /^(UPDATE|INSERT|SELECT|WITH)\b.*worker\./i.test(name)),
      `no SQL in ${names.join(', ')}`,
    );
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const root = spans.find(({ name }) => name === 'POST /v1/documents');
    assert(root);
    for (const span of spans.filter(({ name }) => name.startsWith('process '))) {
      assert.equal(span.parentId, root.spanId, `${span.name} hangs from another span`);
    }
    const services = new Set(spans.map(({ service }) => service));
    assert(services.has('second'), [...services].join());
    // The killed worker could not send its last spans; nothing else may be without its parent.
    const lost = spans.filter((span) => span !== root && !ids.has(span.parentId));
    assert.deepEqual(
      lost.map(({ name, service }) => [name, service]).filter(([, service]) => service !== 'first'),
      [],
    );
    const everything = receiver.everything();
    assert(everything.includes('case-17'));
    for (const word of ['zebediah', 'Zebediah', 'xylophone', 'simulated-key']) assert(!everything.includes(word), word);
    await simulators.stop();
    removeFolder(state);
  });
});
