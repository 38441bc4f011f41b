import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { systemClock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { type Bytes, mebibytes, milliseconds } from '#kernel/units.ts';
import { makeDocx } from '#samples/make-docx.ts';
import { unzip, zip } from '#samples/zip.ts';
import { CHILD_BASE, CHILD_FILE, childArguments, childSettings } from './child-protocol.ts';
import { type IsolatedParser, type IsolationLimits, makeIsolatedParser } from './isolated.ts';
import type { LocalParse } from './outcome.ts';
import { CATALOG, pageOf, pdfOf, stream } from './pdf-kit.ts';

const LIMITS = { time: milliseconds(20_000), memory: mebibytes(384), concurrency: 1, output: mebibytes(4) };
const parserWith = (limits: Partial<IsolationLimits> = {}) =>
  makeIsolatedParser({ clock: systemClock, limits: { ...LIMITS, ...limits } });
const never = new AbortController().signal;
const text = (words: string) => Buffer.from(words);
const hello = (parser: IsolatedParser, signal = never) => parser.parse(text('hello'), 'text', signal);
const HELLO: LocalParse = { kind: 'parsed', pages: ['hello'] };
const rejectsWith = (work: Promise<unknown>, code: string) =>
  assert.rejects(work, (error: Fault) => error instanceof Fault && error.code === code && error.retryable);
const linux = { skip: existsSync('/proc/self/task') ? false : 'needs /proc' };

/** Parser children of a process, by its threads, as the kernel counts them. */
function childrenOf(pid: number | 'self'): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ids = tasks.flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '));
  return ids.filter((id) => id.trim() !== '' && commandOf(id).includes(CHILD_FILE)).map(Number);
}
function commandOf(pid: string | number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
async function until(what: () => boolean, limit: number): Promise<number> {
  const started = performance.now();
  while (!what() && performance.now() - started < limit) await sleep(10);
  return performance.now() - started;
}

/** A second's work for mammoth, most of it without a pause in which a timer could fire. */
async function slowDocx(paragraphs = 4000): Promise<Buffer> {
  const parts = unzip(await makeDocx([['text', 'slow words']]));
  return zip(
    parts.map(({ name, content }) => {
      if (name !== 'word/document.xml') return { name, content };
      const [paragraph = ''] = /<w:p>.*?<\/w:p>/.exec(content.toString()) ?? [];
      return { name, content: content.toString().replace(paragraph, paragraph.repeat(paragraphs)) };
    }),
  );
}
const slow = await slowDocx();
const slower = await slowDocx(12_000);

test('parse() answers as parseLocally() does, and keeps its child for the next document', linux, async () => {
  await using parser = parserWith();
  assert.deepEqual(await hello(parser), HELLO);
  const first = childrenOf('self');
  assert.equal(first.length, 1);
  assert.equal((await parser.parse(text(''), 'pdf', never)).kind, 'rejected');
  assert.deepEqual(await parser.parse(pageOf('BT /F 12 Tf 9 9 Td (pdf) Tj ET'), 'pdf', never), {
    kind: 'parsed',
    pages: ['pdf'],
  });
  assert.deepEqual(childrenOf('self'), first);
});

test('parse() replaces a child after two hundred documents', linux, async () => {
  await using parser = parserWith();
  await hello(parser);
  const first = childrenOf('self');
  for (let i = 2; i <= 199; i++) await hello(parser);
  assert.deepEqual(childrenOf('self'), first);
  await hello(parser);
  await hello(parser);
  await until(() => childrenOf('self').length === 1, 1000);
  assert.notDeepEqual(childrenOf('self'), first);
});

test('parse() starts no more children than places', linux, async () => {
  await using parser = parserWith({ concurrency: 2 });
  let most = 0;
  const documents = [
    await slowDocx(300),
    await slowDocx(301),
    ...Array.from({ length: 6 }, () => slow.subarray(0, 99)),
  ];
  await Promise.all(
    documents.map(async (bytes) => {
      await parser.parse(bytes, 'docx', never);
      most = Math.max(most, childrenOf('self').length);
    }),
  );
  assert.equal(most, 2);
});

test('parse() gives the places in the order of asking', async () => {
  await using parser = parserWith();
  const order: number[] = [];
  await Promise.all([1, 2, 3, 4, 5].map(async (i) => (await hello(parser)) && order.push(i)));
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
});

test('parse() ends a document that takes longer than its time', async () => {
  await using patient = parserWith();
  assert.equal((await patient.parse(slow, 'docx', never)).kind, 'parsed');
  await using hasty = parserWith({ time: milliseconds(500) });
  const started = performance.now();
  await rejectsWith(hasty.parse(slower, 'docx', never), 'parser_timeout');
  assert(performance.now() - started < 3000);
  assert.deepEqual(await hello(hasty), HELLO);
});

test('parse() stops at its signal with the reason, and leaves no child behind', linux, async () => {
  await using parser = parserWith();
  const stop = new AbortController();
  const work = parser.parse(slow, 'docx', stop.signal);
  await until(() => childrenOf('self').length === 1, 5000);
  stop.abort(new Error('shutting down'));
  await assert.rejects(work, /shutting down/);
  await until(() => childrenOf('self').length === 0, 1000);
  assert.deepEqual(childrenOf('self'), []);
  await assert.rejects(hello(parser, stop.signal), /shutting down/);
  assert.deepEqual(await hello(parser), HELLO);
});

test('parse() stops at its signal while it waits for a place', async () => {
  await using parser = parserWith();
  const stop = new AbortController();
  const first = parser.parse(slow, 'docx', never);
  const second = hello(parser, stop.signal);
  const third = hello(parser);
  stop.abort(new Error('changed my mind'));
  await assert.rejects(second, /changed my mind/);
  assert.equal((await first).kind, 'parsed');
  assert.deepEqual(await third, HELLO);
});

const packed = (content: string) => stream(deflateSync(content, { level: 9 }), '/Filter /FlateDecode');
const lying = (size: number) =>
  zip([
    {
      name: '[Content_Types].xml',
      content: '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    },
    { name: 'word/document.xml', content: `<a>${'<b/>'.repeat(size / 4)}</a>`, claimedSize: 10, deflate: true },
  ]);
const greedy: readonly [title: string, bytes: Buffer, format: 'pdf' | 'docx'][] = [
  [
    'a PDF whose page unpacks to 70 MB',
    pdfOf([
      CATALOG,
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>',
      packed('BT /F 12 Tf 10 10 Td (hello) Tj ET\n'.repeat(2_000_000)),
      '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ]),
    'pdf',
  ],
  ['a docx that says it is small and is not', lying(120_000_000), 'docx'],
];
for (const [title, bytes, format] of greedy) {
  test(`parse() ends ${title}, and this process does not grow`, async () => {
    await using parser = parserWith({ memory: mebibytes(192) });
    const before = process.memoryUsage().rss;
    await rejectsWith(parser.parse(bytes, format, never), 'parser_memory');
    assert(process.memoryUsage().rss - before < 64 * 1024 * 1024);
    assert.deepEqual(await hello(parser), HELLO);
  });
}

const forms = (...contents: string[]) =>
  contents.map((content, i) =>
    stream(
      content,
      `/Type /XObject /Subtype /Form /BBox [0 0 99 99] /Resources << /XObject << /X ${7 + i} 0 R /Y 6 0 R >> >>`,
    ),
  );
/** Written by hand: nobody's library would. */
function deepDocx(depth: number): Buffer {
  const parts = unzip(slow).map(({ name, content }) => {
    const [open, close] = ['<w:tbl><w:tr><w:tc>', '</w:tc></w:tr></w:tbl>'].map((tags) => tags.repeat(depth));
    const body = `<w:body>${open}<w:p/>${close}</w:body>`;
    const deep = content.toString().replace(/<w:body>[\s\S]*<\/w:body>/, body);
    return { name, content: name === 'word/document.xml' ? deep : content };
  });
  return zip(parts);
}

const hostile: readonly [title: string, bytes: Buffer, format: 'pdf' | 'docx' | 'html', want: RegExp][] = [
  [
    'a docx that unpacks to a gigabyte',
    zip([{ name: 'word/document.xml', content: Buffer.alloc(1 << 20), claimedSize: 1 << 30, deflate: true }]),
    'docx',
    /^too_large$/,
  ],
  ['a docx of tables nested twenty thousand deep', deepDocx(20_000), 'docx', /^(?:damaged|no_text)$/],
  ['a page nested a million deep', text(`${'<div>'.repeat(1_000_000)}x`), 'html', /^parsed$/],
  ['tables nested a hundred thousand deep', text(`${'<table><tr><td>'.repeat(100_000)}x`), 'html', /^parsed$/],
  [
    'a PDF of a thousand million pages',
    Buffer.from(pageOf('').toString('latin1').replace('/Count 1', '/Count 1000000000')),
    'pdf',
    /^no_text$/,
  ],
  [
    'a PDF whose pages contain themselves',
    pdfOf([CATALOG, '<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>']),
    'pdf',
    /^damaged$/,
  ],
  [
    'a PDF whose forms contain each other',
    pageOf('/X Do', '<< >>', forms('/X Do /Y Do', '/Y Do /X Do')),
    'pdf',
    /^no_text$/,
  ],
  ['a PDF of deep brackets', pdfOf([CATALOG, '['.repeat(200_000)]), 'pdf', /^damaged$/],
  [
    'a PDF whose length is itself',
    pdfOf([
      CATALOG,
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      '<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>',
      '<< /Length 4 0 R >>\nstream\nx\nendstream',
    ]),
    'pdf',
    /^(?:no_text|damaged)$/,
  ],
];
test('parse() survives hostile documents, one after the other in the same child', linux, async (t) => {
  await using parser = parserWith();
  await hello(parser);
  const first = childrenOf('self');
  for (const [title, bytes, format, want] of hostile) {
    await t.test(title, async () => {
      const found = await parser.parse(bytes, format, never);
      assert.match(found.kind === 'parsed' ? 'parsed' : found.code, want);
    });
  }
  assert.deepEqual(await hello(parser), HELLO);
  assert.deepEqual(childrenOf('self'), first);
});

test('parse() reports a child that somebody else killed, busy or idle, and starts another one', linux, async () => {
  await using parser = parserWith();
  const kill = () => childrenOf('self').map((pid) => process.kill(pid, 'SIGKILL'));
  const work = parser.parse(slow, 'docx', never);
  await until(() => childrenOf('self').length === 1, 5000);
  await sleep(300);
  kill();
  await rejectsWith(work, 'parser_died');
  assert.deepEqual(await hello(parser), HELLO);
  kill();
  await until(() => childrenOf('self').length === 0, 1000);
  await sleep(50); // until this process has heard of it too
  const started = performance.now();
  assert.deepEqual(await hello(parser), HELLO);
  assert(performance.now() - started > 440, 'a respawn waits half a second');
});

test("a child leaves a terminal's signals to its parent", linux, async () => {
  await using parser = parserWith();
  await hello(parser);
  const first = childrenOf('self');
  for (const signal of ['SIGINT', 'SIGHUP'] as const) for (const pid of first) process.kill(pid, signal);
  await sleep(100);
  assert.deepEqual(await hello(parser), HELLO);
  assert.deepEqual(childrenOf('self'), first);
});

test('close() ends the children, and what they were doing', linux, async () => {
  const parser = parserWith({ concurrency: 2 });
  await hello(parser);
  const work = parser.parse(slow, 'docx', never);
  await sleep(50);
  await Promise.all([rejectsWith(work, 'parser_died'), parser.close()]);
  assert.deepEqual(childrenOf('self'), []);
  await rejectsWith(hello(parser), 'parser_died');
  await parser.close();
});

test('the output limit is passed on', async () => {
  await using parser = parserWith({ output: 5 as Bytes });
  assert.deepEqual(await hello(parser), HELLO);
  const refused = await parser.parse(text('hello!'), 'text', never);
  assert.equal(refused.kind === 'rejected' && refused.code, 'too_large');
});

test('makeIsolatedParser() refuses limits under which nothing could be parsed', () => {
  const least = CHILD_BASE + mebibytes(64);
  parserWith({ memory: least as Bytes });
  assert.throws(() => parserWith({ memory: (least - 1) as Bytes }), /memory must be at least/);
  for (const name of ['time', 'concurrency', 'output'] as const)
    assert.throws(() => parserWith({ [name]: 0 }), new RegExp(name));
});

test('a child knows no secret of this process', linux, async () => {
  process.env['PARSER_TEST_SECRET'] = 'hunter2';
  await using parser = parserWith();
  await hello(parser);
  const [pid] = childrenOf('self');
  assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), /hunter2|PATH|HOME/);
  assert.equal(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim(), '1000');
});

const forbidden: readonly [title: string, code: string][] = [
  ['read what is not the program', "require('fs').readFileSync('/etc/hosts')"],
  [
    'read the data beside it',
    `require('fs').readdirSync(${JSON.stringify(fileURLToPath(new URL('../../', import.meta.url)))})`,
  ],
  ['write', "require('fs').writeFileSync('/tmp/x', 'x')"],
  ['start a process', "require('child_process').execFileSync('true')"],
  [
    'run text as code',
    "try { eval('1') } catch (e) { if (e instanceof EvalError) throw Object.assign(e, { code: 'ERR_ACCESS_DENIED' }) }",
  ],
];
for (const [title, code] of forbidden) {
  test(`a child may not ${title}`, () => {
    const { execArgv } = childArguments(childSettings(LIMITS.memory));
    const run = (program: string) =>
      spawnSync(process.execPath, [...execArgv, '-e', program], { encoding: 'utf8', env: {} });
    assert.match(run(code).stderr, /ERR_ACCESS_DENIED/);
    assert.equal(run('process.exit(7)').status, 7);
  });
}

const orphanMaker = `
  import { systemClock } from '#kernel/clock.ts';
  import { makeIsolatedParser } from '#worker/parsers/isolated.ts';
  const parser = makeIsolatedParser({ clock: systemClock, limits: ${JSON.stringify({ ...LIMITS, concurrency: 2 })} });
  const never = new AbortController().signal;
  await parser.parse(Buffer.from('hello'), 'text', never);
  void parser.parse(Buffer.from(${JSON.stringify(slower.toString('base64'))}, 'base64'), 'docx', never);
  setTimeout(() => process.stdout.write('busy'), 400);
`;
test('a child ends within a second of its parent, however busy it is', linux, async () => {
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  parent.stdin.end(orphanMaker);
  await new Promise((resolve) => parent.stdout.once('data', resolve));
  const pids = childrenOf(parent.pid ?? 0);
  assert.equal(pids.length, 1);
  parent.kill('SIGKILL');
  const took = await until(() => pids.every((pid) => commandOf(pid) === ''), 5000);
  assert(took < 1000, `${took} ms`);
});
