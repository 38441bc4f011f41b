/** When a service is said to be down: none of its targets answers, and whoever is asked for them does. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Milliseconds, seconds, toMilliseconds } from '#kernel/units.ts';
import { newEngine } from '#slo/engine.ts';
import { at, healthy, newStack, play, ROUTER_TEXT, SHIPPED, START, scrape, workerText } from '#test/kit/engine.ts';
import { newPresence, notePresence, servicesDown } from './service-down.ts';

const EVERY = seconds(5);
const moment = (offset: number): Milliseconds => toMilliseconds(at(offset));
/** What serves the documents' objectives and the API's is one process, or two. */
function stackOf(...targets: readonly string[]) {
  const stack = newStack(SHIPPED, 5);
  play(stack, 60, healthy, false);
  for (let i = 0; i < 3; i++) {
    stack.now += 5;
    for (const target of targets) scrape(stack, target, workerText(stack.worker));
    scrape(stack, 'router', ROUTER_TEXT);
  }
  return stack;
}
const names = (said: readonly { readonly labels: Readonly<Record<string, string>> }[]) =>
  said.map(({ labels }) => labels['sloth_service']).sort();

/** A presence after answers at these seconds: an x is a target that does not answer. */
function presenceAfter(
  ...looks: readonly (readonly [offset: number, answers: Readonly<Record<string, boolean>> | 'unheard'])[]
) {
  const presence = newPresence();
  for (const [offset, answers] of looks) {
    const heard = answers !== 'unheard';
    const answered = new Map(heard ? Object.entries(answers) : []);
    notePresence(presence, { answered, heard }, moment(offset));
  }
  return presence;
}

test('a service is down when it missed five looks, and not one earlier', () => {
  const { engine } = stackOf('worker');
  const presence = presenceAfter([100, { worker: true }], [105, { worker: false }], [120, { worker: false }]);
  assert.deepEqual(servicesDown(engine, presence, EVERY, moment(122)), []);
  const said = servicesDown(engine, presence, EVERY, moment(125));
  assert.deepEqual(names(said), ['burnline-api', 'burnline-documents']);
  assert.equal(said[0]?.since, moment(100));
  assert.match(said[0]?.annotations['description'] ?? '', /no answer from worker for 25 s/);
});

test('one of several targets that answers keeps it up', () => {
  const { engine } = stackOf('one', 'two');
  const presence = presenceAfter([100, { one: true, two: true }], [125, { one: false, two: true }]);
  assert.deepEqual(servicesDown(engine, presence, EVERY, moment(125)), []);
  notePresence(
    presence,
    {
      answered: new Map([
        ['one', false],
        ['two', false],
      ]),
      heard: true,
    },
    moment(150),
  );
  assert.equal(servicesDown(engine, presence, EVERY, moment(150)).length, 2);
});

test('what was given up is down at once, as soon as it does not answer, and back with its first answer', () => {
  const { engine } = stackOf('worker');
  const presence = presenceAfter([100, { worker: true }]);
  presence.givenUp = true;
  notePresence(presence, { answered: new Map([['worker', false]]), heard: true }, moment(105));
  const said = servicesDown(engine, presence, EVERY, moment(105));
  assert.equal(said.length, 2);
  assert.match(said[0]?.annotations['description'] ?? '', /is not started any more/);
  notePresence(presence, { answered: new Map([['worker', true]]), heard: true }, moment(200));
  assert.deepEqual(servicesDown(engine, presence, EVERY, moment(200)), []);
  assert.equal(presence.givenUp, false);
});

test('what was given up before anything was seen of it is down too', () => {
  const presence = presenceAfter([100, { worker: false }]);
  presence.givenUp = true;
  assert.deepEqual(names(servicesDown(newEngine(SHIPPED, START), presence, EVERY, moment(105))), [
    'burnline-documents',
  ]);
});

test('a server that does not answer says nothing of the targets behind it', () => {
  const { engine } = stackOf('worker');
  const presence = presenceAfter([100, { worker: true }], [130, 'unheard'], [160, { worker: false }]);
  assert.deepEqual(servicesDown(engine, presence, EVERY, moment(150)), []);
});

test('a service of which nothing was ever seen is not down: that is for ObjectiveBlind to say', () => {
  const presence = presenceAfter([100, { worker: false }], [200, { worker: false }]);
  assert.deepEqual(servicesDown(newEngine(SHIPPED, START), presence, EVERY, moment(200)), []);
});
