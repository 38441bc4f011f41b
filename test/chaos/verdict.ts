/**
 * What must hold of a scenario, stated before it runs; and whether it held.
 *
 * Pure. A page is in time within a minute (`pages-delivered`, slo/objectives); a document is late after documents-on-time's limit.
 */
import type { Milliseconds, Ratio } from '#kernel/units.ts';
import type { Difference } from '#loadtests/accounts.ts';
import type { Entry } from '#loadtests/book.ts';
import { share, time } from '#loadtests/words.ts';
import { exactPercent } from '#slo/verdict.ts';

export const CHANNELS = ['pagerduty', 'slack', 'email'] as const;
export type Channel = (typeof CHANNELS)[number];
export const PAGE_WITHIN = 60_000 as Milliseconds;

export type Holds = {
  /** From the fault's end. */
  readonly recoverWithin: Milliseconds;
  /** The page must come, by one channel at least. Otherwise it must only where less than the promised share is kept. */
  readonly paged: boolean;
  /** Who must have been told in the end; the first of them within the time. */
  readonly toldBy?: readonly Channel[];
  /** Of another tenant: nothing is lost, or, where the fault is not everybody's, all of its documents are completed in time. */
  readonly neighbour: 'nothing lost' | 'undisturbed';
  /** The promised share is kept, whether somebody is paged or not. */
  readonly kept: boolean;
};

/** A document as the scenario knows it, with wall times in milliseconds. */
export type Traced = Entry & {
  /** Undefined: it did not end. */
  readonly endedAt: number | undefined;
};

/** `after`: milliseconds from the fault's beginning. */
export type Opened = { readonly service: string; readonly summary: string; readonly after: number };

export type Measured = {
  readonly ours: readonly Traced[];
  readonly neighbours: readonly Traced[];
  readonly differences: readonly Difference[];
  /** Documents of which something can be seen twice: two ends, a chunk twice. */
  readonly repeated: readonly string[];
  readonly faultBegan: number;
  readonly faultEnded: number;
  /** From the fault's beginning, where it arrived. */
  readonly pages: Readonly<Partial<Record<Channel, number>>>;
  /** The pages that opened something at PagerDuty. */
  readonly opened: readonly Opened[];
  /** Processes that ended and that nobody killed. */
  readonly accidents: readonly string[];
  readonly target: Ratio;
  readonly onTime: Milliseconds;
};

export type Judgement = {
  readonly holds: string;
  readonly kept: boolean;
  readonly says: string;
  /** A machine that is too busy breaks it too: nothing for a test that must pass anywhere. */
  readonly timed: boolean;
};

/** In words, before anything is done. */
export function statement(holds: Holds, target: Ratio): string[] {
  const { paged, toldBy, kept } = holds;
  const promised = `${exactPercent(target)} of the documents are processed`;
  return [
    'no document is lost',
    'none is processed twice to a visible effect',
    kept ? promised : `${promised}, or the page comes within ${time(PAGE_WITHIN)}`,
    ...(paged ? [`the page comes within ${time(PAGE_WITHIN)} by a channel that works, once`] : []),
    ...(toldBy ? [`in the end it is in ${toldBy.join(', ')}`] : []),
    `all is well again within ${time(holds.recoverWithin)} after the fault`,
    holds.neighbour === 'undisturbed'
      ? 'another tenant’s documents are all completed in time'
      : 'no document of another tenant is lost',
    'no process ends that nobody killed',
  ];
}

/** One for each sentence of `statement`, in its order. */
export function judge(holds: Holds, measured: Measured): Judgement[] {
  const { pages, opened, accidents, target } = measured;
  const { processed, failed } = figures(measured);
  const isKept = failed <= (1 - target) * (processed + failed) + EPSILON;
  const first = firstPage(measured);
  const inTime = first !== undefined && first <= PAGE_WITHIN;
  const page = first === undefined ? 'no page came' : `the page came after ${time(first)}`;
  const recovered = timeToRecover(measured);
  const said: [kept: boolean, says: string, timed?: true][] = [
    lossOf(measured),
    repeatsOf(measured),
    [
      isKept || (!holds.kept && inTime),
      `${share(processed, processed + failed)}; ${page}`,
      ...(holds.kept ? ([] as const) : ([true] as const)),
    ],
    ...(holds.paged ? [pageOf(inTime, page, opened)] : []),
    ...(holds.toldBy
      ? [[holds.toldBy.every((one) => pages[one] !== undefined), pagesInWords(pages)] as [boolean, string]]
      : []),
    [
      recovered <= holds.recoverWithin,
      Number.isFinite(recovered) ? time(recovered) : `not at all: ${notWell(measured)}`,
      true,
    ],
    neighbourOf(holds, measured),
    [accidents.length === 0, accidents.length === 0 ? 'none did' : (accidents[0] ?? '')],
  ];
  const sentences = statement(holds, target);
  return said.map(([kept, says, timed = false], i) => ({ holds: sentences[i] ?? '', kept, says, timed }));
}

/** Two services may be in danger at once, and each is told of; one of them is told of once. */
function pageOf(inTime: boolean, page: string, opened: readonly Opened[]): [boolean, string, true] {
  const isOnce = new Set(opened.map(({ service }) => service)).size === opened.length;
  const others = opened.slice(1).map(({ service, after }) => `, then of ${service} after ${time(after)}`);
  return [inTime && isOnce, `${page}${others.join('')}`, true];
}

const EPSILON = 1e-9;
const LOST: readonly Difference['kind'][] = ['lost', 'unfinished'];
const TWICE: readonly Difference['kind'][] = ['twice', 'stranger'];

export const idsOf = ({ differences: all }: Measured, kinds: readonly Difference['kind'][]): string[] =>
  all.filter(({ kind }) => kinds.includes(kind)).flatMap(({ ids }) => ids);
export const lostIds = (measured: Measured): string[] => idsOf(measured, LOST);
export const twiceIds = (measured: Measured): string[] => [...idsOf(measured, TWICE), ...measured.repeated];

/** Every other difference of the counts is one too: a count that is wrong hides the next loss. */
function lossOf(measured: Measured): [boolean, string] {
  const bad = measured.differences.filter(({ kind }) => !TWICE.includes(kind));
  if (bad.length === 0) return [true, 'the counts agree to the document'];
  return [
    false,
    bad.map(({ says, ids }) => (ids.length === 0 ? says : `${says}: ${ids.slice(0, 5).join(', ')}`)).join('; '),
  ];
}

function repeatsOf(measured: Measured): [boolean, string] {
  const ids = twiceIds(measured);
  return [ids.length === 0, ids.length === 0 ? 'none is' : `${ids.length} are: ${ids.slice(0, 5).join(', ')}`];
}

function neighbourOf({ neighbour }: Holds, measured: Measured): [boolean, string, true?] {
  const { neighbours, onTime } = measured;
  const own = new Set(neighbours.map(({ id }) => id));
  const lost = lostIds(measured).filter((id) => own.has(id)).length;
  const late = neighbours.filter((one) => !isWell(one, onTime)).length;
  const says = `${neighbours.length} documents, ${lost} lost, ${late} late or failed`;
  if (neighbour === 'nothing lost') return [lost === 0, says];
  return [lost === 0 && late === 0, says, true];
}

/** Rejected by right is an end as good as any. */
function isWell({ outcome, sentAt, endedAt }: Traced, onTime: Milliseconds): boolean {
  return (outcome === 'completed' || outcome === 'rejected') && endedAt !== undefined && endedAt - sentAt <= onTime;
}

/** Rejected documents are no events of the objective; what did not end was not processed. */
export function figures({ ours, neighbours }: Measured): { documents: number; processed: number; failed: number } {
  const all = [...ours, ...neighbours].filter(({ id }) => id !== '');
  const processed = all.filter(({ outcome }) => outcome === 'completed').length;
  const rejected = all.filter(({ outcome }) => outcome === 'rejected').length;
  return { documents: all.length, processed, failed: all.length - processed - rejected };
}

export function firstPage({ pages }: Measured): number | undefined {
  const found = Object.values(pages);
  return found.length === 0 ? undefined : Math.min(...found);
}

/**
 * From the fault's end until what was sent before it is at its end, and from where on everything that was sent was processed
 * in time. Infinity: nobody saw that, which is no recovery.
 */
export function timeToRecover(measured: Measured): number {
  const { ours, neighbours, faultEnded, onTime } = measured;
  if (notWell(measured) !== undefined) return Number.POSITIVE_INFINITY;
  let well = faultEnded;
  for (const one of [...ours, ...neighbours]) {
    if (one.sentAt <= faultEnded) well = Math.max(well, one.endedAt ?? faultEnded);
    else if (!isWell(one, onTime)) well = Math.max(well, one.sentAt);
  }
  return well - faultEnded;
}

/** Why it is not well again, however long one waits. */
function notWell({ ours, neighbours, faultEnded, onTime }: Measured): string | undefined {
  const all = [...ours, ...neighbours];
  const untaken = all.filter(({ id }) => id === '').length;
  if (untaken > 0) return `${untaken} uploads were never taken, however often they were tried`;
  const open = all.filter(({ endedAt }) => endedAt === undefined).length;
  if (open > 0) return `${open} documents did not come to an end`;
  if (!ours.some(({ sentAt }) => sentAt > faultEnded)) return 'nothing was sent after the fault';
  for (const stream of [ours, neighbours]) {
    const last = stream.toSorted((a, b) => a.sentAt - b.sentAt).at(-1);
    if (last !== undefined && last.sentAt > faultEnded && !isWell(last, onTime))
      return 'the last document was late, or failed';
  }
  return undefined;
}

export const pagesInWords = (pages: Measured['pages']): string =>
  CHANNELS.map((one) => `${one} ${pages[one] === undefined ? 'never' : time(pages[one])}`).join(', ');

/** As a load test's. */
export const BROKEN = 99;
export const NOT_RUN = 1;
export const USAGE = 2;

/** What was found to be broken outweighs what could not be run. */
export function exitCodeOf(results: readonly { readonly verdict: 'kept' | 'broken' }[], notRun: boolean): number {
  if (results.some(({ verdict }) => verdict === 'broken')) return BROKEN;
  return notRun ? NOT_RUN : 0;
}
