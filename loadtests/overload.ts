/**
 * What must hold of a service that is asked for three times what it can do: it goes on doing what it can, turns the rest away
 * in so many words, and what it has taken comes to an end.
 *
 * Pure.
 */
import type { Entry } from './book.ts';
import type { PhaseResult } from './phases.ts';
import { share } from './words.ts';

/** Of the goodput at the knee. */
export const GOODPUT_LEAST = 0.9;
/** The wait from which on it turns documents away (worker/load.ts), and as much again for what the estimate did not know. */
export const WAITED_MOST_MS = 2 * 15 * 60_000;

/** @param phases of an overload, the knee among them. @returns what did not hold, in words. */
export function overloadFaults(phases: readonly PhaseResult[], entries: Iterable<Entry>): string[] {
  const faults: string[] = [];
  const [knee, overload] = ['knee', 'overload'].map((name) => phases.find(({ phase }) => phase.name === name));
  if (knee === undefined || overload === undefined) return ['it never came to more than it can do'];
  if (overload.goodput < GOODPUT_LEAST * knee.goodput) {
    const kept = share(overload.goodput, knee.goodput);
    faults.push(`the goodput fell to ${kept} of that at the knee, ${share(GOODPUT_LEAST, 1)} is the least`);
  }
  const refusals = new Map<string, number>();
  let [late, turnedAway, unanswered] = [0, 0, 0];
  for (const { outcome, code, phase, ms = 0 } of entries) {
    if (outcome === 'refused' && code !== 'overloaded') refusals.set(code, (refusals.get(code) ?? 0) + 1);
    if (outcome === 'refused' && code === 'overloaded' && phase === overload.phase.name) turnedAway++;
    if (outcome === 'unanswered') unanswered++;
    if (outcome === 'completed' && ms > WAITED_MOST_MS) late++;
  }
  if (turnedAway === 0) faults.push('it turned nothing away: its queue has no limit, or the test was too short');
  if (unanswered > 0) faults.push(`${unanswered} uploads got no answer, or one of a fault, and not overloaded`);
  for (const [code, count] of refusals) faults.push(`${count} uploads were refused as ${code}, not as overloaded`);
  if (late > 0) faults.push(`${late} that were accepted took longer than ${WAITED_MOST_MS / 60_000} minutes`);
  return faults;
}
