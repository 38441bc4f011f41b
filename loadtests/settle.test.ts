/** Against a real server that says what a document API might say. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { http } from '#kernel/http.ts';
import { milliseconds } from '#kernel/units.ts';
import { makeBook } from './book.ts';
import type { DocumentsAt } from './documents-api.ts';
import { readFinished, settleBook, untilEnded } from './settle.ts';

type Told = { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown };

/** @param tell what the nth question (from 0) is answered with. */
async function serve(tell: (url: URL, n: number) => Told) {
  let questions = 0;
  const server = createServer((request, response) => {
    const { status = 200, headers = {}, body } = tell(new URL(request.url ?? '', 'http://here'), questions++);
    response.writeHead(status, {
      'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
      ...headers,
    });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at: DocumentsAt = {
    ...{ http, clock: systemClock, key: undefined },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  const end = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { at, questions: () => questions, [Symbol.asyncDispose]: end };
}

const row = (id: string, status: string, upload = `key-${id}`) => ({
  ...{ id, status, metadata: { upload }, error: status === 'rejected' ? { code: 'empty' } : null },
  acceptedAt: '2026-11-29T10:00:00.000Z',
  finishedAt: /completed|rejected|failed/.test(status) ? '2026-11-29T10:00:40.000Z' : null,
});
const list = (...items: object[]) => ({ items, nextCursor: null });
const PATIENCE = { standstill: milliseconds(700), most: milliseconds(60_000) };

test('untilEnded() waits until nothing is left, and says how many there are meanwhile', async () => {
  let rounds = 0;
  await using server = await serve(({ searchParams }) => {
    const status = searchParams.get('status');
    if (status === 'queued') rounds++;
    return { body: status === 'parsing' && rounds < 3 ? list(row('a', 'parsing'), row('b', 'parsing')) : list() };
  });
  const told: number[] = [];
  await untilEnded(server.at, 'run', PATIENCE, (n) => told.push(n));
  assert.deepEqual(told, [2, 2, 0]);
});

test('untilEnded() gives up what does not move any more', async () => {
  await using server = await serve(({ searchParams }) => ({
    body: searchParams.get('status') === 'storing' ? list(row('a', 'storing')) : list(),
  }));
  await untilEnded(server.at, 'run', PATIENCE);
  assert(server.questions() >= 10, 'it looked again');
  assert(server.questions() <= 30, 'and not for ever');
});

test('settleBook() reads every page, waits out a 429, and enters what the sender did not see', async () => {
  await using server = await serve(({ searchParams }, n) => {
    if (n === 0) return { status: 429, headers: { 'retry-after': '0' }, body: {} };
    assert.equal(searchParams.get('correlationId'), 'run');
    return searchParams.get('cursor') === null
      ? { body: { items: [row('a', 'completed')], nextCursor: 'a' } }
      : { body: list(row('b', 'rejected'), row('c', 'parsing')) };
  });
  const book = makeBook();
  for (const id of ['a', 'b', 'c']) {
    book.add({ kind: 'sent', key: `key-${id}`, at: 0, file: 'a.pdf', expected: 'any', phase: 'steady' });
    book.add({ kind: 'accepted', key: `key-${id}`, at: 0, id, tries: 1 });
  }
  const rows = await settleBook(server.at, 'run', book);
  assert.deepEqual(
    rows.map(({ key, ms }) => [key, ms]),
    [
      ['key-a', 40_000],
      ['key-b', 40_000],
      ['key-c', undefined],
    ],
  );
  assert.deepEqual(
    [...book.entries.values()].map(({ outcome, code }) => [outcome, code]),
    [
      ['completed', ''],
      ['rejected', 'empty'],
      ['accepted', ''],
    ],
  );
});

test('settleBook() says where an answer is none of a document API', async () => {
  await using server = await serve(() => ({ body: { items: 'many', nextCursor: null } }));
  await assert.rejects(settleBook(server.at, 'run', makeBook()), /answers something else than expected, at items/);
});

test('readFinished() adds up the workers, and refuses a text that breaks off', async () => {
  const text = '# TYPE documents_finished_total counter\n';
  const line = (outcome: string, n: number) => `documents_finished_total{outcome="${outcome}"} ${n}\n`;
  await using server = await serve((_, n) => ({
    body: n < 2 ? `${text}${line('completed', 5 + n)}${line('failed', 1)}other 3\n` : `${text}documents_fin`,
  }));
  const { url } = server.at;
  assert.deepEqual(await readFinished(server.at, [url, `${url}/metrics`]), { completed: 11, rejected: 0, failed: 2 });
  await assert.rejects(readFinished(server.at, [url]), /\/metrics, line 2: .*breaks off/);
});
