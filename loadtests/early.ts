/**
 * When a test is over before its time: when nothing that may still come can change what it says. Not when it is merely
 * likely: failures come in clumps, and half a minute's outage at the beginning of a night's soak is within the objective.
 *
 * Pure; asked every two seconds.
 */
import type { Milliseconds } from '#kernel/units.ts';
import { type Entry, isOpen } from './book.ts';
import type { Phase } from './k6/plan.ts';
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
  const surely = new Map<string, { failed: number; late: number }>();
  for (const entry of entries) {
    if (entry.outcome === 'missing') {
      return { kind: 'stop', because: `document ${entry.id} was accepted and is not there: nothing mends that` };
    }
    const failed = entry.outcome === 'failed';
    const late = isLate(entry, promises.onTime, now);
    if (!failed && !late) continue;
    const counts = surely.get(entry.phase) ?? { failed: 0, late: 0 };
    if (failed) counts.failed++;
    else counts.late++;
    surely.set(entry.phase, counts);
  }
  const judged = phases.filter(({ judged: is }) => is);
  // Each step of a climb is judged by itself; of the others, all that is judged together.
  const groups = climbs ? phases.map((phase) => [phase]) : [judged];
  for (const group of groups) {
    const planned = group.reduce((sum, phase) => sum + plannedIn(phase), 0);
    const sum = (of: 'failed' | 'late') => group.reduce((n, { name }) => n + (surely.get(name)?.[of] ?? 0), 0);
    const where = climbs ? `at ${group[0]?.rate} documents a second` : 'in all';
    const processed = promises['documents-processed'];
    if (sum('failed') > processed.budget * planned) {
      return { kind: 'stop', because: tooMany(sum('failed'), 'failed', planned, where) };
    }
    if (sum('late') > promises['documents-on-time'].budget * planned) {
      return { kind: 'stop', because: tooMany(sum('late'), 'are late', planned, where) };
    }
  }
  return GO_ON;
}

/** Completed too late, or still not at an end when it is too late. */
function isLate(entry: Entry, onTime: Milliseconds, now: number): boolean {
  if (entry.outcome === 'completed') return (entry.ms ?? 0) > onTime;
  return isOpen(entry) && now - entry.sentAt > onTime;
}

const tooMany = (n: number, what: string, planned: number, where: string): string =>
  `${n} documents ${what} ${where}, of ${planned}: more than may, whatever comes`;
