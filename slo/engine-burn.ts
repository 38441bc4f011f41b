/**
 * How an objective burnt, moment by moment: what its pairs saw, and what was left of its budget. By the functions that judge
 * it now, as far as the ledger still tells: where its buckets are longer than a window, or what a period needs is forgotten,
 * nothing is said.
 */
import { hours, type Seconds, seconds, toMilliseconds, toSeconds } from '#kernel/units.ts';
import { burnRate } from './burn-rate.ts';
import { currentPeriod, type Period } from './calendar.ts';
import type { Engine } from './engine.ts';
import { budgetOf, type Part, partsOf, readOf, WINDOWS } from './engine-view.ts';
import type { Read } from './judge.ts';
import { countsBetween } from './ledger/ledger.ts';
import { bucketOf, keptFrom } from './ledger/ring.ts';
import type { Objective, Window } from './objective.ts';
import { duration } from './verdict.ts';

export type BurnStep = {
  readonly at: Seconds;
  /** As it stood then, of the period that contained the moment. Null: not all of that period is known any more. */
  readonly budgetRemaining: number | null;
  /** Of the present period: 1 at its beginning, what is left now at its end, and never more than before. Null outside of it. */
  readonly burnDown: number | null;
  /** Share of the step before that was watched. */
  readonly coverage: number;
  /** By the windows of its pairs, `1h` always among them. Null: nothing was seen, or it is not known so finely any more. */
  readonly burnRates: Readonly<Record<string, number | null>>;
};

export type Stretch = { readonly from: Seconds; readonly to: Seconds; readonly step: Seconds };

/** At `from`, each step after it, and `to`. Undefined: there is no such objective. */
export function burnOf(engine: Engine, id: string, stretch: Stretch, now: Seconds): readonly BurnStep[] | undefined {
  const watched = engine.watched.get(id);
  if (watched === undefined) return undefined;
  const parts = partsOf(engine, watched);
  const read = readOf(parts);
  const { objective, judged } = watched;
  const lengths = [hours(1), ...judged.rules.flatMap(({ rule }) => [rule.short, rule.long])];
  const windows = [...new Set(lengths)].sort((a, b) => a - b).map((length) => ({ name: nameOf(length), length }));
  const remaining = remainingOf(objective, parts);
  const left = burnDownOf(objective, parts, now);
  return momentsOf(stretch).map((at): BurnStep => {
    const { observed, length } = read(seconds(at - stretch.step), at);
    return {
      at,
      budgetRemaining: remaining(at),
      burnDown: left(at),
      coverage: observed / length,
      burnRates: Object.fromEntries(
        windows.map((one) => [one.name, rateOf(objective, parts, read, seconds(at - one.length), at)]),
      ),
    };
  });
}

/** The burn rate of each step by itself, from `from` on. Undefined: there is no such objective. */
export function sparklineOf(
  engine: Engine,
  id: string,
  { from, to, step }: Stretch,
): readonly (number | null)[] | undefined {
  const watched = engine.watched.get(id);
  if (watched === undefined) return undefined;
  const parts = partsOf(engine, watched);
  const read = readOf(parts);
  const count = Math.round((to - from) / step);
  return Array.from({ length: count }, (_, i) => {
    const begin = seconds(from + i * step);
    return rateOf(watched.objective, parts, read, begin, seconds(begin + step));
  });
}

function momentsOf({ from, to, step }: Stretch): Seconds[] {
  const count = Math.ceil((to - from) / step);
  return [...Array.from({ length: count }, (_, i) => seconds(from + i * step)), to];
}

function rateOf({ budget }: Objective, parts: readonly Part[], read: Read, from: Seconds, to: Seconds): number | null {
  const counts = read(from, to);
  if (counts.good + counts.bad === 0 && counts.observed === 0) return null;
  const isFine = parts.every(({ ledger }) => {
    const { from: begins, to: ends } = bucketOf(ledger.counted, from);
    return ends - begins <= to - from;
  });
  return isFine ? burnRate(counts, budget) : null;
}

function remainingOf(objective: Objective, parts: readonly Part[]): (at: Seconds) => number | null {
  const known = Math.max(...parts.map(({ ledger }) => keptFrom(ledger.counted)));
  const began = Math.min(...parts.map(({ ledger }) => ledger.counted.start));
  const periodAt = periodsOf(objective.window);
  return (at) => {
    if (parts.length === 0 || at <= began) return null;
    const from = toSeconds(periodAt(at).start);
    return from < known ? null : budgetOf(objective, parts, from, at).value;
  };
}

/** A calendar's boundary is dear to find, and the same for many moments. */
function periodsOf(window: Window): (at: Seconds) => Period {
  let last: Period | undefined;
  return (at) => {
    const moment = toMilliseconds(at);
    if (window.kind === 'rolling' || last === undefined || moment < last.start || moment >= last.end) {
      last = currentPeriod(window, moment);
    }
    return last;
  };
}

/** What was spent until then, of the budget of all events that the period has had until now. */
function burnDownOf(
  { window, budget }: Objective,
  parts: readonly Part[],
  now: Seconds,
): (at: Seconds) => number | null {
  const from = toSeconds(currentPeriod(window, toMilliseconds(now)).start);
  const totals = parts.map(({ ledger }) => {
    const { good, bad } = countsBetween(ledger, from, now);
    return good + bad;
  });
  return (at) => {
    if (parts.length === 0 || at < from || at > now) return null;
    const shares = parts.map(({ weight, ledger }, i) => {
      const { bad } = countsBetween(ledger, from, at);
      return bad === 0 ? 0 : (weight * bad) / (totals[i] ?? bad);
    });
    return 1 - shares.reduce((a, b) => a + b, 0) / budget;
  };
}

const NAMES = new Map<number, string>(Object.entries(WINDOWS).map(([name, length]) => [length, name]));
const nameOf = (length: Seconds): string => NAMES.get(length) ?? duration(length);
