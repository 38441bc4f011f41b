/**
 * When the error budget will be spent, if failures go on at the present share. Not by the clock but by the traffic: a burn
 * on Friday evening spends nothing until Monday, if nobody works at the weekend. The usual traffic of each hour of the week
 * is learnt from the ledger's past weeks; in a rolling window old failures fall out as time goes on, and may do so faster
 * than new ones come: then the answer is `never`.
 *
 * The share itself is uncertain, the more so the fewer events it rests on: it is taken with its interval (Wilson's), and so
 * the answer has an earliest and a latest time.
 *
 * Pure. Hours are of UTC: where clocks change, the profile is an hour off until it has learnt that.
 *
 * Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
 */
import { days, hours, type Ratio, ratio, type Seconds, seconds } from '#kernel/units.ts';
import { countsBetween, type Ledger } from './ledger/ledger.ts';
import { newSums, readSums } from './ledger/ring.ts';
import type { Counts } from './objective.ts';

/** Events per second in each hour of the week, from Thursday 00:00 UTC, when the epoch began. */
export type Profile = Float64Array;

export const HOURS_A_WEEK = 168;
const HOUR = hours(1);
const WEEKS_LEARNT = 4;
/** An hour of which less was watched teaches nothing. */
const WATCHED_MIN = 0.5;
/** Nine times in ten the share lies in the interval. */
const Z = 1.645;

export const hourOfWeek = (at: number): number => Math.floor(at / HOUR) % HOURS_A_WEEK;

/** The mean of up to four past weeks, by hour; of hours that were never watched, the mean of all. */
export function learnProfile(ledger: Ledger, now: Seconds): Profile {
  const events = new Float64Array(HOURS_A_WEEK);
  const watched = new Float64Array(HOURS_A_WEEK);
  const end = Math.floor(now / HOUR) * HOUR;
  for (let from = end - WEEKS_LEARNT * days(7); from < end; from += HOUR) {
    const { good, bad, observed } = countsBetween(ledger, seconds(from), seconds(from + HOUR), 'counted');
    if (observed < WATCHED_MIN * HOUR) continue;
    const slot = hourOfWeek(from);
    events[slot] = (events[slot] ?? 0) + good + bad;
    watched[slot] = (watched[slot] ?? 0) + observed;
  }
  const sum = (all: Float64Array) => all.reduce((a, b) => a + b, 0);
  const mean = sum(watched) === 0 ? 0 : sum(events) / sum(watched);
  return events.map((n, slot) => ((watched[slot] ?? 0) === 0 ? mean : n / (watched[slot] ?? 1)));
}

export type Forecast =
  /** Nothing is left now. */
  | { readonly kind: 'spent' }
  /** At the present share; at the upper end of its interval; at the lower (undefined: never). */
  | { readonly kind: 'at'; readonly at: Seconds; readonly earliest: Seconds; readonly latest: Seconds | undefined }
  /** Not within this window; at the upper end of the interval perhaps. */
  | { readonly kind: 'never'; readonly earliest: Seconds | undefined };

export type Course = {
  readonly ledger: Ledger;
  readonly now: Seconds;
  readonly budget: Ratio;
  /** A rolling window looks one period ahead; a calendar window ends, and with it the question. */
  readonly window:
    | { readonly kind: 'rolling'; readonly period: Seconds }
    | { readonly kind: 'calendar'; readonly from: Seconds; readonly to: Seconds };
  readonly profile: Profile;
  /** What the present share is taken from: the last hours. */
  readonly recent: Counts;
};

export function forecast(course: Course): Forecast {
  const { window, recent } = course;
  const from = window.kind === 'rolling' ? seconds(course.now - window.period) : window.from;
  if (isSpent(course, from)) return { kind: 'spent' };
  const [low, share, high] = shareOf(recent);
  const earliest = exhausts(course, from, high);
  const at = exhausts(course, from, share);
  if (at === undefined || earliest === undefined) return { kind: 'never', earliest };
  return { kind: 'at', at, earliest, latest: exhausts(course, from, low) };
}

/** At the present share alone, a third of the work: `now` where it is spent, undefined where it never will be. */
export function exhaustion(course: Course): Seconds | undefined {
  const { window, now, recent } = course;
  const from = window.kind === 'rolling' ? seconds(now - window.period) : window.from;
  return isSpent(course, from) ? now : exhausts(course, from, shareOf(recent)[1]);
}

function isSpent({ ledger, now, budget }: Course, from: Seconds): boolean {
  const { good, bad } = countsBetween(ledger, from, now);
  return bad > 0 && bad >= budget * (good + bad);
}

/** The share of bad events, between the ends of its interval. */
function shareOf({ good, bad }: Counts): readonly [low: Ratio, share: Ratio, high: Ratio] {
  const n = good + bad;
  if (n === 0) return [ratio(0), ratio(0), ratio(0)];
  const share = bad / n;
  const middle = (share + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z / (1 + (Z * Z) / n)) * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  return [ratio(Math.max(0, middle - half)), ratio(share), ratio(Math.min(1, middle + half))];
}

/** Hour by hour: what comes, and of a rolling window what goes. @returns when bad first reaches the budget of all */
function exhausts({ ledger, now, budget, window, profile }: Course, from: Seconds, share: Ratio): Seconds | undefined {
  // Nothing fails: whatever falls out of the window, nothing comes that could use up the last of it.
  if (share === 0) return undefined;
  const end = window.kind === 'rolling' ? now + window.period : window.to;
  const ring = ledger.corrected ?? ledger.counted;
  // The end of one hour's stretch that goes is the beginning of the next one's.
  let [older, newer] = [newSums(), newSums()];
  if (window.kind === 'rolling') readSums(ring, from, older);
  let { good, bad } = countsBetween(ledger, from, now);
  let before = bad - budget * (good + bad);
  for (let at: number = now; at < end; ) {
    const next = Math.min(end, (Math.floor(at / HOUR) + 1) * HOUR);
    const come = (profile[hourOfWeek(at)] ?? 0) * (next - at);
    if (window.kind === 'rolling') {
      readSums(ring, next - window.period, newer);
      good -= newer.good - older.good;
      bad -= newer.bad - older.bad;
      [older, newer] = [newer, older];
    }
    good += come * (1 - share);
    bad += come * share;
    const over = bad - budget * (good + bad);
    if (over >= 0 && come * share > 0) return seconds(at + (next - at) * (before < 0 ? before / (before - over) : 0));
    before = over;
    at = next;
  }
  return undefined;
}
