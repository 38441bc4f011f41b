/** What can be seen of a target without a document: health, contract, instruments, headers, refusals, the limit of the rate. */
import { parseRetryAfter } from '#kernel/retry.ts';
import { milliseconds } from '#kernel/units.ts';
import { contractFacts } from './contract.ts';
import type { Fact } from './facts.ts';
import { type Book, type Check, field, formAsk, JSON_TYPE, type Visit, word } from './visit.ts';
import type { Ask, Said } from './wire.ts';

export const health: Check = async ({ ask }, book) => {
  const [alive, ready] = [await ask({ path: '/healthz' }), await ask({ path: '/readyz' })];
  book.fact('alive', alive.status);
  book.fact('alive/status', word(field(alive, 'status')));
  book.fact('ready', ready.status);
  book.fact('ready/status', word(field(ready, 'status')));
  book.fact('ready/database', word(field(ready, 'database')));
  // Whether a vendor answers just now is no behaviour of the target.
  const vendors = field(ready, 'vendors');
  if (typeof vendors === 'object' && vendors !== null) book.note(`vendors: ${JSON.stringify(vendors)}`);
};

export const contract: Check = async ({ ask }, book) => {
  const said = await ask({ path: '/openapi.json' });
  book.fact('served', said.status);
  const facts = contractFacts(said.json);
  if (facts === undefined) book.fact('openapi', 'no OpenAPI document');
  else for (const [name, value] of Object.entries(facts)) book.fact(name.slice('contract/'.length), value);
};

/** By which objectives, rules and dashboards work: docs/telemetry.md. */
const INSTRUMENTS = [
  'documents_finished_total',
  'document_processing_duration_seconds',
  'document_step_attempts_total',
  'document_step_duration_seconds',
  'documents_unfinished',
  'document_oldest_unfinished_age_seconds',
  'vendor_request_duration_seconds',
  'document_cost_usd_total',
  'worker_last_seen_timestamp_seconds',
  'http_server_request_duration_seconds',
  'db_client_operation_duration_seconds',
];

export const metrics: Check = async ({ ask, askMetrics }, book) => {
  const said = [await ask({ path: '/metrics' }), await askMetrics?.({ path: '/metrics' })];
  const texts = said.flatMap((one) => (one?.status === 200 ? [one.text] : []));
  const types = new Map(
    texts.flatMap((text) =>
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type] as const),
    ),
  );
  for (const name of INSTRUMENTS) {
    const type = types.get(name) ?? types.get(name.replace(/_total$/, ''));
    if (type !== undefined) book.fact(name, type);
    else if (said.some((one) => one?.status !== 200)) book.notSeen(name, NOT_SHOWN);
  }
};

const NOT_SHOWN = 'it is not on the target’s own /metrics; give --metrics URL of a worker';

const HEADERS = [
  'content-security-policy',
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
  'strict-transport-security',
  'cross-origin-resource-policy',
  'cache-control',
  'access-control-allow-origin',
  'x-powered-by',
  'server',
];

export const headers: Check = async ({ ask }, book) => {
  for (const [what, path] of [
    ['an open answer', '/healthz'],
    ['an answer', '/v1/documents?limit=1'],
    ['a problem', '/v1/nothing'],
  ] as const) {
    const said = await ask({ path });
    for (const name of HEADERS) book.fact(`${what}/${name}`, said.headers[name] ?? 'none');
  }
};

const NOBODY = '00000000-0000-7000-8000-000000000000';
const JSON_TOO_LARGE = 300 * 1024;
const FILE_TOO_LARGE = 100 * 1024 ** 3;
/** Like a key, and nobody's. Few of them: who tries many is held back. */
const WRONG_KEY = 'bl_0123456789abcdef_wrong-key-of-a-validation';

type Refused = Readonly<Record<string, Ask>>;

const REFUSED: Refused = {
  'no key': { path: '/v1/documents?limit=1', known: false },
  'wrong key': { path: '/v1/documents?limit=1', known: false, headers: { authorization: `Bearer ${WRONG_KEY}` } },
  'key in a wrong form': { path: '/v1/documents?limit=1', known: false, headers: { authorization: 'Bearer nonsense' } },
  'wrong method': { method: 'PUT', path: '/v1/documents', headers: JSON_TYPE, body: '{}' },
  'method TRACE': { method: 'TRACE', path: '/v1/documents' },
  'no such path': { path: '/v1/nothing' },
  'no such document': { path: `/v1/documents/${NOBODY}` },
  'retry of no such document': { method: 'POST', path: `/v1/documents/${NOBODY}/retry` },
  'id in a wrong form': { path: '/v1/documents/none' },
  'id too long': { path: `/v1/documents/${'a'.repeat(300)}` },
  'limit out of range': { path: '/v1/documents?limit=0' },
  'body in a wrong type': {
    method: 'POST',
    path: '/v1/search',
    headers: { 'content-type': 'text/plain' },
    body: 'words',
  },
  'body that is no JSON': { method: 'POST', path: '/v1/search', headers: JSON_TYPE, body: '{"query":' },
  'body without a field': { method: 'POST', path: '/v1/search', headers: JSON_TYPE, body: '{"limit":1}' },
  'body too large': {
    method: 'POST',
    path: '/v1/search',
    headers: JSON_TYPE,
    body: JSON.stringify({ query: 'a'.repeat(JSON_TOO_LARGE) }),
  },
  'upload that is no form': { method: 'POST', path: '/v1/documents', headers: JSON_TYPE, body: '{}' },
  'path upwards': { path: '/v1/documents/../../../../etc/passwd' },
  'path upwards, encoded': { path: '/v1/documents/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd' },
  'path with two slashes': { path: '//etc/passwd' },
  'path with a null': { path: '/v1/documents/%00' },
  'path with a broken escape': { path: '/v1/documents/%zz' },
};

export const refusals: Check = async (visit, book) => {
  const own = await refusedUploads();
  for (const [name, ask] of Object.entries({ ...REFUSED, ...own })) await refusal(visit, book, name, ask);
};

async function refusedUploads(): Promise<Refused> {
  const form = (fields: Readonly<Record<string, string>>, withFile = true): Promise<Ask> => {
    const made = new FormData();
    for (const [key, value] of Object.entries(fields)) made.append(key, value);
    if (withFile) made.append('file', new Blob(['Never taken.']), 'never.txt');
    return formAsk(made);
  };
  const whole = await formAsk(new FormData());
  return {
    'upload without a file': await form({ metadata: '{}' }, false),
    'upload with broken metadata': await form({ metadata: '{' }),
    'upload with a webhook of no web': await form({ webhookUrl: 'file:///etc/passwd' }),
    // Said, and not sent: no target is to be filled.
    'upload too large': { ...whole, claims: FILE_TOO_LARGE },
  };
}

async function refusal({ ask, run, left }: Visit, book: Book, name: string, what: Ask): Promise<void> {
  const said = await ask({ ...what, headers: { ...what.headers, 'x-correlation-id': run } }).catch(() => undefined);
  book.fact(`${name}/status`, said?.status ?? 'unanswered');
  if (said === undefined) return;
  const taken = field(said, 'id');
  if (said.status === 202 && typeof taken === 'string') left.add(taken);
  for (const [key, value] of Object.entries(formOf(said, run))) book.fact(`${name}/${key}`, value);
}

function formOf(said: Said, run: string): Record<string, Fact> {
  const isProblem = /^application\/problem\+json\b/.test(said.headers['content-type'] ?? '');
  const correlated = said.headers['x-correlation-id'] === run && (!isProblem || field(said, 'correlationId') === run);
  return {
    code: isProblem ? word(field(said, 'code')) : 'none',
    form: isProblem ? 'problem document' : said.status < 300 ? 'an answer' : 'no problem document',
    'says the correlation ID': correlated,
    allow: said.headers['allow'] ?? 'none',
    'tells of its inside': LEAKS.find(([, pattern]) => pattern.test(said.text))?.[0] ?? 'nothing',
  };
}

const LEAKS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a stack trace', /\bat .{0,200}(?:\.[cm]?[jt]s|node:\w+):\d+/],
  ['a path of its files', /node_modules|file:\/\/|\/(?:app|home|root|usr)\//],
  ['a file of its machine', /root:.*:0:0:/],
  ['a statement', /\b(?:select|insert into|update|delete from)\b.{1,200}\b(?:from|values|set|where)\b/i],
];

const AT_ONCE = 20;
/** Refused before anything is read, and counted all the same. */
const CHEAP: Ask = { path: '/v1/documents?limit=0' };
/** What a target has unless it is told otherwise: docs/configuration.md. */
const USUAL = { burst: 200, perSecond: 50 };

/** Only the key that asks is held back by it, and for as long as it is told. */
export const rateLimit: Check = async ({ askOnce, ask, clock, signal, rateRequests }, book) => {
  const begun = clock.steady();
  let asked = 0;
  let refused: Said | undefined;
  while (refused === undefined && asked < rateRequests) {
    const many = Array.from({ length: Math.min(AT_ONCE, rateRequests - asked) }, () => askOnce(CHEAP));
    asked += many.length;
    refused = (await Promise.all(many)).find(({ status }) => status === 429);
  }
  const took = (clock.steady() - begun) / 1_000;
  if (refused === undefined) {
    const needed = Math.ceil(USUAL.burst + USUAL.perSecond * took) + AT_ONCE;
    if (asked > needed) return book.fact('is there', 'nobody was held back');
    const why = `${asked} requests in ${took.toFixed(1)} s reach no limit of ${USUAL.perSecond}/s after ${USUAL.burst}`;
    return book.notSeen('', `${why}; --rate-requests ${needed * 2} would`);
  }
  book.fact('is there', true);
  book.note(`the key is held back after at most ${asked} requests in ${took.toFixed(1)} s`);
  const wish = refused.headers['retry-after'] ?? '';
  book.fact('code', word(field(refused, 'code')));
  book.fact('retry-after', /^[1-9]\d*$/.test(wish) ? 'whole seconds' : `no whole seconds: ${wish || 'none'}`);
  const wait = parseRetryAfter(wish, clock.now(), milliseconds(30_000)) ?? milliseconds(1_000);
  await clock.sleep(wait, signal);
  book.fact('afterwards', (await ask({ path: '/v1/documents?limit=1' })).status);
};
