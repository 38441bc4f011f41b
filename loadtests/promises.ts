/**
 * What a load test holds a service to: the objectives themselves, read from their files, and nothing beside them. What is a
 * limit in a query (`le="30"`) is a limit here, so that nobody keeps the same number in two places.
 *
 * Pure: the caller reads the files.
 */
import { Fault } from '#kernel/errors.ts';
import { type Milliseconds, type Ratio, type Seconds, seconds, toMilliseconds } from '#kernel/units.ts';
import type { Objective } from '#slo/objective.ts';
import { type ObjectiveFile, readObjectives } from '#slo/openslo/read.ts';

export const PROMISED = ['documents-processed', 'documents-on-time', 'api-available', 'api-fast'] as const;
export type Promised = (typeof PROMISED)[number];

export type Promises = Readonly<Record<Promised, OnePromise>> & {
  /** Longest time from an upload to completed. */
  readonly onTime: Milliseconds;
  /** Longest time of an answer. */
  readonly fast: Milliseconds;
};
export type OnePromise = {
  readonly name: Promised;
  /** By which the router knows it. */
  readonly id: string;
  readonly displayName: string;
  readonly target: Ratio;
  /** 1 − target, without the noise of the subtraction. */
  readonly budget: Ratio;
  /** Of the window that the budget is for. */
  readonly period: Seconds;
};

/** @throws {Fault} `objectives_unfit`, saying which is missing or what it does not say. */
export function promisesOf(files: readonly ObjectiveFile[]): Promises {
  const { objectives, faults } = readObjectives(files, { strict: false, references: true });
  const [fault] = faults;
  if (fault !== undefined) throw unfit(`${fault.file}:${fault.line}:${fault.column} ${fault.message}`);
  const found = (name: Promised): Objective => {
    const objective = objectives.find((one) => one.name === name);
    if (objective === undefined) throw unfit(`there is none that is named ${name}`);
    return objective;
  };
  const promises = Object.fromEntries(PROMISED.map((name) => [name, promiseOf(name, found(name))]));
  return {
    ...(promises as Record<Promised, OnePromise>),
    onTime: limitOf(found('documents-on-time')),
    fast: limitOf(found('api-fast')),
  };
}

function promiseOf(name: Promised, { id, displayName, target, budget, window }: Objective): OnePromise {
  if (window.kind !== 'rolling') throw unfit(`${name} has a calendar's window; a test needs a rolling one`);
  return { name, id, displayName, target, budget, period: window.period };
}

/** The bucket that is good: `le` of the good query, in seconds. */
function limitOf({ name, indicator }: Objective): Milliseconds {
  const good = indicator.kind === 'ratio' ? indicator.good : undefined;
  const matchers = good?.kind === 'selector' ? good.selector.matchers : [];
  const limit = Number(matchers.find(({ label, op }) => label === 'le' && op === '=')?.value);
  if (!(limit > 0)) throw unfit(`${name} has no good query with a bucket's limit (le="…") in it`);
  return toMilliseconds(seconds(limit));
}

const unfit = (why: string): Fault =>
  new Fault('objectives_unfit', `Cannot make a load test from the objectives: ${why}`);
