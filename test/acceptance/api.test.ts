/** The document API's contract on a running service, over sockets: routes, statuses, headers, and what they promise. */
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { type Answer, call, type DocumentView, json, read, search, untilFinished, upload } from '#test/kit/client.ts';
import { type Received, type Receiver, startReceiver } from '#test/kit/receiver.ts';
import { type Problem, type Service, STORES, startService } from '#test/kit/service.ts';
import { MOVES, type Status } from '#worker/document.ts';

type Summary = {
  readonly id: string;
  readonly status: string;
  readonly correlationId: string;
  readonly filename: string;
};
type List = { readonly items: readonly Summary[]; readonly nextCursor: string | null };
type Chunk = { readonly ordinal: number; readonly text: string; readonly page: number; readonly tokens: number };
type Chunks = { readonly items: readonly Chunk[]; readonly nextCursor: string | null };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOBODY = '01a20298-0000-7000-8000-000000000000';
const paragraphs = (n: number, word: string): string =>
  Array.from({ length: n }, (_, i) => `Part ${i} says that ${word} ${i} was checked by hand. `.repeat(8)).join('\n\n');

function isProblem(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const problem = answer.body as unknown as Problem;
  assert.equal(problem.code, code);
  assert.equal(problem.status, status);
  assert.equal(problem.type, `urn:burnline:problem:${code}`);
  assert.equal(problem.correlationId, answer.headers.get('x-correlation-id'));
  assert(problem.title !== '' && problem.detail !== '');
}

for (const store of STORES) {
  describe(`the document API (${store})`, () => {
    let service: Service;
    let collector: Receiver;
    let api = '';
    before(async () => {
      collector = await startReceiver();
      service = await startService({
        store,
        env: {
          STEP_ATTEMPTS: '2',
          RATE_PER_SECOND: '1000',
          RATE_BURST: '1000',
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        },
      });
      api = service.api;
    });
    after(async () => {
      await service[Symbol.asyncDispose]();
      await collector[Symbol.asyncDispose]();
    });

    const completed = async (text: string, name = 'a.txt', options = {}): Promise<DocumentView> => {
      const { status, body } = await upload(api, text, name, options);
      assert.equal(status, 202, JSON.stringify(body));
      const document = await untilFinished(api, body.id);
      assert.equal(document.status, 'completed', JSON.stringify(document.error));
      return document;
    };
    const problem = async (status: number, code: string, method: string, path: string, body?: unknown) =>
      isProblem(await json(method, `${api}${path}`, body), status, code);
    const documents = async (query: string): Promise<List> => (await call<List>(`${api}/v1/documents?${query}`)).body;

    test('an upload is answered with its id and place, and its whole way can be read', async () => {
      const answer = await upload(api, 'The valve on deck two leaks a little.', 'valve.txt', {
        fields: { metadata: '{"case":"A-17"}' },
      });
      assert.equal(answer.status, 202);
      const { id, status, correlationId } = answer.body;
      assert.match(id, UUID);
      assert.equal(status, 'queued');
      assert.equal(answer.headers.get('location'), `/v1/documents/${id}`);
      assert.equal(answer.headers.get('x-correlation-id'), correlationId);
      const document = (await untilFinished(api, id)) as unknown as Record<string, unknown>;
      assert.deepEqual(
        { ...document, costUsd: 0, timeline: 0, calls: 0, acceptedAt: 0, finishedAt: 0, traceId: 0 },
        {
          ...{ id, filename: 'valve.txt', contentType: 'text/plain', bytes: 37, status: 'completed', attempts: 1 },
          ...{ pages: 1, chunks: 1, tokens: 9, costUsd: 0, metadata: { case: 'A-17' }, correlationId, error: null },
          ...{ timeline: 0, calls: 0, acceptedAt: 0, finishedAt: 0, traceId: 0 },
          sha256: '87751a8949e1f4681ded6f73943abe397eef72155161ac60c457ca1984ab0d2b',
        },
      );
    });

    test('the timeline tells each move in order, by the table of moves, with its time and reason', async () => {
      const document = await completed('The whole way.');
      let from: string | null = null;
      let at = '';
      for (const line of document.timeline) {
        assert.equal(line.from, from);
        if (from !== null && from !== line.to) assert((MOVES[from as Status] as readonly string[]).includes(line.to));
        assert(line.at >= at && line.because !== '');
        from = line.to;
        at = line.at;
      }
      assert.equal(from, 'completed');
      assert(document.costUsd > 0);
    });

    describe('the correlation ID', () => {
      test('is taken, answered, kept, logged and traced', async () => {
        const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
        const id = `order-4711.${store}:x_y`;
        const headers = { 'x-correlation-id': id, traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
        const answer = await upload(api, 'Correlated.', 'c.txt', { headers });
        assert.equal(answer.headers.get('x-correlation-id'), id);
        assert.equal(answer.body.correlationId, id);
        const document = await untilFinished(api, answer.body.id);
        assert.equal(document.correlationId, id);
        assert.equal(document.traceId, traceId);
        assert.deepEqual(
          (await documents(`correlationId=${id}`)).items.map((item) => item.id),
          [document.id],
        );
        const lines = service.running
          .output()
          .split('\n')
          .filter((line) => line.includes(document.id));
        assert(lines.length >= 5, `${lines.length} lines tell of the document`);
        for (const line of lines) assert.equal((JSON.parse(line) as Summary).correlationId, id, line);
        await untilTraced(collector, traceId, id);
      });

      for (const [what, given] of [
        ['absent', undefined],
        ['empty', ''],
        ['of another form', 'no spaces, please'],
        ['too long', 'x'.repeat(129)],
      ] as const) {
        test(`is made when it is ${what}`, async () => {
          const headers = given === undefined ? {} : { 'x-correlation-id': given };
          assert.match(
            (await call(`${api}/v1/documents?limit=1`, { headers })).headers.get('x-correlation-id') ?? '',
            UUID,
          );
        });
      }

      test('is taken from the baggage where there is no header', async () => {
        const headers = { baggage: 'correlation.id=from-baggage' };
        const { headers: answered } = await call(`${api}/v1/documents?limit=1`, { headers });
        assert.equal(answered.get('x-correlation-id'), 'from-baggage');
      });

      test('stands in a refusal too, in the header and in the body', async () => {
        const headers = { 'x-correlation-id': 'refused-1' };
        const answer = await call<Problem>(`${api}/v1/documents/${NOBODY}`, { headers });
        assert.equal(answer.body.correlationId, 'refused-1');
        assert.equal(answer.headers.get('x-correlation-id'), 'refused-1');
      });
    });

    describe('an Idempotency-Key', () => {
      const keyed = (key: string, text = 'Once.', name = 'once.txt') =>
        upload(api, text, name, { headers: { 'idempotency-key': key } });

      test('gives the same document for the same request, and says so', async () => {
        const first = await keyed('k-1');
        const second = await keyed('k-1');
        assert.equal(first.headers.get('idempotent-replayed'), null);
        assert.equal(second.status, 202);
        assert.equal(second.headers.get('idempotent-replayed'), 'true');
        assert.equal(second.body.id, first.body.id);
        assert.equal(second.body.correlationId, first.body.correlationId);
      });

      test('refuses another request under the same key', async () => {
        await keyed('k-2');
        isProblem(await keyed('k-2', 'Twice.'), 409, 'idempotency_conflict');
        isProblem(await keyed('k-2', 'Once.', 'other.txt'), 409, 'idempotency_conflict');
      });

      test('makes one document of eight requests at once, of several pieces each', async () => {
        const text = paragraphs(6_000, 'idempotent');
        const all = await Promise.all(Array.from({ length: 8 }, () => keyed('k-3', text)));
        assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([202]));
        assert.equal(new Set(all.map(({ body }) => body.id)).size, 1);
        assert.equal(all.filter(({ headers }) => headers.get('idempotent-replayed') === null).length, 1);
        await json('DELETE', `${api}/v1/documents/${all[0]?.body.id}`);
      });

      test('must be of a form that can be kept', async () => {
        isProblem(await keyed('with a space'), 400, 'bad_request');
        isProblem(await keyed('x'.repeat(256)), 400, 'bad_request');
        assert.equal((await keyed('x'.repeat(255))).status, 202);
      });
    });

    describe('the list', () => {
      test('comes newest first, and complete without doubles while documents arrive', async () => {
        const correlation = `list-${store}`;
        const headers = { 'x-correlation-id': correlation };
        const ids: string[] = [];
        for (let i = 0; i < 12; i++) ids.push((await upload(api, `Number ${i}.`, `${i}.txt`, { headers })).body.id);
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const query: string = cursor === null ? '' : `&cursor=${cursor}`;
          const page: List = await documents(`correlationId=${correlation}&limit=5${query}`);
          assert(page.items.length <= 5);
          seen.push(...page.items.map(({ id }) => id));
          cursor = page.nextCursor;
          await upload(api, `Late ${seen.length}.`, 'late.txt', { headers });
        } while (cursor !== null);
        assert.deepEqual(seen, ids.reverse());
      });

      test('keeps to the state that is asked for', async () => {
        const { body } = await upload(api, '', 'empty.txt');
        assert.equal((await untilFinished(api, body.id)).status, 'rejected');
        const rejected = await documents('status=rejected&limit=200');
        assert(rejected.items.some(({ id }) => id === body.id));
        assert(rejected.items.every(({ status }) => status === 'rejected'));
        assert.deepEqual(await documents('status=rejected&correlationId=nobody'), { items: [], nextCursor: null });
      });

      for (const [query, says] of [
        ['limit=0', /parameter "limit": expected a whole number from 1 to 200/],
        ['limit=201', /parameter "limit": expected a whole number from 1 to 200/],
        ['limit=', /expected a whole number from 1 to 200/],
        ['limit=1e2', /expected a whole number/],
        ['limit=5&limit=6', /expected a whole number/],
        ['cursor=', /parameter "cursor": Invalid UUID/],
        ['status=done', /parameter "status": .*completed/],
        ['stauts=failed', /parameter: .*stauts/],
      ] as const) {
        test(`refuses ?${query} and says what would be right`, async () => {
          const answer = await call<Problem>(`${api}/v1/documents?${query}`);
          isProblem(answer as never, 400, 'bad_request');
          assert.match(answer.body.detail, says);
        });
      }
    });

    test('chunks come in order, page by page, and together are the document', async () => {
      const document = await completed(paragraphs(40, 'chunked'), 'long.txt');
      const all: Chunk[] = [];
      let cursor: string | null = null;
      do {
        const query: string = cursor === null ? '' : `&cursor=${cursor}`;
        const { body }: Answer<Chunks> = await call(`${api}/v1/documents/${document.id}/chunks?limit=3${query}`);
        all.push(...body.items);
        cursor = body.nextCursor;
      } while (cursor !== null);
      assert.equal(all.length, document.chunks);
      assert(all.length > 6);
      assert.deepEqual(
        all.map(({ ordinal }) => ordinal),
        all.map((_, i) => i),
      );
      const text = all.map((chunk) => chunk.text).join('\n');
      for (let i = 0; i < 40; i++) assert(text.includes(`chunked ${i} was`), `part ${i} is missing`);
      await problem(400, 'bad_request', 'GET', `/v1/documents/${document.id}/chunks?cursor=`);
      await problem(400, 'bad_request', 'GET', `/v1/documents/${document.id}/chunks?cursor=-1`);
      await problem(404, 'not_found', 'GET', `/v1/documents/${NOBODY}/chunks`);
    });

    test('a search finds by meaning, best first, as many as asked for', async () => {
      const id = (await completed('Quinces are harvested in October, after the first frost.')).id;
      await completed('The invoice is due within thirty days.');
      const hits = await search(api, 'harvested quinces after frost', 2);
      assert.equal(hits.length, 2);
      assert.equal(hits[0]?.documentId, id);
      assert((hits[0]?.score ?? 0) > (hits[1]?.score ?? 1) && (hits[0]?.score ?? 2) <= 1);
      for (const body of [{}, { query: '' }, { query: '  ' }, { query: 'x', limit: 0 }, { query: 'x', limit: 101 }]) {
        await problem(400, 'bad_request', 'POST', '/v1/search', body);
      }
      await problem(400, 'bad_request', 'POST', '/v1/search', { query: 'x', limits: 1 });
      assert((await search(api, '\u0000 \ud800 quince')).length > 0, 'odd characters are no fault');
    });

    test('a search while the embedding vendor is down is 503 with Retry-After, and works again after', async () => {
      await service.break('openai', { status: 500 });
      const answer = await json('POST', `${api}/v1/search`, { query: 'broken' });
      await service.mend();
      isProblem(answer, 503, 'unavailable');
      assert(Number(answer.headers.get('retry-after')) >= 1);
      assert(Array.isArray(await search(api, 'mended')));
    });

    describe('an erasure', () => {
      test('takes content, text and vectors, keeps the row, and may be repeated', async () => {
        const text = 'Rhubarb must not be found by anybody.';
        const options = { fields: { metadata: '{"who":"me"}' }, headers: { 'idempotency-key': 'gone' } };
        const { id } = await completed(text, 'rhubarb.txt', options);
        const found = async () => (await search(api, text)).some(({ documentId }) => documentId === id);
        assert.equal(await found(), true);
        for (let i = 0; i < 2; i++) {
          const { status, body } = await json('DELETE', `${api}/v1/documents/${id.toUpperCase()}`);
          assert.equal(status, 200);
          assert.equal(body['status'], 'erased');
          assert.equal(body['filename'], '');
          assert.deepEqual(body['metadata'], {});
        }
        const document = await read(api, id);
        assert.equal(document.status, 'erased');
        assert.equal(document.timeline.filter(({ to }) => to === 'erased').length, 1);
        assert.equal(await found(), false);
        assert.deepEqual((await call<Chunks>(`${api}/v1/documents/${id}/chunks`)).body.items, []);
        await problem(409, 'not_retryable', 'POST', `/v1/documents/${id}/retry`);
        const again = await upload(api, text, 'rhubarb.txt', options);
        assert.notEqual(again.body.id, id, 'the key is free again');
        await problem(404, 'not_found', 'DELETE', `/v1/documents/${NOBODY}`);
      });

      test('cuts off work in hand, which can not bring anything back', async () => {
        await service.break('llamaparse', { latencyMs: 1_500 });
        const { body } = await upload(api, 'Erased while it is parsed.', 'hand.txt');
        while ((await read(api, body.id)).status === 'queued') await sleep(10);
        assert.equal((await json('DELETE', `${api}/v1/documents/${body.id}`)).body['status'], 'erased');
        await service.mend();
        await sleep(2_500);
        const document = await read(api, body.id);
        assert.equal(document.status, 'erased');
        assert.equal(document.timeline.at(-1)?.to, 'erased');
      });
    });

    test('a failed document is tried again after the vendor is mended, and its parse is not paid again', async () => {
      await service.break('openai', { status: 500 });
      const { body } = await upload(api, `Tried twice, ${store}.`, 'again.txt');
      await problem(409, 'not_retryable', 'POST', `/v1/documents/${body.id}/retry`);
      const broken = await untilFinished(api, body.id);
      assert.equal(broken.status, 'failed');
      assert(broken.error?.code && broken.error.message);
      await service.mend();
      const retried = await json('POST', `${api}/v1/documents/${body.id}/retry`);
      assert.equal(retried.status, 202);
      assert.equal(retried.headers.get('location'), `/v1/documents/${body.id}`);
      assert.equal(retried.body['status'], 'queued');
      const document = await untilFinished(api, body.id);
      assert.equal(document.status, 'completed', JSON.stringify(document.error));
      assert.match(document.timeline.map(({ because }) => because).join('\n'), /tried again by anonymous/);
      const { sha256 } = document as unknown as { sha256: string };
      const stats = await call<{ llamaparse: { uploadsBySha256: Record<string, number> } }>(
        `${service.simulators}/stats`,
      );
      assert.equal(stats.body.llamaparse.uploadsBySha256[sha256], 1);
      await problem(409, 'not_retryable', 'POST', `/v1/documents/${body.id}/retry`);
      await problem(404, 'not_found', 'POST', `/v1/documents/${NOBODY}/retry`);
    });
  });
}

/** Spans leave in batches, as protobuf: the ids stand in it as bytes, the baggage's ID as text. */
async function untilTraced(collector: Receiver, traceId: string, correlationId: string): Promise<void> {
  const id = Buffer.from(traceId, 'hex');
  const isThere = ({ url, body, headers }: Received) => {
    const bytes = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    return url.endsWith('/v1/traces') && bytes.includes(id) && bytes.includes(correlationId);
  };
  for (let tries = 0; tries < 200; tries++) {
    if (collector.received.some(isThere)) return;
    await sleep(100);
  }
  assert.fail(`no span of trace ${traceId} came with ${correlationId}`);
}
