/**
 * All objectives, live: scrapes go in, changes of verdicts come out. The router drives it (`enter` for each answer of a
 * target, `tick` every few seconds), and so may a test: nothing here waits, and time is an argument.
 *
 * Between two scrapes nothing is judged again, as in a replay: what is said follows from what was seen. Only that nothing
 * is seen any more is noticed by the clock alone. An engine is changed in place.
 */
import { days, type Seconds } from '#kernel/units.ts';
import { type Away, type Sight, sightOf } from './blindness.ts';
import { leavesOf, partsEvidence, type WeightedRead, weighted } from './composite.ts';
import type { Exposition } from './exposition/read-samples.ts';
import {
  advance,
  conclude,
  hasNews,
  type Judged,
  judge,
  makeJudged,
  newStanding,
  rebase,
  type Standing,
} from './judge.ts';
import {
  type Book,
  dismissTarget,
  type Entered,
  enterCorrection,
  enterScrape,
  newBook,
  replan,
  type Visit,
} from './ledger/book.ts';
import type { Correction } from './ledger/corrections.ts';
import { countsBetween, type Ledger } from './ledger/ledger.ts';
import { type Plan, planOf } from './ledger/plan.ts';
import type { Objective } from './objective.ts';
import { isChange, type Verdict } from './verdict.ts';

export type Engine = {
  readonly book: Book;
  /** The objectives as they were given, by id. */
  readonly watched: Map<string, Watched>;
  /** What is counted and judged by the detector: they and the parts of composites, by id. */
  readonly counted: Map<string, Counted>;
  /** All that are asked, whether they answer or not, and how often. */
  readonly targets: Map<string, Seconds>;
  /** When objectives left whose history is still kept. */
  readonly left: Map<string, Seconds>;
  /** The last time between a checkpoint and its restoration. */
  away: Away | undefined;
  /** How large a checkpoint of it will be, by the last one. */
  expectedBytes: number | undefined;
};

export type Watched = {
  readonly objective: Objective;
  readonly judged: Judged;
  readonly leaves: readonly { readonly weight: number; readonly id: string }[];
  /** Why it cannot be judged here, if so. */
  readonly unjudged: string | undefined;
  /** Undefined until something can be said. */
  verdict: Verdict | undefined;
  since: Seconds;
};

export type Counted = {
  readonly judged: Judged;
  readonly standing: Standing;
  readonly metric: string;
  /** Since when no target shows it; of one that is served it says nothing. */
  awaitedSince: Seconds;
  sight: Sight;
  /** It was corrected, or promises something else: to be judged again although nothing came. */
  moved: boolean;
};

export type Change = {
  readonly at: Seconds;
  readonly objective: Objective;
  /** Undefined: nothing was said yet. */
  readonly from: Verdict | undefined;
  readonly to: Verdict;
};

export type EngineOptions = {
  /** How far back ledgers reach at least, for reports. */
  readonly kept?: Seconds;
  readonly targets?: readonly Target[];
};
export type Target = { readonly id: string; readonly interval: Seconds };

/** After the usual period nothing of an objective's window is left, and nobody will bring it back. */
export const LEFT_KEPT = days(28);
/** A hundred kilobytes each; ids that change at every reload must not fill the memory. */
export const LEFT_MAX = 1_000;

export function newEngine(objectives: readonly Objective[], now: Seconds, options: EngineOptions = {}): Engine {
  const { plan, unplanned } = planOf(objectives);
  const engine = emptyEngine(newBook(plan, now, options.kept ?? days(28)));
  retarget(engine, options.targets ?? [], now);
  install(engine, objectives, new Map(unplanned.map((one) => [one.objective.id, one.reason])), now);
  return engine;
}

export const emptyEngine = (book: Book): Engine => ({
  book,
  watched: new Map(),
  counted: new Map(),
  targets: new Map(),
  left: new Map(),
  away: undefined,
  expectedBytes: undefined,
});

/** Other objectives from now on. History, and what was said, stay by id; what left is forgotten after `LEFT_KEPT`. */
export function reconfigure(engine: Engine, objectives: readonly Objective[], now: Seconds): void {
  const { plan, unplanned } = planOf(objectives);
  replan(engine.book, plan, now);
  install(engine, objectives, new Map(unplanned.map((one) => [one.objective.id, one.reason])), now);
  for (const id of engine.book.accounts.keys()) {
    if (engine.counted.has(id)) engine.left.delete(id);
    else if (!engine.left.has(id)) engine.left.set(id, now);
  }
  prune(engine, now);
}

function install(
  engine: Engine,
  objectives: readonly Objective[],
  unjudged: ReadonlyMap<string, string>,
  now: Seconds,
) {
  countPlanned(engine, engine.book.plan, now);
  const before = new Map(engine.watched);
  engine.watched.clear();
  for (const objective of objectives) {
    const leaves = leavesOf(objective).map(({ weight, objective: { id } }) => ({ weight, id }));
    const known = before.get(objective.id);
    const reasons = leaves.flatMap(({ id }) => {
      const reason = unjudged.get(id);
      return reason === undefined ? [] : [id === objective.id ? reason : `its part ${id}: ${reason}`];
    });
    engine.watched.set(objective.id, {
      objective,
      judged: makeJudged(objective),
      leaves,
      unjudged: reasons[0],
      verdict: known?.verdict,
      since: known?.since ?? now,
    });
  }
}

function countPlanned(engine: Engine, plan: Plan, now: Seconds): void {
  const before = new Map(engine.counted);
  engine.counted.clear();
  for (const [i, objective] of plan.objectives.entries()) {
    const judged = makeJudged(objective);
    const known = before.get(objective.id);
    engine.counted.set(objective.id, {
      judged,
      standing: known === undefined ? newStanding(judged) : carried(known, judged),
      metric: plan.leading[i] ?? '',
      awaitedSince: known?.awaitedSince ?? now,
      sight: known?.sight ?? { kind: 'seen' },
      moved: known !== undefined,
    });
  }
}

/** What the detector believes is in the terms of its budget and policy: with others it begins anew, from here on. */
function carried({ standing, judged: before }: Counted, judged: Judged): Standing {
  if (modelKey(before.objective) === modelKey(judged.objective)) return standing;
  return { ...standing, evidence: newStanding(judged).evidence };
}

export const modelKey = ({ budget, alerting }: Objective): string =>
  JSON.stringify([budget, alerting.falsePagesPerYear, alerting.smallestBurn]);

function prune({ left, book }: Engine, now: Seconds): void {
  if (left.size === 0) return;
  const oldest = [...left].sort(([, a], [, b]) => a - b);
  for (const [i, [id, since]] of oldest.entries()) {
    if (now - since <= LEFT_KEPT && oldest.length - i <= LEFT_MAX) break;
    left.delete(id);
    book.accounts.delete(id);
  }
}

/** The targets that are asked from now on. One that is no more among them holds nothing back. */
export function retarget(engine: Engine, targets: readonly Target[], now: Seconds): void {
  const listed = new Map(targets.map(({ id, interval }) => [id, interval]));
  const accounts = engine.book.accounts;
  const served = [...engine.counted].filter(([id]) => (accounts.get(id)?.served.size ?? 0) > 0);
  for (const id of new Set([...engine.targets.keys(), ...engine.book.targets.keys()])) {
    if (listed.has(id)) continue;
    engine.targets.delete(id);
    dismissTarget(engine.book, id, now);
  }
  for (const [id, interval] of listed) engine.targets.set(id, interval);
  for (const [id, counted] of served) if (accounts.get(id)?.served.size === 0) counted.awaitedSince = now;
}

/** What a target answered. An answer that cannot be read is none. */
export function enter(engine: Engine, visit: Visit, exposition: Exposition): Entered {
  engine.targets.set(visit.target, visit.interval);
  return enterScrape(engine.book, visit, exposition);
}

/**
 * @returns the ids it concerns; undefined when one has too many already. What the detector held against the time that is
 * corrected is dropped: what is not excused speaks again with the next events.
 */
export function enterCorrected(engine: Engine, correction: Correction, now: Seconds): readonly string[] | undefined {
  for (const [id, { judged, standing }] of engine.counted) {
    const ledger = engine.book.accounts.get(id)?.ledger;
    if (ledger !== undefined && hasNews(standing, ledger)) advance(judged, standing, ledger, now);
  }
  const ids = enterCorrection(engine.book, correction);
  for (const id of ids ?? []) {
    const counted = engine.counted.get(id);
    const ledger = engine.book.accounts.get(id)?.ledger;
    if (counted === undefined || ledger === undefined) continue;
    const { standing, judged } = counted;
    rebase(standing, ledger);
    const touches = correction.spans.some(({ from, to }) => from < now && to > standing.evidence.since);
    const evidence =
      touches && standing.evidence.bad > 0
        ? { ...newStanding(judged).evidence, calm: standing.evidence.calm }
        : standing.evidence;
    engine.counted.set(id, { ...counted, standing: { ...standing, evidence }, moved: true });
  }
  return ids;
}

/** The detector takes what is in the ledgers for known: history that was entered says nothing of what happens now. */
export function rebaseAll(engine: Engine, now: Seconds): void {
  for (const [id, one] of engine.counted) {
    rebaseOne(engine, id);
    if (engine.book.accounts.get(id)?.served.size === 0) one.awaitedSince = now;
  }
}

export function rebaseOne({ book, counted }: Engine, id: string): void {
  const [one, account] = [counted.get(id), book.accounts.get(id)];
  if (one === undefined || account === undefined) return;
  rebase(one.standing, account.ledger);
  one.moved = true;
}

/** Judges all that is news. @returns what is to be said otherwise than before, in the order of the objectives. */
export function tick(engine: Engine, now: Seconds): readonly Change[] {
  prune(engine, now);
  const news = new Set<string>();
  for (const [id, counted] of engine.counted) if (look(engine, id, counted, now)) news.add(id);
  const changes: Change[] = [];
  for (const watched of engine.watched.values()) {
    // One that nobody can judge has no news, and must not stay what it was.
    const still = watched.unjudged === undefined && !watched.leaves.some(({ id }) => news.has(id));
    if (watched.verdict !== undefined && still) continue;
    const to = verdictOf(engine, watched, now);
    if (to === undefined) continue;
    const from = watched.verdict;
    watched.verdict = to;
    if (from !== undefined && !isChange(from, to)) continue;
    watched.since = now;
    changes.push({ at: now, objective: watched.objective, from, to });
  }
  return changes;
}

/** @returns whether something is to be judged: events or watched time came, or none come, or they come again. */
function look(engine: Engine, id: string, counted: Counted, now: Seconds): boolean {
  const account = engine.book.accounts.get(id);
  const before = counted.sight;
  counted.sight = sightOf(engine, account, counted.metric, counted.awaitedSince, now);
  if (account === undefined) return false;
  const news = hasNews(counted.standing, account.ledger);
  const moved = counted.moved;
  counted.moved = false;
  const blind = counted.sight.kind === 'blind';
  if (news || blind) advance(counted.judged, counted.standing, account.ledger, now);
  return news || moved || blind || before.kind !== counted.sight.kind;
}

function verdictOf(
  engine: Engine,
  { objective, judged, leaves, unjudged }: Watched,
  now: Seconds,
): Verdict | undefined {
  if (unjudged !== undefined) return { kind: 'unknown', because: unjudged };
  let blind: string | undefined;
  const parts: (WeightedRead & Pick<Counted, 'judged' | 'standing'> & { readonly ledger: Ledger })[] = [];
  for (const { id, weight } of leaves) {
    const counted = engine.counted.get(id);
    const ledger = engine.book.accounts.get(id)?.ledger;
    if (counted === undefined || ledger === undefined || counted.sight.kind === 'awaited') return undefined;
    if (counted.sight.kind === 'blind') {
      const { because } = counted.sight;
      blind ??= id === objective.id ? because : `its part ${id}: ${because}`;
    }
    parts.push({
      weight,
      ledger,
      judged: counted.judged,
      standing: counted.standing,
      read: (from, to) => countsBetween(ledger, from, to),
    });
  }
  const [only] = parts;
  if (only !== undefined && objective.indicator.kind !== 'composite') {
    return judge(judged, only.standing, only.ledger, now, blind);
  }
  return conclude(judged, partsEvidence(objective, parts, now), weighted(parts), now, blind);
}

/** Why an objective cannot be seen, and since when: for an alert of its own. */
export function blindnessOf(engine: Engine, id: string): Extract<Sight, { kind: 'blind' }> | undefined {
  for (const leaf of engine.watched.get(id)?.leaves ?? []) {
    const sight = engine.counted.get(leaf.id)?.sight;
    if (sight?.kind === 'blind') return sight;
  }
  return undefined;
}
