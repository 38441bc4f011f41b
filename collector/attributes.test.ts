import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ALLOWED_KEYS, cleanAttributes, cleanLogFields, cleanText } from './attributes.ts';
import { embeddingAttributes, embeddingUsage, processAttributes, sendAttributes } from './semantics.ts';

test('cleanAttributes() keeps what is listed and counts what is not', () => {
  const { attributes, dropped } = cleanAttributes({
    'burnline.document.id': 'd1',
    'burnline.document.bytes': 12,
    'http.request.header.authorization': ['Bearer x'],
    filename: 'salaries.pdf',
    'db.query.parameter.0': 'Ada',
  });
  assert.deepEqual(attributes, { 'burnline.document.id': 'd1', 'burnline.document.bytes': 12 });
  assert.equal(dropped, 3);
});

test('cleanAttributes() takes the credentials out of a URL', () => {
  const full = (url: string) => cleanAttributes({ 'url.full': url }).attributes['url.full'];
  assert.equal(full('https://u:p@files.test/a/b?X-Signature=abc#f'), 'https://files.test/a/b');
  assert.equal(full('not a url'), '[redacted]');
});

const CREDENTIALS = [
  `bl_0123456789abcdef_${'a1'.repeat(32)}`,
  'sk-proj-abcdefghijklmnopqrstuvwxyz',
  'llx-abcdefghijklmnopqrstuvwxyz',
  'xoxb-123456789012-abcdef',
  'https://hooks.slack.com/services/T0/B0/xyz',
  'Bearer abcdefgh12345678',
  'Basic dXNlcjpwYXNzd29yZA==',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln',
  '-----BEGIN PRIVATE KEY-----',
];
for (const credential of CREDENTIALS) {
  test(`cleanText() hides ${credential.slice(0, 12)}… wherever it stands`, () => {
    assert.equal(cleanText(`failed with ${credential} here`), '[redacted]');
  });
}

test('cleanText() leaves ids, routes and models alone', () => {
  const texts = ['/v1/documents/:id', 'text-embedding-3-small', '019a3c5e-7b1f-7c3a-9d54-0a2b3c4d5e6f', 'SELECT a.b'];
  for (const text of texts) assert.equal(cleanText(text), text);
});

test('cleanText() cuts at its limit and not before', () => {
  assert.equal(cleanText('x'.repeat(256)).length, 256);
  assert.equal(cleanText('x'.repeat(257)), `${'x'.repeat(255)}…`);
});

test('cleanLogFields() keeps our own fields beside the attributes, and never an object', () => {
  const { attributes, dropped } = cleanLogFields({
    code: 'timeout',
    reason: 'Cannot read salaries.pdf',
    err: { a: 1 },
  });
  assert.deepEqual([attributes, dropped], [{ code: 'timeout' }, 2]);
});

test('cleanAttributes() never lets an unlisted key out, whatever it is given', () => {
  const keys: ReadonlySet<string> = new Set(ALLOWED_KEYS);
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(...ALLOWED_KEYS)), fc.anything()), (given) => {
      const { attributes } = cleanAttributes(given);
      return Object.entries(attributes).every(
        ([key, value]) => keys.has(key) && (Array.isArray(value) || typeof value !== 'object'),
      );
    }),
  );
});

test('the attributes of our own spans all pass, and say what the conventions want', () => {
  const job = { id: 'j1', documentId: 'd1', step: 'embed', attempt: 2, workerId: 'w1' } as const;
  const model = { provider: 'openai', model: 'text-embedding-3-small', dimensions: 1536 };
  const usage = { inputTokens: 12, model: 'text-embedding-3-small' };
  const all = [sendAttributes(job), processAttributes(job), embeddingAttributes(model), embeddingUsage(usage)];
  for (const attributes of all) assert.equal(cleanAttributes(attributes).dropped, 0);
  assert.deepEqual(cleanAttributes(processAttributes(job)).attributes, {
    'messaging.system': 'burnline',
    'messaging.destination.name': 'documents',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.message.id': 'j1',
    'messaging.client.id': 'w1',
    'burnline.document.id': 'd1',
    'burnline.step': 'embed',
    'burnline.job.attempt': 2,
  });
});
