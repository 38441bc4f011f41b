/** The page and its files, from a real folder over real sockets. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type ConsoleWish, type ServedConsole, say, serveConsole } from '#test/kit/console.ts';
import { openEngine } from '#test/kit/database.ts';
import { exchange, open } from '#test/kit/raw.ts';
import { wantedEncoding } from './pages.ts';

const SCRIPT = `console.log(${JSON.stringify('burn '.repeat(2_000))})`;
const folders: string[] = [];
const servers: ServedConsole[] = [];

/** As Vite leaves it. */
function build(dist: string, mark: string): void {
  mkdirSync(join(dist, 'assets'), { recursive: true });
  writeFileSync(join(dist, 'assets', 'index-abc123.js'), SCRIPT);
  writeFileSync(join(dist, 'assets', 'tiny-abc123.css'), 'a{}');
  writeFileSync(join(dist, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  for (const at of [dist, join(dist, 'assets')]) writeFileSync(join(at, 'secrets.env'), 'KEY=x');
  writeFileSync(join(dist, 'index.html'), `<!doctype html><html><head lang="en"><title>${mark}</title></head></html>`);
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'burnline-dist-'));
  folders.push(folder);
  return join(folder, 'dist');
}

async function serve(dist: string, wish: ConsoleWish = {}): Promise<string> {
  const server = await serveConsole(await openEngine('PGlite'), { ...wish, more: { dist } });
  servers.push(server);
  return server.url;
}

let url = '';
before(async () => {
  const dist = emptyFolder();
  build(dist, 'first');
  url = await serve(dist);
});
after(async () => {
  for (const server of servers) await server.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";
const ADDRESSES = [
  '/',
  '/incidents',
  '/incidents/12',
  '/objectives',
  '/objectives/documents-processed',
  '/objectives/a/b%2Fc',
  '/documents',
  '/documents/0190d5a0-0000-7000-8000-000000000000',
  '/silences',
  '/alerts?filter=a',
  '/oncall',
  '/notifications',
  '/simulators',
  '/audit',
  '/sign-in',
];

for (const path of ADDRESSES) {
  test(`${path} is the page, for anybody, with nothing in it that a policy would have to allow`, async () => {
    const answer = await say('GET', `${url}${path}`);
    assert.equal(answer.status, 200);
    assert.match(answer.text, /^<!doctype html><html><head lang="en"><base href="\/"><title>first/);
    assert.equal(answer.headers['content-security-policy'], POLICY);
    assert.equal(answer.headers['cache-control'], 'no-cache');
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.headers['x-frame-options'], 'DENY');
    assert.equal(answer.headers['referrer-policy'], 'same-origin');
    assert.equal(answer.headers['set-cookie'], undefined);
    const head = await say('HEAD', `${url}${path}`);
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal(head.headers['content-length'], String(Buffer.byteLength(answer.text)));
  });
}

test('what is no address of a page stays an error in words, and a page takes nothing', async () => {
  for (const path of [
    '/nothing',
    '/incidents/1/2/3',
    '/index.html',
    '/dist/index.html',
    '/api/v1/nothing',
    '/assets',
  ]) {
    const answer = await say('GET', `${url}${path}`);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.body['code'], 'not_found');
  }
  assert.equal((await say('POST', `${url}/incidents`)).status, 405);
  assert.equal((await say('PUT', `${url}/objectives/a/b`)).status, 405);
});

test('a file with a hash in its name is kept for ever, in the form that is wanted', async () => {
  const path = `${url}/assets/index-abc123.js`;
  const forms: readonly [accept: string | undefined, encoding: string | undefined, read: (b: Buffer) => Buffer][] = [
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
    ['identity', undefined, (body) => body],
    [undefined, undefined, (body) => body],
  ];
  for (const [accept, encoding, read] of forms) {
    const answer = await fetchRaw(path, accept);
    assert.equal(answer.headers['content-encoding'], encoding, accept);
    assert.equal(read(answer.bytes).toString(), SCRIPT);
    assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(answer.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(answer.headers['vary'], 'accept-encoding');
    if (encoding !== undefined) assert(answer.bytes.length < SCRIPT.length / 10);
  }
  const { headers } = await say('HEAD', path);
  const again = await say('GET', path, { 'if-none-match': headers['etag'] });
  assert.deepEqual([again.status, again.text], [304, '']);
  const tiny = await say('GET', `${url}/assets/tiny-abc123.css`, { 'accept-encoding': 'br' });
  assert.deepEqual([tiny.headers['content-encoding'], tiny.text], [undefined, 'a{}'], 'it would not become smaller');
});

test('a file whose name does not change is asked for each time', async () => {
  const icon = await say('GET', `${url}/icon.svg`);
  assert.deepEqual([icon.status, icon.headers['cache-control']], [200, 'no-cache']);
  assert.equal(icon.headers['content-type'], 'image/svg+xml');
  assert.equal((await say('GET', `${url}/manifest.webmanifest`)).status, 404);
});

test('no path leads out of the build, or to what is no file of a page', async () => {
  for (const path of [
    '/assets/../index.html',
    '/assets/../../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets/....//package.json',
    '/assets//etc/passwd',
    '/assets/%00',
    '/assets/..\\..\\package.json',
    '/assets/../secrets.env',
    '/secrets.env',
    '/assets/secrets.env',
    '/assets/constructor',
    '/assets/__proto__',
    '/assets/',
  ]) {
    const answer = await exchange(url, [`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`]);
    assert(answer !== undefined && (answer.status === 404 || answer.status === 400), `${path}: ${answer?.status}`);
    assert.match(answer.headers['content-type'] ?? '', /problem\+json/);
  }
});

test('under a prefix all of it is there, and its links lead there', async () => {
  const dist = emptyFolder();
  build(dist, 'prefixed');
  const under = await serve(dist, { prefix: '/am/x' });
  for (const path of ['', '/', '/incidents/1', '/objectives/a']) {
    const answer = await say('GET', `${under}${path}`);
    assert.equal(answer.status, 200, path);
    assert(answer.text.includes('<base href="/am/x/">'));
  }
  assert.equal((await say('GET', `${under}/assets/index-abc123.js`)).status, 200);
  assert.equal((await say('GET', `${new URL(under).origin}/incidents`)).status, 404);
});

test('a page that nobody has built says how it is built, is there as soon as it is, and is another after the next build', async () => {
  const dist = emptyFolder();
  const fresh = await serve(dist);
  const missing = await say('GET', `${fresh}/incidents`);
  assert.equal(missing.status, 503);
  assert.match(missing.text, /npm run build/);
  assert.match(missing.headers['content-type'] ?? '', /^text\/html/);
  assert.match(String(missing.headers['content-security-policy']), /default-src 'none'/);
  assert.equal((await say('GET', `${fresh}/assets/index-abc123.js`)).status, 404);
  build(dist, 'built');
  assert.match((await say('GET', `${fresh}/incidents`)).text, /<title>built/);
  const next = emptyFolder();
  build(next, 'again');
  writeFileSync(join(next, 'assets', 'index-def456.js'), 'later()');
  rmSync(dist, { recursive: true });
  cpSync(next, dist, { recursive: true });
  utimesSync(join(dist, 'index.html'), new Date(), new Date(Date.now() + 5_000));
  assert.match((await say('GET', `${fresh}/incidents`)).text, /<title>again/);
  assert.equal((await say('GET', `${fresh}/assets/index-def456.js`)).text, 'later()');
});

for (const [accepted, wanted] of [
  [undefined, undefined],
  ['', undefined],
  ['*', undefined],
  ['BR', 'br'],
  ['gzip;q=0, br;q=0.000', undefined],
  ['x-gzip', undefined],
  ['brotli, abr', undefined],
  [' gzip ; q=1', 'gzip'],
] as const) {
  test(`wantedEncoding(${JSON.stringify(accepted)}) is ${wanted}`, () =>
    assert.equal(wantedEncoding(accepted), wanted));
}

async function fetchRaw(path: string, accept: string | undefined) {
  const lines = ['connection: close', ...(accept === undefined ? [] : [`accept-encoding: ${accept}`])];
  const { pathname } = new URL(path);
  const answer = await rawBytes(path, `GET ${pathname} HTTP/1.1\r\nhost: x\r\n${lines.join('\r\n')}\r\n\r\n`);
  const end = answer.indexOf('\r\n\r\n');
  const [, ...head] = answer.subarray(0, end).toString().split('\r\n');
  const headers = Object.fromEntries(
    head.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  return { headers, bytes: answer.subarray(end + 4) };
}

async function rawBytes(at: string, text: string): Promise<Buffer> {
  await using line = await open(at);
  line.socket.write(text);
  return Buffer.from(await line.whole(), 'latin1');
}
