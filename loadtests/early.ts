/**
 * When a test is over before its time: when nothing that may still come can change what it says. Not when it is merely
 * likely: failures come in clumps, and half a minute's outage at the beginning of a night's soak is within the objective.
 *
 * Pure; asked every two seconds.
 */
import type { Milliseconds } from '#kernel/units.ts';
import { type Entry, isOpen } from './book.ts';
import type { Phase } from './k6/plan.ts';
import { REFUSED_MOST } from './phases.ts';
import type { Promises } from './promises.ts';
import { plannedIn } from './scenarios.ts';

export type Decision = { readonly kind: 'go on' } | { readonly kind: 'stop'; readonly because: string };

export type EarlyView = {
  readonly phases: readonly Phase[];
  /** Is a knee looked for? Then one phase that is surely broken is all there is to learn. */
  readonly climbs: boolean;
  readonly entries: Iterable<Entry>;
  readonly promises: Promises;
  /** Wall time, as in the entries. */
  readonly now: number;
};

const GO_ON: Decision = { kind: 'go on' };

export function decideEarly({ phases, climbs, entries, promises, now }: EarlyView): Decision {
  const surely = new Map<string, Counts>();
  for (const entry of entries) {
    if (entry.outcome === 'missing') {
      return { kind: 'stop', because: `document ${entry.id} was accepted and is not there: nothing mends that` };
    }
    const what = faultOf(entry, promises.onTime, now);
    if (what === undefined) continue;
    const counts = surely.get(entry.phase) ?? { failed: 0, late: 0, refused: 0 };
    counts[what]++;
    surely.set(entry.phase, counts);
  }
  const judged = phases.filter(({ judged: is }) => is);
  // Each step of a climb is judged by itself; of the others, all that is judged together.
  const groups = climbs ? phases.map((phase) => [phase]) : [judged];
  const limits: readonly [keyof Counts, number][] = [
    ['failed', promises['documents-processed'].budget],
    ['late', promises['documents-on-time'].budget],
    ['refused', REFUSED_MOST],
  ];
  for (const group of groups) {
    const planned = group.reduce((sum, phase) => sum + plannedIn(phase), 0);
    for (const [what, share] of limits) {
      const count = group.reduce((n, { name }) => n + (surely.get(name)?.[what] ?? 0), 0);
      if (count <= share * planned) continue;
      const where = climbs ? `at ${group[0]?.rate} documents a second` : 'in all';
      return {
        kind: 'stop',
        because: `${count} documents are ${what} ${where}, of ${planned}: more than may, whatever comes`,
      };
    }
  }
  return GO_ON;
}

type Counts = Record<'failed' | 'late' | 'refused', number>;

function faultOf(entry: Entry, onTime: Milliseconds, now: number): keyof Counts | undefined {
  if (entry.outcome === 'failed' || entry.outcome === 'refused') return entry.outcome;
  return isLate(entry, onTime, now) ? 'late' : undefined;
}

/** Completed too late, or still not at an end when it is too late. */
function isLate(entry: Entry, onTime: Milliseconds, now: number): boolean {
  if (entry.outcome === 'completed') return (entry.ms ?? 0) > onTime;
  return isOpen(entry) && now - entry.sentAt > onTime;
}
