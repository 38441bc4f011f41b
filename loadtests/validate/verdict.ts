/** What a validation comes to: the same or better, or different in a way that matters. Pure. */
import { type Baseline, holds } from './baseline.ts';
import { compareFacts, type FactDifference } from './compare.ts';
import type { CheckName, CheckResult } from './facts.ts';
import { comparePaces, type Pace } from './performance.ts';
import type { Seen } from './run.ts';
import { troublesOf } from './troubles.ts';

export type NotCompared = { readonly name: string; readonly because: string };
export type Validation = {
  readonly verdict: 'same' | 'differs';
  readonly target: string;
  readonly run: string;
  /** ISO 8601. */
  readonly begunAt: string;
  readonly seconds: number;
  readonly versions: { readonly baseline: string; readonly target: string };
  readonly checks: readonly { readonly check: CheckName; readonly facts: number; readonly ms: number }[];
  readonly differences: readonly FactDifference[];
  readonly paces: readonly Pace[];
  readonly notCompared: readonly NotCompared[];
  readonly notes: readonly string[];
  /** Documents that could not be erased. */
  readonly left: readonly string[];
};
export type Visited = Pick<Validation, 'target' | 'run' | 'begunAt' | 'seconds'> & { readonly slower: number };

export function validationOf(baseline: Baseline, { version, results, left }: Seen, visited: Visited): Validation {
  const comparable = results.filter(({ check }) => holds(baseline, check));
  const differences = [...compareFacts(baseline.behaviour, comparable), ...troublesOf(results)];
  const samples = Object.assign({}, ...results.map((one) => one.samples));
  const paces = comparePaces(baseline.performance, samples, visited.slower);
  const matters = [...differences, ...paces].some((one) => one.matters);
  const { target, run, begunAt, seconds } = visited;
  return {
    verdict: matters ? 'differs' : 'same',
    target,
    run,
    begunAt,
    seconds,
    versions: { baseline: baseline.version, target: version },
    checks: results.map(({ check, facts, took }) => ({
      check,
      facts: Object.keys(facts).length,
      ms: Math.round(took),
    })),
    differences,
    paces,
    notCompared: notComparedOf(baseline, results, samples),
    notes: results.flatMap(({ check, notes }) => notes.map((note) => `${check}: ${note}`)),
    left,
  };
}

function notComparedOf(
  baseline: Baseline,
  results: readonly CheckResult[],
  samples: Readonly<Record<string, unknown>>,
): NotCompared[] {
  const unseen = results.flatMap(({ notSeen }) =>
    Object.entries(notSeen).map(([name, because]) => ({ name: name.replace(/\/$/, ''), because })),
  );
  const absent = results
    .filter(({ check }) => !holds(baseline, check))
    .map(({ check }) => ({ name: check, because: 'the baseline holds nothing of it' }));
  const measured = results.some(({ check }) => check === 'performance') ? Object.keys(baseline.performance) : [];
  const unmeasured = measured
    .filter((name) => samples[name] === undefined)
    .map((name) => ({ name: `performance/${name}`, because: 'nothing could be measured' }));
  return [...unseen, ...absent, ...unmeasured];
}
