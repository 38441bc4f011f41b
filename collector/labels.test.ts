import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BOUNDED_VALUES_MAX, INSTRUMENT_NAMES, instrument } from './catalogue.ts';
import { closedCombinations, makeLabelKeeper } from './labels.ts';

const http = (route: string) => ({
  'http.request.method': 'GET',
  'http.route': route,
  'http.response.status_code': 200,
  'url.scheme': 'http',
});

test('a label keeper passes what the catalogue allows', () => {
  const keep = makeLabelKeeper();
  assert.deepEqual(keep('document_step_attempts_total', { step: 'parse', outcome: 'failed' }), {
    labels: { step: 'parse', outcome: 'failed' },
    faults: [],
  });
});

test('a label keeper turns a value outside a closed set into other, and does not repeat it', () => {
  const { labels, faults } = makeLabelKeeper()('vendor_request_duration_seconds', { vendor: 'sk-abc', outcome: 'ok' });
  assert.deepEqual(labels, { vendor: 'other', outcome: 'ok' });
  assert.equal(faults.length, 1);
  assert.match(faults[0] ?? '', /"vendor" must be one of llamaparse, openai, local/);
  assert.doesNotMatch(faults.join(), /sk-abc/);
});

test('a label keeper names a missing attribute and one that does not belong', () => {
  const { labels, faults } = makeLabelKeeper()('documents_finished_total', { documentId: '7' });
  assert.deepEqual(labels, { outcome: 'other' });
  assert.deepEqual(faults, [
    'Cannot record documents_finished_total: attribute "outcome" is missing',
    'Cannot record documents_finished_total: it has no attribute "documentId"',
  ]);
});

test('a label keeper takes the last value under the limit and not the next', () => {
  const keep = makeLabelKeeper();
  const route = (i: number) => keep('http_server_request_duration_seconds', http(`/v1/${i}`));
  for (let i = 1; i < BOUNDED_VALUES_MAX; i++) route(i);
  assert.equal(route(BOUNDED_VALUES_MAX).labels['http.route'], `/v1/${BOUNDED_VALUES_MAX}`);
  assert.equal(route(BOUNDED_VALUES_MAX + 1).labels['http.route'], 'other');
  assert.equal(route(BOUNDED_VALUES_MAX + 1).faults.length, 1);
  assert.equal(route(1).labels['http.route'], '/v1/1');
});

test('a label keeper never lets a value through that its set does not hold', () => {
  const names = fc.constantFrom(...INSTRUMENT_NAMES);
  const values = fc.oneof(fc.string(), fc.integer(), fc.constant(undefined), fc.constantFrom('parse', 'ok', 'failed'));
  const keep = makeLabelKeeper();
  fc.assert(
    fc.property(names, fc.dictionary(fc.constantFrom('step', 'outcome', 'vendor', 'x'), values), (name, given) => {
      const spec = instrument(name).attributes;
      return Object.entries(keep(name, given).labels).every(([key, value]) => {
        const set = spec[key];
        return set !== undefined && (typeof set === 'string' || value === 'other' || set.includes(String(value)));
      });
    }),
  );
});

test('closedCombinations() counts every combination once', () => {
  assert.deepEqual(closedCombinations('lease_lost_total'), [{}]);
  assert.equal(closedCombinations('document_step_attempts_total')?.length, 16);
  assert.equal(closedCombinations('http_server_request_duration_seconds'), undefined);
});
