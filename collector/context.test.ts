import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatTraceparent, isCorrelationId, logContext, parseTraceparent, spanContextOf } from './context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const cases: readonly [title: string, text: string | null | undefined, valid: boolean][] = [
  ['takes the example of the specification', `00-${TRACE}-${SPAN}-01`, true],
  ['takes one that is not sampled', `00-${TRACE}-${SPAN}-00`, true],
  ['takes a later version with more fields', `cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
  ['refuses more fields in version 00', `00-${TRACE}-${SPAN}-01-more`, false],
  ['refuses version ff', `ff-${TRACE}-${SPAN}-01`, false],
  ['refuses a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`, false],
  ['refuses a span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`, false],
  ['refuses capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`, false],
  ['refuses a short id', `00-${TRACE.slice(1)}-${SPAN}-01`, false],
  ['refuses nothing', '', false],
  ['refuses null', null, false],
  ['refuses undefined', undefined, false],
];
for (const [title, text, valid] of cases) {
  test(`parseTraceparent() ${title}`, () => assert.equal(parseTraceparent(text), valid ? text : undefined));
}

test('formatTraceparent() writes what spanContextOf() read', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
  fc.assert(
    fc.property(hex(32), hex(16), fc.constantFrom('00', '01'), (trace, span, flags) => {
      fc.pre(!/^0+$/.test(trace) && !/^0+$/.test(span));
      const text = `00-${trace}-${span}-${flags}`;
      const found = spanContextOf(text);
      return found !== undefined && formatTraceparent(found) === text;
    }),
  );
});

test('parseTraceparent() never throws', () => {
  fc.assert(fc.property(fc.string(), (text) => parseTraceparent(text) === undefined));
});

test('isCorrelationId() takes 128 characters and not 129, and nothing that breaks a header or a line', () => {
  assert(isCorrelationId('a'.repeat(128)));
  assert(!isCorrelationId('a'.repeat(129)));
  for (const text of ['', ' a', 'a b', 'a\nb', 'a,b', 'ü', '-a', undefined, 7]) assert(!isCorrelationId(text));
  for (const text of ['a', '7', 'req-1', 'a.b:c_d', '019a3c5e-7b1f-7c3a-9d54-0a2b3c4d5e6f'])
    assert(isCorrelationId(text));
});

test('logContext() is empty where nothing is current', () => assert.deepEqual(logContext(), {}));
