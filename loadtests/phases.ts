/**
 * A test phase by phase, and the knee: the highest rate of arrivals at which all promises hold and the wait does not grow.
 * Beyond it documents arrive faster than they are done, so that what comes later waits longer, without end; in a short phase
 * the promises may hold all the same.
 *
 * Pure.
 */
import { type Milliseconds, milliseconds, toSeconds } from '#kernel/units.ts';
import type { Entry } from './book.ts';
import { countDocuments, type Judged, judgeAll, type Tried } from './judge.ts';
import type { Phase } from './k6/plan.ts';
import type { Promises } from './promises.ts';
import { plannedIn } from './scenarios.ts';

export type PhaseResult = {
  readonly phase: Phase;
  readonly sent: number;
  /** Documents that were to be sent while it lasted. */
  readonly planned: number;
  /** Answered that there is no room, until patience was over. */
  readonly refused: number;
  readonly completed: number;
  /** A second: documents that were sent. */
  readonly offered: number;
  /** A second: documents, of whatever phase, whose completion fell into this one. */
  readonly goodput: number;
  /** Milliseconds from sent to completed; undefined where none was. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly judged: readonly Judged[];
  /** Why it was not borne; empty: it was. */
  readonly broken: readonly string[];
};

/** With less than this share of what was planned, less a document or two at its borders, it was another test. */
const OFFERED_LEAST = 0.95;
const AT_BORDERS = 2;
export const isOffered = ({ sent, planned }: Pick<PhaseResult, 'sent' | 'planned'>): boolean =>
  sent >= OFFERED_LEAST * planned - AT_BORDERS;
/** More than this share of the uploads turned away is no service at this rate. */
export const REFUSED_MOST = 0.02;
/**
 * Seconds that the wait grows by in a second. With λ that come and μ that are done it is λ/μ − 1, since what waits grows by
 * λ − μ and is done at μ: here less than 91 % of what comes is done.
 */
const GROWS_MOST = 0.1;
/** Of a third of a phase: fewer say nothing. */
const THIRD_LEAST = 5;

/**
 * @param api what k6 counted of the API's answers in a phase.
 * @param isWhole it was not ended early.
 */
export function phaseResults(
  phases: readonly Phase[],
  entries: Iterable<Entry>,
  api: (phase: string) => Pick<Tried, 'api-available' | 'api-fast'>,
  promises: Promises,
  isWhole: boolean,
): PhaseResult[] {
  const all = [...entries];
  const byPhase = Map.groupBy(all, ({ phase }) => phase);
  const begun = all.reduce((first, { sentAt }) => Math.min(first, sentAt), Number.MAX_VALUE);
  const ends = all.flatMap(({ outcome, sentAt, ms = 0 }) => (outcome === 'completed' ? [sentAt + ms - begun] : []));
  // A test that ended early never came to the later ones, and not to the end of its last.
  const begunOnes = phases.filter(({ name }) => byPhase.has(name));
  const last = begunOnes.at(-1);
  const sentUntil = all.reduce((latest, { sentAt }) => Math.max(latest, sentAt), 0) - begun;
  return begunOnes.map((phase) => {
    const until = phase === last && !isWhole ? Math.min(phase.to, Math.max(sentUntil, phase.from + 1_000)) : phase.to;
    const length = milliseconds(until - phase.from);
    const done = ends.filter((at) => at >= phase.from && at < until).length;
    const found = resultOf(phase, byPhase.get(phase.name) ?? [], length, api(phase.name), promises);
    return { ...found, goodput: done / toSeconds(length) };
  });
}

function resultOf(
  phase: Phase,
  entries: readonly Entry[],
  length: Milliseconds,
  api: Pick<Tried, 'api-available' | 'api-fast'>,
  promises: Promises,
): Omit<PhaseResult, 'goodput'> {
  const completed = entries.filter(({ outcome }) => outcome === 'completed');
  const refused = entries.filter(({ outcome }) => outcome === 'refused' || outcome === 'unanswered').length;
  const times = completed.flatMap(({ ms }) => (ms === undefined ? [] : [ms]));
  const judged = judgeAll(promises, { ...countDocuments(entries, promises.onTime), ...api }, length);
  const [sent, planned] = [entries.length, plannedIn({ ...phase, to: phase.from + length })];
  const broken = [
    ...(isOffered({ sent, planned }) ? [] : ['Not offered']),
    ...judged.flatMap(({ state, promise }) => (state === 'broken' ? [promise.displayName] : [])),
    ...(refused > REFUSED_MOST * sent ? ['Uploads refused'] : []),
    ...(waitGrows(completed) > GROWS_MOST ? ['Falls behind'] : []),
  ];
  return {
    phase,
    sent,
    planned,
    refused,
    completed: completed.length,
    offered: sent / toSeconds(length),
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    judged,
    broken,
  };
}

/** @returns seconds a second, from the first third of them to the last; 0 where too few were completed to say. */
function waitGrows(completed: readonly Entry[]): number {
  const inOrder = completed.toSorted((a, b) => a.sentAt - b.sentAt);
  const third = Math.floor(inOrder.length / 3);
  if (third < THIRD_LEAST) return 0;
  const middle = (of: readonly Entry[], what: (one: Entry) => number) => quantile(of.map(what), 0.5) ?? 0;
  const [first, last] = [inOrder.slice(0, third), inOrder.slice(-third)];
  const between = (what: (one: Entry) => number) => middle(last, what) - middle(first, what);
  const apart = between(({ sentAt }) => sentAt);
  return apart > 0 ? between(({ ms = 0 }) => ms) / apart : 0;
}

/** Nearest rank. */
export function quantile(values: readonly number[], q: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)];
}

export type Knee =
  /** Borne at `rate`, and at `brokenAt` no more. */
  | { readonly kind: 'found'; readonly rate: number; readonly brokenAt: number; readonly why: readonly string[] }
  /** Whatever was tried was borne: it lies higher. */
  | { readonly kind: 'above'; readonly rate: number }
  /** Not even the lowest was. */
  | { readonly kind: 'below'; readonly brokenAt: number; readonly why: readonly string[] };

/** @param results of phases whose rates rise. What holds again after one that broke is luck, and no knee. */
export function findKnee(results: readonly PhaseResult[]): Knee {
  const first = results.findIndex(({ broken }) => broken.length > 0);
  const broken = results[first];
  const last = results[first < 0 ? results.length - 1 : first - 1];
  if (broken === undefined) return { kind: 'above', rate: last?.phase.rate ?? 0 };
  const [brokenAt, why] = [broken.phase.rate, broken.broken];
  return last === undefined
    ? { kind: 'below', brokenAt, why }
    : { kind: 'found', rate: last.phase.rate, brokenAt, why };
}
