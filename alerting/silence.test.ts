import assert from 'node:assert/strict';
import test from 'node:test';
import { milliseconds } from '#kernel/units.ts';
import { parseMatchers } from './matcher.ts';
import { checkSilence, expire, type Silence, type SilenceDraft, setSilence, silences, stateOf } from './silence.ts';

const NOW = milliseconds(1_000_000);
const at = (offset: number) => milliseconds(NOW + offset);
function draft(text: string, from: number, to: number): SilenceDraft {
  const parsed = parseMatchers(text, 'default');
  assert(parsed.kind === 'matchers');
  return {
    matchers: parsed.matchers,
    startsAt: at(from),
    endsAt: at(to),
    createdBy: 'ada',
    comment: '',
    annotations: {},
  };
}
const known = (text: string, from: number, to: number): Silence => ({
  ...draft(text, from, to),
  id: 'old',
  updatedAt: at(-5_000),
});

test('stateOf() starts at the start and ends at the end', () => {
  const silence = { startsAt: at(0), endsAt: at(10) };
  assert.deepEqual(
    [-1, 0, 9, 10].map((offset) => stateOf(silence, at(offset))),
    ['pending', 'active', 'active', 'expired'],
  );
});

test('silences() wants every matcher', () => {
  const one = draft('a=1,b!=2', 0, 10);
  assert.deepEqual(
    [silences(one, { a: '1' }), silences(one, { a: '1', b: '2' }), silences(one, {})],
    [true, false, false],
  );
});

const CHECKED: readonly [text: string, from: number, to: number, wrong: RegExp | undefined][] = [
  ['a=1', 0, 10, undefined],
  ['a!=1', 0, 10, undefined],
  ['a!~".+"', 0, 10, undefined],
  ['a=1,b=""', -10, 10, undefined],
  ['a=1', -10, 0, undefined],
  ['', 0, 10, /at least one matcher/],
  ['a=""', 0, 10, /must not match the empty text/],
  ['a=~".*",b=""', 0, 10, /must not match the empty text/],
  ['a=1', 10, 10, /before the end/],
  ['a=1', -10, -1, /in the past/],
  ['""=1', 0, 10, /no label name/],
];
for (const [text, from, to, wrong] of CHECKED) {
  test(`checkSilence() of {${text}} from ${from} to ${to}: ${wrong?.source ?? 'right'}`, () => {
    const found = checkSilence(draft(text, from, to), NOW, 'default');
    if (wrong === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', wrong);
  });
}

test('checkSilence() refuses UTF-8 names in classic mode', () => {
  assert.equal(checkSilence(draft('ü=1', 0, 10), NOW, 'default'), undefined);
  assert.match(checkSilence(draft('ü=1', 0, 10), NOW, 'classic') ?? '', /no label name/);
});

const EDITS: readonly [title: string, known: Silence, draft: SilenceDraft, kind: 'updated' | 'replaced'][] = [
  ['an active one ends later', known('a=1', -5_000, 10), draft('a=1', -5_000, 99), 'updated'],
  ['an active one, its start within the second', known('a=1', -4_900, 10), draft('a=1', -5_000, 99), 'updated'],
  ['an active one starts elsewhere', known('a=1', -5_000, 10), draft('a=1', -7_000, 99), 'replaced'],
  ['an active one ends before now', known('a=1', -5_000, 10), draft('a=1', -5_000, -1), 'replaced'],
  ['an active one has other matchers', known('a=1', -5_000, 10), draft('a=2', -5_000, 10), 'replaced'],
  ['a pending one starts elsewhere', known('a=1', 50, 99), draft('a=1', 0, 60), 'updated'],
  ['a pending one would have started', known('a=1', 50, 99), draft('a=1', -1, 60), 'replaced'],
  ['an expired one', known('a=1', -5_000, -1), draft('a=1', -5_000, 10), 'replaced'],
];
for (const [title, before, wanted, kind] of EDITS) {
  test(`setSilence(): ${title}: ${kind}`, () => {
    const set = setSilence(before, wanted, 'new', NOW);
    assert.deepEqual(
      [set.kind, set.silence.id, set.silence.updatedAt],
      [kind, kind === 'updated' ? 'old' : 'new', NOW],
    );
    const ended = kind === 'replaced' && stateOf(before, NOW) !== 'expired';
    assert.deepEqual([set.expired?.id, set.expired?.endsAt], ended ? ['old', NOW] : [undefined, undefined]);
    assert.equal(set.silence.startsAt, kind === 'updated' ? wanted.startsAt : Math.max(wanted.startsAt, NOW));
  });
}

test('setSilence() makes a new one that does not start in the past', () => {
  const { kind, silence } = setSilence(undefined, draft('a=1', -10, 10), 'new', NOW);
  assert.deepEqual([kind, silence.id, silence.startsAt], ['created', 'new', NOW]);
});

test('expire() leaves an expired one alone, and a pending one with no moment', () => {
  assert.equal(expire(known('a=1', -10, 0), NOW), undefined);
  const pending = expire(known('a=1', 10, 20), NOW);
  assert.deepEqual([pending?.startsAt, pending?.endsAt, pending && stateOf(pending, NOW)], [NOW, NOW, 'expired']);
});
