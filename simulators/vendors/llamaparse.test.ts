/** LlamaParse by its own client, over a real socket. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import LlamaCloud from '@llamaindex/llama-cloud';
import PDFDocument from 'pdfkit';
import { systemClock } from '#kernel/clock.ts';
import { milliseconds } from '#kernel/units.ts';
import { instantParser, simulatorsFor } from '#simulators/harness.ts';
import { jobSchema, resultSchema } from '#worker/vendors/llamaparse.ts';
import type { Parser } from './llamaparse-run.ts';

const clientOf = (url: string, apiKey = 'llx-test') =>
  new LlamaCloud({ apiKey, baseURL: `${url}/llamaparse`, maxRetries: 0, timeout: 5000 });
const file = (content: string | Uint8Array<ArrayBuffer>, name = 'note.txt') => new File([content], name);
const setFaults = async (url: string, vendor: string, plan: object) => {
  const answer = await fetch(`${url}/faults/${vendor}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(plan),
  });
  assert.equal(answer.status, 200);
};
const statsOf = async (url: string) => (await (await fetch(`${url}/stats`)).json()) as Record<string, never>;

/** Polls as a worker would, but faster. */
async function finished(client: LlamaCloud, id: string) {
  for (let i = 0; i < 500; i++) {
    const got = await client.parsing.get(id, { expand: ['markdown', 'usage'] });
    if (got.job.status !== 'PENDING' && got.job.status !== 'RUNNING') return got;
    await systemClock.sleep(milliseconds(5));
  }
  return assert.fail('the job does not end');
}
const until = async (happened: () => boolean) => {
  for (let i = 0; i < 500 && !happened(); i++) await systemClock.sleep(milliseconds(5));
  assert(happened(), 'it did not happen within 2.5 s');
};

/** A parser that waits to be let go. */
function heldParser(): { parser: Parser; release(): void; started(): number } {
  const gate = Promise.withResolvers<void>();
  let started = 0;
  return {
    parser: async (given) => {
      started++;
      const gone = new Promise<never>((_, fail) =>
        given.signal.addEventListener('abort', () => fail(given.signal.reason)),
      );
      await Promise.race([gate.promise, gone]);
      return await instantParser(given);
    },
    release: gate.resolve,
    started: () => started,
  };
}

async function pdf(text: string, options: PDFKit.PDFDocumentOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const document = new PDFDocument(options);
  const pieces: Buffer[] = [];
  document.on('data', (piece: Buffer) => pieces.push(piece));
  const done = new Promise((resolve) => document.on('end', resolve));
  if (text !== '') document.text(text).addPage().text('The second page');
  document.end();
  await done;
  return Uint8Array.from(Buffer.concat(pieces));
}

test('LlamaParse takes an upload of its own client and gives its Markdown', async (t) => {
  const { url } = await simulatorsFor(t);
  const client = clientOf(url);
  const job = await client.parsing.create({
    upload_file: file('# Title\n\nBody'),
    tier: 'agentic',
    version: 'latest',
    user_metadata: { document: '7' },
  });
  assert.match(job.id, /^pjb-/);
  assert.deepEqual([job.status, job.name, job.tier], ['PENDING', 'note.txt', 'agentic']);
  const got = await finished(client, job.id);
  assert.deepEqual(got.markdown?.pages, [{ success: true, page_number: 1, markdown: '# Title\n\nBody' }]);
  assert.deepEqual(
    [got.job.status, got.job.usage, got.job.user_metadata],
    ['COMPLETED', { credits: 10 }, { document: '7' }],
  );
  const bare = await client.parsing.get(job.id);
  assert.deepEqual([bare.markdown, bare.job.usage], [undefined, undefined]);
  const full = await client.parsing.get(job.id, { expand: ['text', 'markdown_full'] });
  assert.deepEqual([full.text?.pages[0]?.text, full.markdown_full], ['# Title\n\nBody', '# Title\n\nBody']);
});

test('LlamaParse speaks the wire that the worker’s adapter relies on, and nonsense does not', async (t) => {
  const held = heldParser();
  const { url } = await simulatorsFor(t, { parser: held.parser });
  const client = clientOf(url);
  const upload = () => client.parsing.create({ upload_file: file('x'), tier: 'fast', version: 'latest' });
  const look = (id: string) => client.parsing.get(id, { expand: ['markdown', 'usage'] });
  const job = await upload();
  assert.equal(jobSchema.parse(job).status, 'PENDING');
  assert.equal(resultSchema.parse(await look(job.id)).markdown, null);
  held.release();
  assert.equal(resultSchema.parse(await finished(client, job.id)).job.usage?.credits, 1);
  for (const garble of ['html', 'shape']) {
    await setFaults(url, 'llamaparse', { garble });
    assert.equal(jobSchema.safeParse(await upload()).success, false, garble);
    assert.equal(resultSchema.safeParse(await look(job.id)).success, false, garble);
  }
  await setFaults(url, 'llamaparse', { garble: 'truncated' });
  await assert.rejects(upload(), SyntaxError);
});

test('LlamaParse reads documents by the local parsers', async (t) => {
  const { url } = await simulatorsFor(t, { parser: undefined });
  const client = clientOf(url);
  const whole = await pdf('The error budget is two percent');
  const cases: readonly [name: string, bytes: Uint8Array<ArrayBuffer>, status: string, says: RegExp][] = [
    ['whole.pdf', whole, 'COMPLETED', /The error budget is two percent/],
    ['locked.pdf', await pdf('Secret', { userPassword: 'x' }), 'FAILED', /^PDF_IS_PROTECTED/],
    ['cut.pdf', whole.slice(0, 60), 'FAILED', /^PDF_IS_BROKEN/],
    ['key.p7s', Uint8Array.from([0x30, 0x82, 0, 1, 2, 3, 0xff, 0xfe]), 'FAILED', /^UNSUPPORTED_FILE_TYPE/],
    ['scan.pdf', await pdf(''), 'COMPLETED', /^$/],
  ];
  for (const [name, bytes, status, says] of cases) {
    const { id } = await client.parsing.create({
      upload_file: file(bytes, name),
      tier: 'cost_effective',
      version: 'latest',
    });
    const got = await finished(client, id);
    const page = got.markdown?.pages[0];
    assert.equal(got.job.status, status, name);
    assert.match(got.job.error_message ?? (page?.success ? page.markdown : ''), says, name);
    if (name === 'whole.pdf') assert.deepEqual(got.job.usage, { credits: 6 });
  }
});

test('LlamaParse refuses what the vendor refuses', async (t) => {
  const { url } = await simulatorsFor(t);
  const client = clientOf(url);
  const create = (more: object) =>
    client.parsing.create({ upload_file: file('x'), tier: 'fast', version: 'latest', ...more });
  await assert.rejects(create({ tier: 'golden' }), { status: 422 });
  await assert.rejects(create({ version: undefined }), { status: 422 });
  await assert.rejects(create({ upload_file: file('') }), { status: 400 });
  await assert.rejects(client.parsing.create({ source_url: 'http://x', tier: 'fast', version: 'latest' }), {
    status: 422,
  });
  await assert.rejects(client.parsing.get('pjb-00000000-0000-7000-8000-000000000000'), { status: 404 });
  await assert.rejects(client.parsing.cancel('nobody'), { status: 404 });
  const cut = await fetch(`${url}/llamaparse/api/v2/parse/upload`, {
    method: 'POST',
    headers: { authorization: 'Bearer x', 'content-type': 'multipart/form-data; boundary=x' },
    body: '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
  });
  assert.equal(cut.status, 400);
  const bare = await fetch(`${url}/llamaparse/api/v2/parse/upload`, { method: 'POST' });
  assert.deepEqual([bare.status, await bare.json()], [401, { detail: 'Invalid API Key' }]);
});

test('LlamaParse lists, cancels and deletes jobs', async (t) => {
  const held = heldParser();
  const { url } = await simulatorsFor(t, { parser: held.parser });
  const client = clientOf(url);
  const jobs = [];
  for (const name of ['a', 'b', 'c']) {
    jobs.push(await client.parsing.create({ upload_file: file(name, name), tier: 'fast', version: 'latest' }));
  }
  const [a, b, c] = jobs;
  assert(a && b && c);
  await until(() => held.started() === 2);
  assert.equal((await client.parsing.cancel(b.id)).status, 'CANCELLED');
  await assert.rejects(client.parsing.cancel(b.id), { status: 409 });
  await assert.rejects(client.parsing.delete(c.id), { status: 409 });
  held.release();
  await finished(client, c.id);
  const seen = [];
  for await (const job of client.parsing.list({ page_size: 1 })) seen.push(`${job.name} ${job.status}`);
  assert.deepEqual(seen, ['c COMPLETED', 'b CANCELLED', 'a COMPLETED']);
  assert.deepEqual(await client.parsing.delete(b.id), { id: b.id, project_id: b.project_id });
  await assert.rejects(client.parsing.get(b.id), { status: 404 });
  const left = await client.parsing.list({ status: 'CANCELLED' });
  assert.deepEqual(left.items, []);
});

test('LlamaParse still knows its jobs after a restart, and ends the unfinished ones', async (t) => {
  const held = heldParser();
  const first = await simulatorsFor(t, { parser: held.parser });
  const done = await clientOf(first.url).parsing.create({ upload_file: file('done'), tier: 'fast', version: 'latest' });
  held.release();
  await finished(clientOf(first.url), done.id);
  const stuck = heldParser();
  await first.close();
  const second = await simulatorsFor(t, { parser: stuck.parser, folder: first.folder });
  const open = await clientOf(second.url).parsing.create({
    upload_file: file('open'),
    tier: 'fast',
    version: 'latest',
  });
  await until(() => stuck.started() === 1);
  await second.close();
  const third = await simulatorsFor(t, { folder: first.folder });
  const client = clientOf(third.url);
  const page = (await finished(client, open.id)).markdown?.pages[0];
  assert.equal(page?.success && page.markdown, 'open');
  assert.equal((await finished(client, done.id)).job.status, 'COMPLETED');
});

test('LlamaParse closes though its parser is deaf', async (t) => {
  const simulators = await simulatorsFor(t, { parser: () => new Promise(() => {}) });
  const client = clientOf(simulators.url);
  for (const name of ['a', 'b', 'c']) {
    await client.parsing.create({ upload_file: file(name), tier: 'fast', version: 'latest' });
  }
  const began = systemClock.steady();
  await simulators.close();
  assert(systemClock.steady() - began < 2000);
});

test('LlamaParse runs out of credits', async (t) => {
  const { url } = await simulatorsFor(t);
  const client = clientOf(url);
  await setFaults(url, 'llamaparse', { credits: 10 });
  const { id } = await client.parsing.create({ upload_file: file('x'), tier: 'agentic', version: 'latest' });
  await finished(client, id);
  await assert.rejects(client.parsing.create({ upload_file: file('x'), tier: 'fast', version: 'latest' }), {
    status: 402,
  });
});

test('LlamaParse does the work of an upload whose answer it drops, and counts it by document', async (t) => {
  const { url } = await simulatorsFor(t);
  const client = clientOf(url);
  await setFaults(url, 'llamaparse', { dropAfterAccept: true, operation: 'upload', times: 1 });
  const upload = () => client.parsing.create({ upload_file: file('twice'), tier: 'fast', version: 'latest' });
  await assert.rejects(upload(), { name: 'Error' });
  await finished(client, (await upload()).id);
  const { llamaparse, vendors } = (await statsOf(url)) as never as {
    llamaparse: { uploads: number; uploadsBySha256: Record<string, number> };
    vendors: { llamaparse: { operations: { upload: object } } };
  };
  assert.deepEqual([llamaparse.uploads, Object.values(llamaparse.uploadsBySha256)], [2, [2]]);
  assert.deepEqual(vendors.llamaparse.operations.upload, { fault_drop: 1, answered: 1 });
  const { items } = await client.parsing.list();
  assert.equal(items.length, 2);
});

test('LlamaParse asks to come back later', async (t) => {
  const { url } = await simulatorsFor(t);
  await setFaults(url, 'llamaparse', { status: 429, retryAfterSeconds: 3 });
  const refused = clientOf(url).parsing.create({ upload_file: file('x'), tier: 'fast', version: 'latest' });
  await assert.rejects(refused, (error: { status: number; headers: Headers }) => {
    assert.deepEqual([error.status, error.headers.get('retry-after')], [429, '3']);
    return true;
  });
});

test('LlamaParse fails a job whose parser falls over, and goes on', async (t) => {
  let calls = 0;
  const parser: Parser = async (given) => {
    if (calls++ === 0) throw new Error('the child died');
    return await instantParser(given);
  };
  const { url } = await simulatorsFor(t, { parser });
  const client = clientOf(url);
  const upload = async () =>
    await finished(
      client,
      (await client.parsing.create({ upload_file: file('x'), tier: 'fast', version: 'latest' })).id,
    );
  assert.match((await upload()).job.error_message ?? '', /^ERROR_DURING_PROCESSING/);
  assert.equal((await upload()).job.status, 'COMPLETED');
});

test('LlamaParse tells webhooks, signed', async (t) => {
  const heard: { body: string; signature: string | undefined; own: string | undefined }[] = [];
  let refusals = 1;
  const receiver = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { 'lc-signature': signature, 'x-own': own } = request.headers as Record<string, string>;
      if (refusals-- > 0) return response.writeHead(503).end();
      heard.push({ body: Buffer.concat(pieces).toString(), signature, own });
      response.end();
    });
  });
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
  t.after(() => receiver.close());
  const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const { url } = await simulatorsFor(t);
  const { id } = await clientOf(url).parsing.create({
    upload_file: file('x'),
    tier: 'fast',
    version: 'latest',
    webhook_configurations: [
      {
        webhook_url: hook,
        webhook_events: ['parse.success'],
        webhook_output_format: 'json',
        webhook_signing_secret: 's',
        webhook_headers: { 'x-own': 'mine' },
      },
    ],
  });
  await until(() => heard.length === 1);
  const [first] = heard;
  assert(first);
  assert.equal(first.signature, `sha256=${createHmac('sha256', 's').update(first.body).digest('hex')}`);
  assert.equal(first.own, 'mine');
  const { event_type, data } = JSON.parse(first.body) as { event_type: string; data: { id: string; status: string } };
  assert.deepEqual([event_type, data.id, data.status], ['parse.success', id, 'COMPLETED']);
});
