/** Behaviour against the recorded one: what is a difference, and which matters. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { milliseconds } from '#kernel/units.ts';
import { BAD_SAMPLES } from '#samples/catalogue.ts';
import { baselineOf, readBaseline, writeBaseline } from './baseline.ts';
import { compareFacts } from './compare.ts';
import { contractFacts } from './contract.ts';
import { CHECKS, type CheckName, type CheckResult, type Fact, type Facts } from './facts.ts';
import { junitOfValidation } from './report.ts';
import { ERRORS, NOT_ACCEPTED, NOT_COMPLETED } from './troubles.ts';
import { validationOf } from './verdict.ts';

const resultOf = (check: CheckName, facts: Facts, notSeen: Readonly<Record<string, string>> = {}): CheckResult => ({
  check,
  facts,
  notSeen,
  samples: {},
  notes: [],
  troubles: {},
  took: milliseconds(1),
});
const name = fc
  .tuple(fc.constantFrom(...CHECKS), fc.string({ minLength: 1, maxLength: 8 }))
  .map((parts) => parts.join('/'));
const value: fc.Arbitrary<Fact> = fc.oneof(fc.string(), fc.integer(), fc.boolean());
const someFacts = fc.dictionary(name, value, { maxKeys: 30 });
const resultsOf = (facts: Facts): CheckResult[] =>
  CHECKS.map((check) =>
    resultOf(check, Object.fromEntries(Object.entries(facts).filter(([one]) => one.startsWith(`${check}/`)))),
  );

test('compareFacts() finds nothing where nothing changed, whatever the order', () => {
  fc.assert(
    fc.property(someFacts, (facts) => {
      const turned = Object.fromEntries(Object.entries(facts).reverse());
      assert.deepEqual(compareFacts(facts, resultsOf(turned)), []);
    }),
  );
});

test('compareFacts() finds each fact that differs, once, and no other', () => {
  fc.assert(
    fc.property(someFacts, someFacts, (was, is) => {
      const names = [...new Set([...Object.keys(was), ...Object.keys(is)])]
        .filter((one) => was[one] !== is[one])
        .sort();
      assert.deepEqual(
        compareFacts(was, resultsOf(is)).map((one) => one.name),
        names,
      );
    }),
  );
});

test('compareFacts() looks only at checks that were made', () => {
  fc.assert(
    fc.property(someFacts, fc.constantFrom(...CHECKS), (facts, check) => {
      const found = compareFacts(facts, [resultOf(check, {})]);
      assert(found.every((one) => one.name.startsWith(`${check}/`)));
    }),
  );
});

test('compareFacts() says nothing of what could not be seen, but that a check was not answered', () => {
  const was = { 'metrics/answered': true, 'metrics/a': 'counter', 'metrics/b': 'gauge' };
  const hidden = resultOf('metrics', { 'metrics/answered': true, 'metrics/b': 'gauge' }, { 'metrics/a': 'not shown' });
  assert.deepEqual(compareFacts(was, [hidden]), []);
  const silent = resultOf('metrics', { 'metrics/answered': false }, { 'metrics/': 'nobody answers' });
  assert.deepEqual(
    compareFacts(was, [silent]).map((one) => [one.name, one.matters]),
    [['metrics/answered', true]],
  );
});

for (const [title, fact, was, is, matters] of [
  ['a path that is new', 'contract/get /v2/documents', undefined, true, false],
  ['a path that is gone', 'contract/get /v1/documents', true, undefined, true],
  ['a field of an answer that is new', 'contract/get /v1/a/200 application/json/pages', undefined, 'integer', false],
  ['a field of an answer of another type', 'contract/get /v1/a/200 application/json/pages', 'integer', 'string', true],
  ['a field that need not be sent', 'contract/post /v1/search/body application/json/lang?', undefined, 'string', false],
  ['a field that must be sent now', 'contract/post /v1/search/body application/json/lang', undefined, 'string', true],
  ['a parameter that must be sent now', 'contract/get /v1/a/query q', undefined, 'required string', true],
  ['a parameter that need not be sent', 'contract/get /v1/a/query q', undefined, 'optional string', false],
  ['an instrument more', 'metrics/new_total', undefined, 'counter', false],
  ['an instrument less', 'metrics/old_total', 'counter', undefined, true],
  ['a key that is asked for', 'refusals/no key/status', 200, 401, false],
  ['a key that is asked for no more', 'refusals/no key/status', 401, 200, true],
  ['a wrong key that is let in', 'refusals/wrong key/status', 401, 200, true],
  ['a proxy that names itself', 'headers/an answer/server', 'none', 'nginx', false],
  ['a proxy that names its version', 'headers/an answer/server', 'none', 'nginx/1.25.3', true],
  ['a header that is gone', 'headers/an answer/x-frame-options', 'DENY', 'none', true],
] as const) {
  test(`${title} ${matters ? 'matters' : 'does not matter'}`, () => {
    const check = fact.slice(0, fact.indexOf('/')) as CheckName;
    const facts = (one: Fact | undefined): Facts => (one === undefined ? {} : { [fact]: one });
    const [found, ...more] = compareFacts(facts(was), [resultOf(check, facts(is))]);
    assert.deepEqual([found?.name, found?.matters, more.length], [fact, matters, 0]);
  });
}

test('a baseline that is written is read again, and does not depend on any order', () => {
  const samples = fc.dictionary(
    fc.string({ maxLength: 5 }),
    fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1 }),
  );
  fc.assert(
    fc.property(someFacts, samples, (facts, times) => {
      const make = (of: Facts, by: Record<string, number[]>) =>
        writeBaseline(baselineOf('1.2.3', [...resultsOf(of), { ...resultOf('performance', {}), samples: by }]));
      const turned = Object.fromEntries(
        Object.entries(times)
          .map(([key, all]) => [key, all.toReversed()])
          .reverse(),
      );
      const written = make(facts, times);
      assert.equal(make(Object.fromEntries(Object.entries(facts).reverse()), turned), written);
      assert.equal(writeBaseline(readBaseline(written, 'a file')), written);
    }),
  );
});

test('readBaseline() says of another format that it is one', () => {
  const other = '{"format": 2, "version": "9", "behaviour": {}, "performance": {}}';
  assert.throws(
    () => readBaseline(other, 'a.json'),
    /Cannot read a\.json as a baseline: its format is 2, this release reads 1/,
  );
  assert.throws(() => readBaseline('{', 'a.json'), /it is no JSON/);
});

test('contractFacts() tells fields, whether they must be there, and their types; not words', () => {
  const answer = {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string', format: 'uuid' }, to: { $ref: '#/c/S' } },
  };
  const served = {
    openapi: '3.1.0',
    paths: {
      '/a': {
        get: {
          summary: 'words',
          parameters: [{ in: 'query', name: 'q', schema: { type: 'integer', minimum: 1 } }],
          responses: { 200: { content: { 'application/json': { schema: answer } } }, 404: {} },
        },
      },
    },
    components: { schemas: { S: { enum: ['x', 'y'], type: 'string' } } },
  };
  assert.deepEqual(contractFacts(served), {
    'contract/openapi': '3.1.0',
    'contract/get /a': true,
    'contract/get /a/query q': 'optional integer minimum=1',
    'contract/get /a/200': true,
    'contract/get /a/200 application/json': 'object',
    'contract/get /a/200 application/json/id': 'string format="uuid"',
    'contract/get /a/200 application/json/to?': 'string enum=["x","y"]',
    'contract/get /a/404': true,
  });
  for (const none of [undefined, null, '<html>', {}, { openapi: '3.1.0', paths: [] }]) {
    assert.equal(contractFacts(none), undefined);
  }
});

test('what must not happen in any validation matters, whatever was recorded', () => {
  const baseline = baselineOf('1', [resultOf('documents', { 'documents/a/end': 'completed' })]);
  const judged = (troubles: Readonly<Record<string, number>>) => {
    const results = [{ ...resultOf('documents', { 'documents/a/end': 'completed' }), troubles }];
    return validationOf(baseline, { version: '1', results, left: [] }, VISITED).verdict;
  };
  assert.deepEqual([{}, { [ERRORS]: 1 }, { [ERRORS]: 2 }, { [NOT_COMPLETED]: 1 }, { [NOT_ACCEPTED]: 1 }].map(judged), [
    'same',
    'same',
    'differs',
    'differs',
    'differs',
  ]);
});

const VISITED = { target: 'http://a', run: '<r>', begunAt: '2026-11-29T10:00:00.000Z', seconds: 1, slower: 1.5 };

test('a check that the baseline does not hold is said, and fails nothing', () => {
  const baseline = baselineOf('1', [resultOf('health', { 'health/alive': 200 })]);
  const results = [resultOf('health', { 'health/alive': 200 }), resultOf('headers', { 'headers/a/server': 'none' })];
  const found = validationOf(baseline, { version: '2', results, left: [] }, VISITED);
  assert.equal(found.verdict, 'same');
  assert.deepEqual(
    found.notCompared.map((one) => one.name),
    ['headers'],
  );
  assert.match(junitOfValidation(found), /tests="2" failures="0" errors="0" skipped="1"/);
  assert.match(junitOfValidation(found), /name="run" value="&lt;r&gt;"/);
});

test('the baseline that ships says of each bad sample why it is rejected', () => {
  const read = readBaseline(readFileSync(new URL('baseline.json', import.meta.url), 'utf8'), 'baseline.json');
  for (const { file, code } of BAD_SAMPLES) {
    assert.equal(read.behaviour[`rejections/${file}/end`], 'rejected', file);
    assert.equal(read.behaviour[`rejections/${file}/code`], code, file);
  }
});
