/** The edges of HTTP at a running service: what is no request, no route or too much, and a service that is not well. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#kernel/clock.ts';
import { migrate } from '#kernel/migrate.ts';
import { openPglite } from '#kernel/pglite.ts';
import { milliseconds } from '#kernel/units.ts';
import { call, json, upload } from '#test/kit/client.ts';
import { startWire, type Wire } from '#test/kit/cut.ts';
import { freshDatabase, LIMITS, MIGRATIONS, POSTGRES_URL } from '#test/kit/database.ts';
import { exchange, multipartBody, open, type RawAnswer, type Script, uploadHead } from '#test/kit/raw.ts';
import { type Problem, type Service, startService } from '#test/kit/service.ts';
import { insertDocument } from '#worker/rows/documents.ts';

const KNOWN = '01a20298-0000-7000-8000-000000000000';
const line = (first: string, ...headers: string[]): string =>
  [`${first} HTTP/1.1`, 'host: localhost', ...headers, '', ''].join('\r\n');
const post = (path: string, type: string, body: string): string =>
  `${line(`POST ${path}`, `content-type: ${type}`, `content-length: ${Buffer.byteLength(body)}`)}${body}`;

function problemOf(answer: RawAnswer | undefined, status: number, code: string): Problem {
  assert(answer, 'there is an answer');
  assert.equal(answer.status, status, answer.body);
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  const problem = JSON.parse(answer.body) as Problem;
  assert.equal(problem.code, code);
  assert.equal(problem.status, status);
  assert.equal(problem.correlationId, answer.headers['x-correlation-id']);
  assert(problem.correlationId.length > 0 && problem.detail.length > 0);
  return problem;
}

describe('a service that is well', () => {
  let service: Service;
  let api = '';
  before(async () => {
    service = await startService();
    api = service.api;
  });
  after(async () => await service[Symbol.asyncDispose]());

  const json256 = `{"query":"${'x'.repeat(262_144)}"}`;
  const PROBLEMS: readonly [title: string, script: Script, status: number, code: string, says: RegExp][] = [
    ['a path that is not there', [line('GET /v2/documents')], 404, 'not_found', /nothing at GET \/v2\/documents/],
    ['a method that is not there', [line('PUT /v1/documents')], 405, 'method_not_allowed', /GET, HEAD, OPTIONS, POST/],
    ['TRACE', [line('TRACE /v1/documents')], 405, 'method_not_allowed', /only/],
    ['an id that is none', [line('GET /v1/documents/1')], 400, 'bad_request', /path "id": Invalid UUID/],
    ['an id of 300 letters', [line(`GET /v1/documents/${'a'.repeat(300)}`)], 414, 'uri_too_long', /too long/],
    ['a document that is not there', [line(`GET /v1/documents/${KNOWN}`)], 404, 'not_found', /There is no document/],
    ['an address that cannot be decoded', [line('GET /v1/documents/%zz')], 400, 'bad_request', /cannot be decoded/],
    ['JSON that is none', [post('/v1/search', 'application/json', '{"query":')], 400, 'bad_request', /not valid JSON/],
    ['an empty body', [post('/v1/search', 'application/json', '')], 400, 'bad_request', /cannot be empty/],
    [
      'a body of the wrong kind',
      [post('/v1/search', 'text/plain', 'x')],
      415,
      'unsupported_media_type',
      /application\/json; received text\/plain/,
    ],
    [
      'a body without a type',
      [line('POST /v1/search', 'content-length: 1'), 'x'],
      415,
      'unsupported_media_type',
      /no Content-Type/,
    ],
    [
      'an upload as JSON',
      [post('/v1/documents', 'application/json', '{}')],
      415,
      'unsupported_media_type',
      /multipart\/form-data; received/,
    ],
    ['a JSON body over 256 KiB', [post('/v1/search', 'application/json', json256)], 413, 'too_large', /262144 bytes/],
    [
      'a field that is not known',
      [post('/v1/search', 'application/json', '{"query":"x","top":1}')],
      400,
      'bad_request',
      /top/,
    ],
    [
      'a poisoned prototype',
      [post('/v1/search', 'application/json', '{"query":"x","__proto__":{}}')],
      400,
      'bad_request',
      /JSON/,
    ],
    ['a method that HTTP does not know', [line('BREW /v1/documents')], 400, 'bad_request', /Invalid method/],
    [
      'a header that is none',
      ['GET /healthz HTTP/1.1\r\nhost: localhost\r\nno header\r\n\r\n'],
      400,
      'bad_request',
      /header/i,
    ],
    ['headers of 20 KB', [line('GET /healthz', `x: ${'x'.repeat(20_000)}`)], 431, 'headers_too_large', /16 KiB/],
    ['an address of 20 KB', [line(`GET /v1/documents?x=${'x'.repeat(20_000)}`)], 431, 'headers_too_large', /16 KiB/],
    ['no Host', ['GET /healthz HTTP/1.1\r\n\r\n'], 400, 'bad_request', /Host is missing/],
    [
      'two lengths',
      [line('POST /v1/search', 'content-length: 3', 'transfer-encoding: chunked'), '0\r\n\r\n'],
      400,
      'bad_request',
      /Content-Length/,
    ],
    ['a length that is none', [line('POST /v1/search', 'content-length: -5')], 400, 'bad_request', /Content-Length/],
    [
      'a chunk that is none',
      [line('POST /v1/search', 'content-type: application/json', 'transfer-encoding: chunked'), 'zz\r\n'],
      400,
      'bad_request',
      /chunk/,
    ],
    [
      'what is no HTTP at all',
      ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
      400,
      'bad_request',
      /not an HTTP\/1.1 request/,
    ],
    [
      'HTTP/2 without its greeting',
      ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      400,
      'bad_request',
      /not an HTTP\/1.1 request/,
    ],
  ];
  for (const [title, script, status, code, says] of PROBLEMS) {
    test(`answers ${title} with a problem document, ${status} ${code}`, async () => {
      assert.match(problemOf(await exchange(api, script), status, code).detail, says);
    });
  }

  test('says which methods an address takes, in the 405 and to OPTIONS', async () => {
    const ALLOWED = [
      ['/v1/documents', 'GET, HEAD, OPTIONS, POST'],
      [`/v1/documents/${KNOWN}`, 'DELETE, GET, HEAD, OPTIONS'],
      [`/v1/documents/${KNOWN}/retry`, 'OPTIONS, POST'],
      ['/healthz', 'GET, HEAD, OPTIONS'],
    ] as const;
    for (const [path, allow] of ALLOWED) {
      assert.equal((await call(`${api}${path}`, { method: 'PATCH' })).headers.get('allow'), allow);
      const options = await call(`${api}${path}?x=1`, { method: 'OPTIONS' });
      assert.equal(options.status, 204);
      assert.equal(options.headers.get('allow'), allow);
    }
    assert.equal((await call(`${api}/nothing`, { method: 'OPTIONS' })).status, 404);
  });

  test('answers HEAD as GET, without the body', async () => {
    for (const path of ['/healthz', '/v1/documents', '/openapi.json', `/v1/documents/${KNOWN}`, '/nothing']) {
      const [head, get] = await Promise.all([
        call(`${api}${path}`, { method: 'HEAD' }).catch(() => call(`${api}${path}`)),
        call(`${api}${path}`),
      ]);
      assert.equal(head.status, get.status, path);
      assert.equal(head.headers.get('content-type'), get.headers.get('content-type'));
    }
  });

  test('sends headers that keep browsers and caches away, on answers and on problems', async () => {
    for (const path of ['/v1/documents', '/nothing', '/v1/documents/1', '/healthz']) {
      const { headers } = await call(`${api}${path}`);
      assert.equal(headers.get('content-security-policy'), "default-src 'none';frame-ancestors 'none'");
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('x-frame-options'), 'DENY');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('x-powered-by'), null);
      assert.equal(headers.get('access-control-allow-origin'), null);
    }
  });

  test('takes one request after the other on one connection, also after a refusal', async () => {
    await using connection = await open(api);
    const bytes = multipartBody([{ name: 'file', filename: 'a.txt', bytes: 'x' }]);
    connection.socket.write(line('GET /healthz'));
    connection.socket.write(uploadHead(bytes.length, { 'content-type': 'text/plain' }));
    connection.socket.write(bytes);
    connection.socket.write(line('GET /nothing', 'connection: close'));
    const text = await connection.whole();
    assert.deepEqual(
      [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ['200', '415', '404'],
    );
  });

  test('gives the health, the metrics and the description of itself to anybody', async () => {
    assert.deepEqual((await call(`${api}/healthz`)).body, { status: 'ok' });
    const ready = (await call(`${api}/readyz`)).body;
    assert.equal(ready['status'], 'ready');
    assert.equal(ready['database'], 'ok');
    assert.match(String((await call(`${api}/metrics`)).body), /^http_server_request_duration_seconds_count/m);
    assert.equal((await call(`${api}/openapi.json`)).body['openapi'], '3.1.0');
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      assert.equal((await call(`${service.metrics}${path}`)).status, 200, path);
    }
  });

  test('finishes the upload in hand when it is told to stop, and keeps it', async () => {
    const bytes = multipartBody([{ name: 'file', filename: 'last.txt', bytes: 'The last one before the stop.' }]);
    await using connection = await open(api);
    connection.socket.write(uploadHead(bytes.length));
    connection.socket.write(bytes.subarray(0, 100));
    await sleep(100);
    const ended = service.running.stop('SIGTERM');
    await sleep(300);
    connection.socket.write(bytes.subarray(100));
    const answer = await connection.answer(10_000);
    assert.equal(answer?.status, 202, answer?.body);
    assert.equal(answer.headers['connection'], 'close', 'a stop does not wait for the client to let go');
    assert.equal(await ended, 0);
    const { id } = JSON.parse(answer.body) as { id: string };
    const rows = await service.look((db) => db.query('select status from worker.documents where id = $1', [id]));
    assert.equal(rows.length, 1);
  });
});

/** Documents that no worker will take up: they wait, and nothing else. */
async function fillQueue({ BURNLINE_STATE = '' }: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(BURNLINE_STATE, 'service');
  // Of tomorrow: the reaper looks for documents that nobody touched lately.
  const later = milliseconds(Date.now() + 86_400_000);
  const db = await openPglite({ folder, fsync: false, limits: LIMITS, clock: systemClock });
  try {
    await migrate(db, MIGRATIONS);
    const plain = {
      filename: '',
      contentType: '',
      bytes: 0,
      sha256: '',
      metadata: {},
      traceparent: '',
      requestHash: '',
    };
    const more = { idempotencyKey: null, webhookUrl: null, noCache: false, canary: false, at: later };
    await insertDocument(db, { ...plain, ...more, id: KNOWN, tenant: 'default', correlationId: '' });
    await db.query(
      `insert into worker.documents
       select (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid()))).*
       from worker.documents d, generate_series(2, 20000)`,
    );
  } finally {
    await db.close();
  }
}

test('a service with more work than 15 minutes takes no upload, says when to come back, and serves the rest', async () => {
  await using service = await startService({ prepare: fillQueue, env: { WORKER_PLACES: '1' } });
  const begun = performance.now();
  let answer = await upload(service.api, 'One more.', 'a.txt');
  // Until the worker has said how many places it has, nobody knows how long the wait is.
  while (answer.status === 202 && performance.now() - begun < 15_000) {
    await sleep(300);
    answer = await upload(service.api, 'One more.', 'a.txt');
  }
  assert.equal(answer.status, 429);
  assert.equal(answer.body.code, 'overloaded');
  assert.match(
    answer.body.detail ?? '',
    /^200\d\d documents are unfinished and a new one would wait about \d+ minutes$/,
  );
  assert(Number(answer.headers.get('retry-after')) >= 5);
  const waiting = await call(`${service.api}/v1/documents/${KNOWN}`);
  assert.equal(waiting.headers.get('retry-after'), '30', 'nobody who waits need ask more often');
  assert.equal((await call(`${service.api}/v1/documents?limit=1`)).status, 200);
  assert.equal((await call(`${service.api}/readyz`)).status, 200);
  const { body } = await call<string>(`${service.metrics}/metrics`);
  assert.match(body, /^uploads_refused_total\{reason="overloaded"\} \d/m);
});

test('a caller above the rate is answered 429 with Retry-After, and served again after it', async () => {
  await using service = await startService({ env: { RATE_PER_SECOND: '2', RATE_BURST: '10' } });
  const ask = () => call<Problem>(`${service.api}/v1/documents?limit=1`);
  const answers = await Promise.all(Array.from({ length: 30 }, ask));
  const refused = answers.filter(({ status }) => status === 429);
  assert(refused.length >= 5 && refused.length <= 20, `${refused.length} of 30 were refused`);
  for (const { body, headers } of refused) {
    assert.equal(body.code, 'rate_limited');
    assert.match(body.detail, /More than 2 requests a second, after a burst of 10/);
    assert(Number(headers.get('retry-after')) >= 1);
  }
  assert.equal((await call(`${service.api}/healthz`)).status, 200, 'health is not limited');
  let uploaded = 202;
  for (let tries = 0; tries < 20 && uploaded === 202; tries++) {
    await Promise.all(Array.from({ length: 8 }, ask));
    uploaded = (await upload(service.api, 'x', 'a.txt')).status;
  }
  assert.equal(uploaded, 429);
  const { body } = await call<string>(`${service.metrics}/metrics`);
  assert.match(body, /^uploads_refused_total\{reason="rate_limited"\} 1$/m, 'of the uploads only');
  await sleep(Number((await ask()).headers.get('retry-after') ?? 0) * 1_000 + 100);
  assert.equal((await ask()).status, 200);
});

describe('a service whose database is cut off', { skip: !POSTGRES_URL && 'there is no Postgres in this run' }, () => {
  let service: Service;
  let wire: Wire;
  before(async () => {
    const url = new URL(await freshDatabase());
    wire = await startWire(url.hostname, Number(url.port));
    url.port = String(wire.port);
    service = await startService({ env: { DATABASE_URL: url.href } });
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await wire[Symbol.asyncDispose]();
  });

  test('lives, is not ready, answers 503 with Retry-After, and comes back by itself', async () => {
    assert.equal((await call(`${service.api}/readyz`)).status, 200);
    wire.cut();
    const unready = await json('GET', `${service.api}/readyz`);
    assert.equal(unready.status, 503);
    assert.equal(unready.body['database'], 'unavailable');
    for (const answer of [
      await json('GET', `${service.api}/v1/documents`),
      await upload(service.api, 'x'.repeat(2_500_000), 'a.txt'),
      await json('DELETE', `${service.api}/v1/documents/${KNOWN}`),
    ]) {
      assert.equal(answer.status, 503, JSON.stringify(answer.body));
      assert.equal((answer.body as { code?: string }).code, 'unavailable');
      assert(Number(answer.headers.get('retry-after')) >= 1);
    }
    assert.equal((await call(`${service.api}/healthz`)).status, 200);
    wire.mend();
    const begun = performance.now();
    while ((await call(`${service.api}/readyz`)).status !== 200) {
      assert(performance.now() - begun < 15_000, 'it comes back');
      await sleep(100);
    }
    assert.equal((await upload(service.api, 'Back again.', 'a.txt')).status, 202);
  });
});
