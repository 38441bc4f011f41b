import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { days, hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { promql, selector } from '#test/kit/objectives-by-hand.ts';
import { asksForWindow, durationText, instantText, literal, numberText, selectorText, withWindow } from './text.ts';

const spans: readonly [Seconds, string][] = [
  [seconds(15), '15s'],
  [minutes(5), '5m'],
  [minutes(90), '1h30m'],
  [hours(24), '1d'],
  [days(3), '3d'],
  [days(7), '1w'],
  [days(28), '4w'],
  [days(30), '30d'],
  [days(90), '90d'],
  [days(365), '1y'],
  [hours(36), '1d12h'],
];
for (const [span, want] of spans) {
  test(`durationText() names ${span} s ${want}, as Sloth does`, () => assert.equal(durationText(span), want));
}

test('durationText() loses nothing', () => {
  const LENGTH: Record<string, number> = { y: 31_536_000, w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), (span) => {
      const parts = [...durationText(seconds(span)).matchAll(/(\d+)([ywdhms])/g)];
      return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (LENGTH[unit] ?? 0), 0) === span;
    }),
  );
});

const numbers: readonly [number, string][] = [
  [1 - 0.999, '0.001'],
  [14.4 * 0.02, '0.288'],
  [13.44 * 0.02, '0.2688'],
  [0.98 * 100, '98'],
  [99.99, '99.99'],
];
for (const [n, want] of numbers) test(`numberText() writes ${n} as ${want}`, () => assert.equal(numberText(n), want));

test('selectorText() finds a bucket as it was written and as Prometheus 3 stores it', () => {
  const bucket = (op: '=' | '!=' | '=~', value: string) =>
    selectorText({ name: 'h', matchers: [{ label: 'le', op, value }] });
  assert.equal(bucket('=', '30'), 'h{le=~"30(\\\\.0)?"}');
  assert.equal(bucket('!=', '30.0'), 'h{le!~"30(\\\\.0)?"}');
  assert.equal(bucket('=', '0.2'), 'h{le="0.2"}', 'is written in one way only');
  assert.equal(bucket('=~', '30'), 'h{le=~"30"}', 'is somebody’s own');
  assert.equal(bucket('=', '+Inf'), 'h{le="+Inf"}');
});

test('selectorText() escapes what PromQL would read as its own', () => {
  const matchers = [{ label: 'path', op: '=', value: 'a"b\\c\n' } as const];
  assert.equal(selectorText({ name: 'x', matchers }), 'x{path="a\\"b\\\\c\\n"}');
  assert.equal(selectorText({ name: 'http.requests', matchers: [] }), '{"http.requests"}');
  assert.equal(instantText(selector('x{a="1",b=~"2|3"}')), 'x{a="1",b=~"2|3"}');
});

test('a window is put in wherever it is asked for', () => {
  assert.equal(withWindow('rate(x[{{.window}}]) / rate(y[{{ .window }}])', minutes(5)), 'rate(x[5m]) / rate(y[5m])');
  assert(asksForWindow('x[{{.window}}]'));
  assert(!asksForWindow('x[5m]'));
  assert.equal(instantText(promql(' up ')), '(up)');
});

test('literal() matches itself and nothing else', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => new RegExp(`^(?:${literal(a)})$`).test(b) === (a === b)));
});
