/** What a load test has found, and what follows: the one value from which JSON, JUnit, the page and the exit code are made. */
import type { Milliseconds } from '#kernel/units.ts';
import type { Counts } from '#slo/objective.ts';
import { type Accounts, type Difference, differences, type Finished, foundAfterAll } from './accounts.ts';
import { type Entry, isOpen, type Tally, tallyOf } from './book.ts';
import { countDocuments, type Judged, judgeAll } from './judge.ts';
import type { Plan } from './k6/plan.ts';
import { apiIn, countersOf, crossed, type K6Summary, rateOf } from './k6-summary.ts';
import { overloadFaults } from './overload.ts';
import { findKnee, isOffered, type Knee, type PhaseResult, phaseResults, quantile, REFUSED_MOST } from './phases.ts';
import type { Promises } from './promises.ts';
import { growing, type Observed, type Resources, resourcesOf } from './resources.ts';
import { FILLING, RATES, type Scenario, USUAL } from './scenarios.ts';

export type Result = {
  readonly scenario: Scenario;
  readonly run: string;
  readonly target: string;
  readonly begunAt: string;
  readonly seconds: number;
  readonly verdict: 'kept' | 'broken';
  /** Why it is broken, from the worst on. */
  readonly because: readonly string[];
  /** Why it ended before its time; null: it did not. */
  readonly endedEarly: string | null;
  /** Empty for a climb: each of its phases has its own. */
  readonly objectives: readonly Judged[];
  readonly phases: readonly PhaseResult[];
  readonly knee: Knee | null;
  readonly counts: {
    readonly sender: Tally & { readonly all: number };
    readonly database: Readonly<Record<string, number>>;
    readonly counters: Finished | null;
    readonly ledger: Counts | null;
    readonly alone: boolean;
  };
  readonly differences: readonly Difference[];
  /** Which of the platform's counts could not be had, and why. */
  readonly notAsked: readonly string[];
  /** Of the router's budgets, by objective. */
  readonly budgets: readonly Budget[];
  /** Milliseconds until completed, as the sender and as the database have it. */
  readonly durations: Readonly<Record<'sender' | 'database', Quantiles>>;
  readonly k6: {
    readonly exitCode: number;
    readonly crossed: readonly string[];
    /** Arrivals that could not be begun: the load was less than it was meant to be. */
    readonly dropped: number;
    readonly requests: number;
  };
  /** What it took; null: it runs elsewhere. */
  readonly resources: Resources | null;
};
export type Budget = { readonly id: string; readonly before: number; readonly after: number };
type Quantiles = { readonly p50: number | undefined; readonly p95: number | undefined };

export type Findings = {
  readonly plan: Plan;
  readonly promises: Promises;
  readonly target: string;
  readonly begun: Milliseconds;
  readonly ended: Milliseconds;
  readonly accounts: Accounts;
  readonly summary: K6Summary;
  readonly exitCode: number;
  readonly endedEarly: string | undefined;
  readonly notAsked: readonly string[];
  readonly budgets: readonly Budget[];
  /** The knee that is asked for, in documents a second. */
  readonly leastKnee: number | undefined;
  readonly observed: Observed | undefined;
};

export function resultOf(findings: Findings): Result {
  const { plan, promises, accounts, summary, begun, ended } = findings;
  const scenario = plan.scenario as Scenario;
  const { climbs } = USUAL[scenario];
  const entries = foundAfterAll(accounts);
  const isWhole = findings.endedEarly === undefined;
  const phases = phaseResults(plan.phases, entries, apiIn(summary), promises, isWhole);
  const knee = climbs ? findKnee(phases) : null;
  const objectives = climbs ? [] : judgedTogether(findings, entries);
  const found = differences(accounts);
  const counters = countersOf(summary);
  const done = accounts.rows.filter(({ status }) => status === 'completed').length;
  const resources = findings.observed === undefined ? null : resourcesOf(findings.observed, plan.phases, done);
  const outcome = { objectives, knee, phases, differences: found, resources };
  const because = reasons(outcome, findings, entries);
  return {
    ...outcome,
    scenario,
    run: plan.run,
    target: findings.target,
    begunAt: new Date(begun).toISOString(),
    seconds: Math.round((ended - begun) / 1_000),
    verdict: because.length === 0 ? 'kept' : 'broken',
    because,
    endedEarly: findings.endedEarly ?? null,
    counts: countsOf(accounts),
    notAsked: findings.notAsked,
    budgets: findings.budgets,
    durations: durationsOf(accounts),
    k6: {
      exitCode: findings.exitCode,
      crossed: crossed(summary),
      dropped: counters['dropped_iterations'] ?? 0,
      requests: counters['http_reqs'] ?? 0,
    },
  };
}

/** All of the phases that the objectives judge. */
function judgedTogether({ plan, promises, summary, begun, ended }: Findings, all: readonly Entry[]): Judged[] {
  const judged = new Set(plan.phases.flatMap(({ name, judged: is }) => (is ? [name] : [])));
  const entries = all.filter(({ phase }) => judged.has(phase));
  const inAll = judged.size === plan.phases.length;
  const api = apiIn(summary);
  const rate = (name: 'api-available' | 'api-fast') =>
    inAll ? rateOf(summary, RATES[name]) : sum([...judged].map((phase) => api(phase)[name]));
  const counted = {
    ...countDocuments(entries, promises.onTime),
    'api-available': rate('api-available'),
    'api-fast': rate('api-fast'),
  };
  return judgeAll(promises, counted, (ended - begun) as Milliseconds);
}

const sum = (all: readonly Counts[]): Counts => ({
  good: all.reduce((n, { good }) => n + good, 0),
  bad: all.reduce((n, { bad }) => n + bad, 0),
});

function reasons(
  {
    objectives,
    knee,
    phases,
    differences: found,
    resources,
  }: Pick<Result, 'objectives' | 'knee' | 'phases' | 'differences' | 'resources'>,
  findings: Findings,
  entries: readonly Entry[],
): string[] {
  const { leastKnee, exitCode, summary, plan } = findings;
  const because = found.map(({ says, ids }) => (ids.length > 0 ? `${ids.length} ${says}` : says));
  for (const { state, promise, good, bad } of objectives) {
    if (state === 'broken')
      because.push(`${promise.displayName}: ${bad} of ${good + bad} bad, ${promise.target} are promised`);
    if (state === 'unknown') because.push(`${promise.displayName}: nothing was counted`);
  }
  if (entries.length === 0) because.push('nothing was sent');
  if (knee?.kind === 'below') because.push(`not even ${knee.brokenAt} documents a second are borne`);
  if (knee !== null && leastKnee !== undefined && rateOfKnee(knee) < leastKnee) {
    because.push(`the knee is at ${rateOfKnee(knee)} documents a second, ${leastKnee} are asked for`);
  }
  because.push(...refusals(phases, findings, entries));
  if (plan.scenario === 'soak' && resources !== null) {
    for (const { name, what } of growing(resources)) because.push(`${name}: its ${what} grew all the time`);
  }
  if (exitCode === 99 && because.length === 0) because.push(`k6: ${crossed(summary).join(', ')}`);
  return because;
}

/** Uploads that were not sent, not taken, or turned away in another way than is promised. */
function refusals(phases: readonly PhaseResult[], { plan, summary, endedEarly }: Findings, entries: readonly Entry[]) {
  const because: string[] = [];
  if (!USUAL[plan.scenario as Scenario].climbs) {
    const judged = phases.filter(({ phase }) => phase.judged);
    const inAll = (what: 'sent' | 'refused') => judged.reduce((n, one) => n + one[what], 0);
    const [turned, sent] = [inAll('refused'), inAll('sent')];
    if (turned > REFUSED_MOST * sent) because.push(`${turned} of ${sent} uploads were not taken`);
    for (const one of endedEarly === undefined ? phases : []) {
      // A queue that fills a little later is full all the same.
      if (!isOffered(one) && !FILLING.includes(one.phase.name))
        because.push(`${one.phase.name}: ${one.sent} documents of ${one.planned} could be sent`);
    }
  }
  if (plan.scenario === 'overload') because.push(...overloadFaults(phases, entries));
  const unadvised = countersOf(summary)['api_unadvised'] ?? 0;
  if (unadvised > 0) because.push(`${unadvised} answers of 429 did not say when to come back (Retry-After)`);
  return because;
}

export const rateOfKnee = (knee: Knee): number => (knee.kind === 'below' ? 0 : knee.rate);

function countsOf({ entries, rows, counters, ledger, alone }: Accounts): Result['counts'] {
  const database: Record<string, number> = {};
  for (const { status } of rows) database[status] = (database[status] ?? 0) + 1;
  return {
    sender: { ...tallyOf(entries), all: entries.length },
    database,
    counters: counters ?? null,
    ledger: ledger ?? null,
    alone,
  };
}

function durationsOf({ entries, rows }: Accounts): Result['durations'] {
  const quantiles = (times: readonly (number | undefined)[]): Quantiles => {
    const known = times.filter((ms) => ms !== undefined);
    return { p50: quantile(known, 0.5), p95: quantile(known, 0.95) };
  };
  const completed = entries.filter((entry) => entry.outcome === 'completed' && !isOpen(entry));
  return {
    sender: quantiles(completed.filter(({ seenBy }) => seenBy === 'sender').map(({ ms }) => ms)),
    database: quantiles(rows.filter(({ status }) => status === 'completed').map(({ ms }) => ms)),
  };
}
