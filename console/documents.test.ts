/** The way to the document API, with a server on the other side that answers well, wrongly, late or not at all. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Role } from '#access/roles.ts';
import type { Db } from '#kernel/database.ts';
import { http } from '#kernel/http.ts';
import { silentLog } from '#kernel/log.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import { type ServedConsole, say, serveConsole } from '#test/kit/console.ts';
import { openEngine } from '#test/kit/database.ts';

const ID = '0190d5a0-0000-7000-8000-000000000001';
const ACCEPTED = { id: ID, status: 'queued', correlationId: 'c' };
const PULSE = {
  ...{ at: '2026-01-01T00:00:00.000Z', seconds: 300, finished: { completed: 1, rejected: 0, failed: 0 } },
  ...{ unfinished: {}, oldestUnfinishedSeconds: null, workers: [], vendors: [], circuits: {} },
};

let db: Db;
let asked: IncomingMessage[] = [];
let answer: (response: ServerResponse) => void = () => {};
const other = createServer((request, response) => {
  asked.push(request);
  answer(response);
});
let served: ServedConsole;
let operator = '';

const json = (status: number, body: unknown, headers: Record<string, string> = {}) => {
  answer = (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const problem = (status: number, code: string, detail: string, headers = {}) =>
  json(status, { type: 'x', title: 'x', status, detail, code, correlationId: 'theirs' }, headers);

const keyOf = async (tenant: string, roles: readonly Role[]): Promise<string> =>
  (await served.keys.create({ tenant, name: 'k', roles, by: 'test' })).key.reveal();
const ask = async (method: string, path: string, key = operator, headers = {}) =>
  await say(method, `${served.url}${path}`, { authorization: `Bearer ${key}`, ...headers });

// In a suite: files share a process, and a database, which other suites empty.
describe('documents by way of the router', () => {
  before(async () => {
    db = await openEngine('PGlite');
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    const side = { url, key: secret('bl_of_the_router'), gone: 'documents_unavailable', http, log: silentLog } as const;
    const api = { ...side, what: 'The document API', timeout: milliseconds(500) };
    served = await serveConsole(db, { more: { documents: { api, tenant: 'acme' } } });
    operator = await keyOf('acme', ['operator']);
  });
  after(async () => {
    await served.close();
    other.closeAllConnections();
    other.close();
  });

  test('is asked with the router’s key, the asker’s correlation ID and what was read of the query; nothing else goes on', async () => {
    json(200, { items: [], nextCursor: null });
    asked = [];
    const path = `/api/v1/documents?status=failed&correlationId=a%26b&limit=7&cursor=${ID}`;
    const found = await ask('GET', path, operator, {
      'x-correlation-id': 'mine',
      cookie: 'a=b',
      'x-forwarded-for': '1.2.3.4',
    });
    assert.deepEqual([found.status, found.body], [200, { items: [], nextCursor: null }]);
    const [request] = asked;
    assert(request);
    const { url, headers } = request;
    assert.equal(url, `/v1/documents?status=failed&correlationId=a%26b&limit=7&cursor=${ID}`);
    assert.equal(headers.authorization, 'Bearer bl_of_the_router');
    assert.equal(headers['x-correlation-id'], 'mine');
    assert.equal(headers.cookie, undefined);
    assert.equal(headers['x-forwarded-for'], undefined);
  });

  test('is asked nothing that is no document and no question of ours', async () => {
    json(200, {});
    asked = [];
    for (const [path, status] of [
      ['/api/v1/documents/..%2f..%2fkeys', 400],
      ['/api/v1/documents/all', 400],
      [`/api/v1/documents/${ID}/chunks`, 404],
      ['/api/v1/documents?limit=0', 400],
      ['/api/v1/documents?tenant=other', 400],
      ['/api/v1/documents?status=lost', 400],
    ] as const) {
      assert.equal((await ask('GET', path)).status, status, path);
    }
    assert.equal((await ask('DELETE', `/api/v1/documents/${ID}`)).status, 405);
    assert.deepEqual(asked, []);
  });

  test('what it has beside what is known is left out, and what it should have and has not is said', async () => {
    json(200, { ...PULSE, secret: 'x' });
    const found = await ask('GET', '/api/v1/pulse');
    assert.deepEqual([found.status, found.body], [200, PULSE]);
    for (const strange of [{}, [], 'a', { ...PULSE, seconds: '300' }]) {
      json(200, strange);
      const wrong = await ask('GET', '/api/v1/pulse');
      assert.deepEqual([wrong.status, wrong.body['code']], [503, 'documents_unavailable']);
      assert.match(String(wrong.body['detail']), /something else than it should/);
    }
    answer = (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>welcome</h1>');
    assert.equal((await ask('GET', '/api/v1/pulse')).status, 503);
    answer = (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    assert.equal((await ask('GET', '/api/v1/pulse')).status, 503, 'nobody is sent elsewhere with the key');
  });

  const FAULTS: readonly [status: number, code: string, want: [status: number, code: string, detail: RegExp]][] = [
    [404, 'not_found', [404, 'not_found', /^theirs$/]],
    [409, 'not_retryable', [409, 'not_retryable', /^theirs$/]],
    [400, 'bad_request', [400, 'bad_request', /^theirs$/]],
    [400, 'of_another_release', [400, 'bad_request', /^theirs$/]],
    [429, 'rate_limited', [429, 'rate_limited', /^theirs$/]],
    [401, 'unauthenticated', [503, 'documents_unavailable', /does not take the router’s own key: theirs/]],
    [403, 'forbidden', [403, 'forbidden', /router’s own key do that: theirs/]],
    [503, 'unavailable', [503, 'documents_unavailable', /has a fault: theirs/]],
    [500, 'internal', [503, 'documents_unavailable', /has a fault: theirs/]],
    [418, 'not_found', [503, 'documents_unavailable', /./]],
  ];
  for (const [status, code, [seen, as, words]] of FAULTS) {
    test(`its ${status} ${code} is a ${seen} ${as} here`, async () => {
      problem(status, code, 'theirs', status === 429 ? { 'retry-after': '3' } : {});
      const found = await ask('GET', `/api/v1/documents/${ID}`);
      assert.deepEqual([found.status, found.body['code']], [seen, as]);
      assert.match(String(found.body['detail']), words);
      assert.notEqual(found.body['correlationId'], 'theirs');
      if (status === 429) assert.equal(found.headers['retry-after'], '3');
    });
  }

  test('when it is late, breaks off or says too much, that is said, and soon enough', async () => {
    answer = () => {};
    const late = await ask('GET', '/api/v1/pulse');
    assert.equal(late.status, 503);
    assert.match(String(late.body['detail']), /did not answer within 0.5 s/);
    answer = (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    assert.equal((await ask('GET', '/api/v1/pulse')).status, 503, 'it began, and never ended');
    answer = (response) => void response.destroy();
    const gone = await ask('GET', '/api/v1/pulse');
    assert.match(String(gone.body['detail']), /cannot be reached/);
    assert.equal(gone.headers['retry-after'], '2');
    json(200, { ...PULSE, circuits: { x: 'y'.repeat(9 * 1_048_576) } });
    assert.equal((await ask('GET', '/api/v1/pulse')).status, 503);
    for (const { body } of [late, gone]) assert(!JSON.stringify(body).includes('bl_of_the_router'));
  });

  test('each role does what it may, and another tenant sees nothing', async () => {
    json(202, ACCEPTED);
    asked = [];
    const retry = `/api/v1/documents/${ID}/retry`;
    const viewer = await keyOf('acme', ['viewer']);
    const stranger = await keyOf('default', ['operator']);
    const program = await keyOf('acme', ['admin']);
    assert.equal((await ask('POST', retry, viewer)).status, 403);
    assert.equal((await ask('POST', retry, program)).status, 403);
    for (const [method, path] of [
      ['GET', '/api/v1/documents'],
      ['GET', `/api/v1/documents/${ID}`],
      ['GET', '/api/v1/pulse'],
      ['POST', retry],
    ] as const) {
      const found = await ask(method, path, stranger);
      assert.equal(found.status, 403, path);
      assert.match(String(found.body['detail']), /of tenant acme/);
      assert.equal((await say(method, `${served.url}${path}`)).status, 401);
    }
    assert.deepEqual(asked, []);
    const session = async (key: string) => (await ask('GET', '/api/v1/session', key)).body['features'];
    assert.deepEqual(await session(viewer), { documents: true, simulators: false });
    assert.deepEqual(await session(stranger), { documents: false, simulators: false });
  });

  test('a retry is in the audit trail with what came of it, for those who may read that', async () => {
    const retry = `/api/v1/documents/${ID}/retry`;
    json(202, ACCEPTED);
    const done = await ask('POST', retry);
    assert.deepEqual([done.status, done.body, done.headers['location']], [202, ACCEPTED, `/api/v1/documents/${ID}`]);
    problem(409, 'not_retryable', 'The document is completed, not failed');
    assert.equal((await ask('POST', retry)).status, 409);
    answer = (response) => void response.destroy();
    assert.equal((await ask('POST', retry)).status, 503);
    const trail = await ask('GET', '/api/v1/audit?limit=3');
    const { items, nextCursor } = trail.body as { items: Record<string, unknown>[]; nextCursor: string };
    const retries = items.map(({ action, target, outcome }) => [action, target, outcome]);
    assert.deepEqual(retries, [
      ['documents:retry', ID, 'failed'],
      ['documents:retry', ID, 'refused'],
      ['documents:retry', ID, 'done'],
    ]);
    assert.equal(items[2]?.['correlationId'], done.headers['x-correlation-id']);
    assert.equal(nextCursor, String(items[2]?.['id']));
    const next = await ask('GET', `/api/v1/audit?cursor=${nextCursor}`);
    assert((next.body['items'] as { id: number }[]).every(({ id }) => id < Number(nextCursor)));
    assert.equal((await ask('GET', '/api/v1/audit', await keyOf('acme', ['responder']))).status, 403);
    const theirs = await ask('GET', '/api/v1/audit', await keyOf('other', ['operator']));
    assert((theirs.body['items'] as { tenant: string }[]).every(({ tenant }) => tenant === 'other'));
  });

  test('where nobody said where it is, there is none, and the page is told so', async () => {
    const alone = await serveConsole(db);
    const key = (
      await alone.keys.create({ tenant: 'default', name: 'k', roles: ['operator'], by: 'test' })
    ).key.reveal();
    const found = await say('GET', `${alone.url}/api/v1/documents`, { authorization: `Bearer ${key}` });
    assert.equal(found.status, 404);
    assert.match(String(found.body['detail']), /DOCUMENTS_API_URL/);
    assert.equal(
      (await say('GET', `${alone.url}/api/v1/simulators/inbox`, { authorization: `Bearer ${key}` })).status,
      404,
    );
    await alone.close();
  });
});
