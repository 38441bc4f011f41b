/** Open, blind or absent: of the router's own eye by its looks, of Prometheus by its heartbeat and its last alert. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { seconds } from '#kernel/units.ts';
import { inSeconds, span } from '#test/kit/alerting.ts';
import { type EyeView, newOwnEye, noteLook, ownEye, prometheusEye } from './eye.ts';
import type { HeartbeatRow } from './heartbeat.ts';
import type { Heartbeat } from './oncall/model.ts';
import type { Look } from './watch-source.ts';

const EVERY = seconds(5);
const look = (answered: Record<string, boolean>, more: Partial<Look> = {}): Look => ({
  at: inSeconds(0),
  samples: undefined,
  answered: new Map(Object.entries(answered)),
  heard: true,
  ...more,
});
const brief = ({ state, because }: EyeView): string => `${state}: ${because}`;

test('the router’s eye is blind before its first look, open while any target answers, and says which does not', () => {
  const eye = newOwnEye(inSeconds(0));
  assert.match(brief(ownEye(eye, EVERY, inSeconds(1))), /^blind: it has not looked yet/);
  noteLook(eye, look({ worker: true, api: true }), inSeconds(5));
  assert.deepEqual(brief(ownEye(eye, EVERY, inSeconds(6))), 'open: all 2 targets answered');
  const about = new Map([['api', { url: 'http://api/metrics', because: 'status 500' }]]);
  noteLook(eye, look({ worker: true, api: false }, { about }), inSeconds(10));
  const half = ownEye(eye, EVERY, inSeconds(11));
  assert.equal(brief(half), 'open: 1 of 2 targets did not answer: api (status 500)');
  assert.deepEqual([half.since, half.lastAt], [inSeconds(5), inSeconds(10)]);
  assert.deepEqual(half.targets[1], {
    name: 'api',
    url: 'http://api/metrics',
    answered: false,
    lastAt: inSeconds(5),
    because: 'status 500',
  });
  noteLook(eye, look({ worker: false, api: false }), inSeconds(15));
  const none = ownEye(eye, EVERY, inSeconds(16));
  assert.equal(brief(none), 'blind: 2 of 2 targets did not answer: worker, api');
  assert.deepEqual([none.since, none.lastAt], [inSeconds(15), inSeconds(10)]);
});

test('the router’s eye is blind when its server does not answer, and when nobody looks any more', () => {
  const eye = newOwnEye(inSeconds(0));
  noteLook(eye, look({ 'app a:1': true }, { heard: false, unheard: 'refused' }), inSeconds(5));
  assert.equal(
    brief(ownEye(eye, EVERY, inSeconds(6))),
    'blind: the PromQL server that it asks does not answer: refused',
  );
  noteLook(eye, look({ 'app a:1': true }), inSeconds(10));
  assert.equal(ownEye(eye, EVERY, inSeconds(25)).state, 'open');
  const late = ownEye(eye, EVERY, inSeconds(26));
  assert.match(brief(late), /^blind: it looks every 5 s, and has not since 2025-/);
  assert.equal(late.since, inSeconds(10));
});

const heartbeat = (name: string): Heartbeat => ({
  name,
  every: span(60),
  grace: span(120),
  fromFirstBeat: true,
  severity: 'warning',
  labels: {},
  alert: undefined,
});
const row = (name: string, beatAt?: number): HeartbeatRow => ({
  name,
  since: inSeconds(0),
  beatAt: beatAt === undefined ? undefined : inSeconds(beatAt),
  raised: undefined,
  raisedAt: undefined,
  config: undefined,
  heldUntil: undefined,
});
const one = (name: string, beatAt?: number) => ({ heartbeat: heartbeat(name), row: row(name, beatAt) });

const CASES: readonly (readonly [string, Parameters<typeof prometheusEye>[0], number, RegExp])[] = [
  [
    'absent where nothing is expected and nothing came',
    { beats: [], alertedAt: undefined },
    0,
    /^absent: no heartbeat/,
  ],
  ['absent where it never came', { beats: [one('a')], alertedAt: undefined }, 999, /^absent: its heartbeat has never/],
  [
    'open by a heartbeat',
    { beats: [one('a', 100)], alertedAt: undefined },
    279,
    /^open: its heartbeat a came in time$/,
  ],
  [
    'blind without it, whatever alert came before',
    { beats: [one('a', 100)], alertedAt: inSeconds(100) },
    281,
    /^blind: its heartbeat a, expected every 60 s, came last at 2025-/,
  ],
  [
    'open by one of two, and says which is missing',
    { beats: [one('a', 100), one('b', 300)], alertedAt: undefined },
    301,
    /^open: its heartbeat b came in time, but its heartbeat a, expected/,
  ],
  [
    'open by an alert, where there is no heartbeat',
    { beats: [], alertedAt: inSeconds(10) },
    309,
    /^open: an alert of it/,
  ],
  ['absent five minutes after it', { beats: [], alertedAt: inSeconds(10) }, 310, /^absent: no heartbeat/],
];
for (const [title, known, now, expected] of CASES) {
  test(`prometheusEye() is ${title}`, () => assert.match(brief(prometheusEye(known, inSeconds(now))), expected));
}
