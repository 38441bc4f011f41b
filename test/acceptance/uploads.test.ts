/** Uploads to a running service, over sockets: every form of them, and what is kept of each. */
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type DocumentView, read, untilFinished, upload } from '#test/kit/client.ts';
import { forgetPeak, NO_PROC, peakMemory, residentMemory } from '#test/kit/memory.ts';
import { BOUNDARY, breakOff, exchange, multipartBody, open, type Part, postParts, uploadHead } from '#test/kit/raw.ts';
import { type Problem, type Service, STORES, startService } from '#test/kit/service.ts';

const LIMIT = 52_428_800;
const MIB = 1_048_576;
const TEXT = 'The pump on deck four was replaced on Tuesday.';
const file = (bytes: Uint8Array | string = TEXT, filename = 'pump.txt'): Part => ({ name: 'file', filename, bytes });
const field = (name: string, bytes: string, type?: string): Part => ({ name, bytes, ...(type ? { type } : {}) });
const noise = (bytes: number): Buffer => Buffer.alloc(bytes, Buffer.from([0, 1, 2, 250, 251, 252, 253]));

type Accepted = { readonly id: string; readonly status: string; readonly correlationId: string };
type Full = DocumentView & { readonly filename: string; readonly metadata: object; readonly bytes: number };

for (const store of STORES) {
  describe(`uploads (${store})`, () => {
    let service: Service;
    let api = '';
    before(async () => {
      service = await startService({
        store,
        env: { WORKER_PLACES: '1', RATE_PER_SECOND: '1000', RATE_BURST: '1000', DATABASE_FSYNC: 'off' },
      });
      api = service.api;
    });
    after(async () => await service[Symbol.asyncDispose]());
    const pid = () => service.running.process.pid ?? 0;
    const accepted = async (parts: readonly Part[], headers = {}): Promise<Full> => {
      const answer = await postParts(api, parts, headers);
      assert.equal(answer.status, 202, answer.body);
      const { id } = JSON.parse(answer.body) as Accepted;
      assert.equal(answer.headers['location'], `/v1/documents/${id}`);
      return (await read(api, id)) as Full;
    };

    const META = { case: 'A-17', '☃': ['ü', 1.5, null, { deep: true }] };
    const json = JSON.stringify(META);
    // Private, so that nobody is called.
    const hook = 'http://127.0.0.1:9/done';
    const GOOD: readonly [title: string, parts: readonly Part[], metadata: object][] = [
      ['with nothing beside the file', [file()], {}],
      ['with metadata before the file', [field('metadata', json), file()], META],
      ['with metadata after the file', [file(), field('metadata', json)], META],
      ['with metadata as application/json', [file(), field('metadata', json, 'application/json')], META],
      ['with empty metadata', [field('metadata', ''), file()], {}],
      ['with a webhook before and metadata after', [field('webhookUrl', hook), file(), field('metadata', '{}')], {}],
      ['with a webhook that is empty', [file(), field('webhookUrl', '')], {}],
      [
        'with metadata at its limit',
        [field('metadata', `{"a":"${'x'.repeat(8_184)}"}`), file()],
        { a: 'x'.repeat(8_184) },
      ],
    ];
    for (const [title, parts, metadata] of GOOD) {
      test(`are taken ${title}`, async () => {
        const document = await accepted(parts);
        assert.deepEqual(document.metadata, metadata);
        assert.equal(document.bytes, TEXT.length);
      });
    }

    const NAMES: readonly [given: string, kept: string][] = [
      ['ünï☃.txt', 'ünï☃.txt'],
      ['../../etc/passwd', 'passwd'],
      ['C:\\\\temp\\\\note.txt', 'note.txt'],
      ['a\tb\u202etxt.exe', 'abtxt.exe'],
      ['x'.repeat(300), 'x'.repeat(255)],
      ['..', 'unnamed'],
    ];
    for (const [given, kept] of NAMES) {
      test(`are shown under the name ${JSON.stringify(kept.slice(0, 20))}`, async () => {
        assert.equal((await accepted([file(TEXT, given)])).filename, kept);
      });
    }

    const many = Array.from({ length: 30 }, (_, i) => field(`f${i}`, 'x'));
    const BAD: readonly [title: string, parts: readonly Part[], says: RegExp][] = [
      ['no part at all', [], /There is no file/],
      ['no file', [field('metadata', '{}')], /There is no file: send one part named "file"/],
      ['a file that is only a field', [field('file', TEXT)], /has no file name/],
      ['a file of another name', [{ ...file(), name: 'document' }], /Unknown file part "document": name it "file"/],
      ['two files', [file(), file()], /more than one file/],
      ['a second file of another name', [file(), { ...file(), name: 'other' }], /more than one file/],
      ['an unknown field', [file(), field('colour', 'red')], /Unknown field "colour": the fields are file, metadata/],
      ['thirty fields', [...many, file()], /Unknown field "f0"/],
      ['a field named __proto__', [file(), field('__proto__', 'x')], /prototype/],
      ['metadata that is no JSON', [file(), field('metadata', '{"a":')], /"metadata" is not JSON/],
      [
        'metadata that says it is JSON and is not',
        [file(), field('metadata', '{', 'application/json')],
        /not a valid JSON/,
      ],
      ['metadata that is a list', [file(), field('metadata', '[1]')], /must be a JSON object/],
      ['metadata that is null', [file(), field('metadata', 'null')], /must be a JSON object/],
      ['metadata twice', [field('metadata', '{}'), field('metadata', '{}'), file()], /"metadata" is there twice/],
      ['metadata over its limit', [field('metadata', `{"a":"${'x'.repeat(8_185)}"}`), file()], /over 8192 bytes/],
      ['metadata with a zero byte', [file(), field('metadata', '{"a":"\\u0000"}')], /cannot be stored/],
      ['metadata with half a character', [file(), field('metadata', '{"\\ud800":1}')], /cannot be stored/],
      ['metadata with a number beyond all', [file(), field('metadata', '{"a":1e999}')], /too large/],
      [
        'metadata a thousand levels deep',
        [file(), field('metadata', `{"a":${'['.repeat(1e3)}${']'.repeat(1e3)}}`)],
        /deeper than 32/,
      ],
      ['a webhook that is no URL', [file(), field('webhookUrl', 'nope')], /"webhookUrl" is not a URL/],
      ['a webhook by ftp', [file(), field('webhookUrl', 'ftp://example.com/')], /only http and https/],
      ['a webhook with a password', [file(), field('webhookUrl', 'https://a:b@example.com/')], /user name or password/],
      ['a webhook of 3,000 characters', [file(), field('webhookUrl', `${hook}?${'x'.repeat(3_000)}`)], /not a URL/],
      ['2 MB of file before a wrong field', [file(noise(2 * MIB)), field('colour', 'red')], /Unknown field/],
    ];
    for (const [title, parts, says] of BAD) {
      test(`are refused with ${title}`, async () => {
        const answer = await postParts(api, parts);
        assert.equal(answer.status, 400, answer.body);
        assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
        const problem = JSON.parse(answer.body) as Problem;
        assert.equal(problem.code, 'bad_request');
        assert.match(problem.detail, says);
      });
    }

    const plain = multipartBody([file()]);
    const nameless = Buffer.from(plain.toString().replace('name="file"; ', ''));
    const chunked = uploadHead(0).replace(/content-length: 0\r\n/, 'transfer-encoding: chunked\r\n');
    const pieces = (bytes: Buffer) => [`${bytes.length.toString(16)}\r\n`, bytes, '\r\n0\r\n\r\n'];
    const head = (headers: Record<string, string>) => uploadHead(plain.length, headers);
    const FRAMES: readonly [title: string, script: readonly (string | Buffer)[], status: number][] = [
      ['in chunks', [chunked, ...pieces(plain)], 202],
      ['with a preamble and an epilogue', [uploadHead(plain.length + 20), 'preamble\r\n', plain, 'epilogue\r\n'], 202],
      ['with another content type', [head({ 'content-type': 'application/json' }), plain], 415],
      ['as a form of the other kind', [head({ 'content-type': 'application/x-www-form-urlencoded' }), plain], 415],
      ['as multipart/mixed', [head({ 'content-type': `multipart/mixed; boundary=${BOUNDARY}` }), plain], 415],
      ['without a boundary', [head({ 'content-type': 'multipart/form-data' }), plain], 400],
      ['with another boundary', [head({ 'content-type': 'multipart/form-data; boundary=other' }), plain], 400],
      [
        'with a boundary of 300 letters',
        [head({ 'content-type': `multipart/form-data; boundary=${'b'.repeat(300)}` }), plain],
        400,
      ],
      ['with a part that has no name', [uploadHead(nameless.length), nameless], 400],
      ['without a body', [uploadHead(0)], 400],
      ['that end in the middle of the file', [chunked, ...pieces(plain.subarray(0, plain.length - 60))], 400],
      ['that end before the last boundary', [chunked, ...pieces(plain.subarray(0, plain.length - 20))], 400],
      ['with a chunk that is none', [chunked, 'zz\r\n'], 400],
      ['with two lengths', [uploadHead(5, { 'transfer-encoding': 'chunked' }), '0\r\n\r\n'], 400],
      ['over the limit by their own word', [uploadHead(10 * LIMIT)], 413],
    ];
    for (const [title, script, status] of FRAMES) {
      test(`${title} are answered ${status}`, async () => {
        const answer = await exchange(api, script);
        assert.equal(answer?.status, status, answer?.body);
        if (status >= 400) assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
      });
    }

    test('that are empty are taken and then rejected', async () => {
      const { id } = await accepted([file('')]);
      const document = await untilFinished(api, id);
      assert.equal(document.status, 'rejected');
      assert.equal(document.error?.code, 'empty');
    });

    test('of exactly 50 MB are taken, three at once, and cost little memory', { timeout: 90_000 }, async () => {
      const before = NO_PROC ? 0 : residentMemory(pid());
      if (!NO_PROC) forgetPeak(pid());
      const body = multipartBody([file(noise(LIMIT), 'big.bin')]);
      const sent = await Promise.all([1, 2, 3].map(() => exchange(api, [uploadHead(body.length), body], 60_000)));
      const grown = NO_PROC ? 0 : peakMemory(pid()) - before;
      assert.deepEqual(
        sent.map((answer) => answer?.status),
        [202, 202, 202],
      );
      const { id } = JSON.parse(sent[0]?.body ?? '') as Accepted;
      assert.equal(((await read(api, id)) as Full).bytes, LIMIT);
      // Kept whole, the three were 150 MiB, and twice that on their way to the database. One at a time is parsed.
      assert(grown < 220, `grew by ${Math.round(grown)} MiB from ${Math.round(before)}`);
    });

    test('of one byte more than the limit are refused, also to a client that is still sending', async () => {
      for (const send of [
        () => postParts(api, [file(noise(LIMIT + 1), 'big.bin')]),
        () => upload(api, noise(3 * LIMIT), 'big.bin'),
      ]) {
        const answer = await send();
        assert.equal(answer.status, 413);
        const problem = (typeof answer.body === 'string' ? JSON.parse(answer.body) : answer.body) as Problem;
        assert.equal(problem.code, 'too_large');
        assert.match(problem.detail, /over the limit of 52428800 bytes/);
      }
      const { body } = await call<string>(`${service.metrics}/metrics`);
      assert.match(body, /uploads_refused_total\{reason="too_large"\} 3/);
    });

    test('that are refused early are read to their end, so that the connection can go on', async () => {
      const body = multipartBody([field('colour', 'red'), file(noise(8 * MIB))]);
      await using line = await open(api);
      line.socket.write(uploadHead(body.length));
      line.socket.write(body);
      line.socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
      const statuses = [...(await line.whole()).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
      assert.deepEqual(statuses, ['400', '200']);
    });

    test('that are slow hold up nobody, and no transaction', { timeout: 60_000 }, async () => {
      const body = multipartBody([file(noise(3 * MIB), 'slow.bin')]);
      await using line = await open(api);
      line.socket.write(uploadHead(body.length));
      line.socket.write(body.subarray(0, 2_500_000));
      await sleep(300);
      for (let i = 0; i < 5; i++) {
        const begun = performance.now();
        await accepted([file()]);
        assert(performance.now() - begun < 3_000, 'others wait for the slow one');
      }
      line.socket.write(body.subarray(2_500_000));
      assert.equal((await line.answer(20_000))?.status, 202);
    });

    test('that break off leave nothing, and neither does anything that was refused', { timeout: 60_000 }, async () => {
      const body = multipartBody([file(noise(3 * MIB))]);
      for (const cut of [0, 50, 200, 500_000, 2_500_000, body.length - 5]) {
        await breakOff(api, [uploadHead(body.length), body.subarray(0, cut), 100]);
      }
      await sleep(1_000);
      const errors = service.running
        .output()
        .split('\n')
        .filter((line) => line.includes('"level":"error"'));
      assert.deepEqual(errors, [], 'a caller who goes away is no error of ours');
      assert.equal((await call(`${api}/readyz`)).status, 200);
      const [orphans] = await service.look((db) =>
        db.query(`select count(*) as n, count(distinct document_id) as documents from worker.contents c
                  where not exists (select 1 from worker.documents d where d.id = c.document_id)`),
      );
      assert.deepEqual(orphans, { n: 0, documents: 0 });
    });
  });
}
