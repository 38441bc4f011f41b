/**
 * The rules that all objectives of a service share. What a Prometheus spends on a rule it spends once an evaluation,
 * almost whatever the number of series, so what is the same for many is asked once for all of them. The series bring their
 * objective's identity and labels with them; where the rule must write those labels, each set of labels has a rule.
 *
 * Pure.
 */
import { days, minutes, type Seconds } from '#kernel/units.ts';
import { labelsOf, ownLabels } from '#slo/alert-names.ts';
import { BURN_RULES, type BurnRule, rulesOf, WATCHED_LEAST } from '#slo/burn-rate.ts';
import { nominalPeriod } from '#slo/calendar.ts';
import type { Objective } from '#slo/objective.ts';
import { leafIds, type Shape } from './events.ts';
import {
  BLOCKS_FROM,
  BLOCKS_TOTAL,
  BURNING,
  BURNING_THINLY,
  ratioName,
  SHORT_WINDOWS,
  seriesOf,
  UNSCRAPED,
  WATCHED,
} from './names.ts';
import { durationText, numberText, quoted, selectorText } from './text.ts';
import { blockRules, countedBad, countedRatio, ratioOver } from './windows.ts';
import type { Labels, RecordRule } from './yaml.ts';

/** An objective, and how its events are had. */
export type Judged = { readonly objective: Objective; readonly shape: Shape };

const VERSION = 'burnline';
const IDENTITY = 'sloth_id, sloth_service, sloth_slo';

/** Every five minutes: what the windows of days and the period are made of. */
export function fiveMinuteRules(service: string, all: readonly Judged[]): RecordRule[] {
  const leaves = all.flatMap(({ shape }) => leafIds(shape));
  if (leaves.length === 0) return [];
  const record = recorder(service);
  return blockRules(leaves).map(({ record: name, expr }) => record(name, expr));
}

/** Every minute, after the events: the windows of pages, and who is to be paged. */
export function fastRules(service: string, all: readonly Judged[]): RecordRule[] {
  const record = recorder(service);
  return [
    ...SHORT_WINDOWS.filter((one) => one < BLOCKS_FROM).flatMap((one) => ratioRules(all, one)),
    ...record.branched('slo:current_burn_rate:ratio', all, ({ objective: { budget } }) => {
      return (ids) => `${seriesOf(ratioName(minutes(5)), ids)} / ${numberText(budget)}`;
    }),
    ...BURN_RULES.flatMap((rule) => (rule.severity === 'critical' ? burning(service, all, rule, 'enough') : [])),
    ...watched(service, all),
  ];
}

/** Every two minutes: the windows of days, the period and its budget, and who burns slowly or by too few events. */
export function slowRules(service: string, all: readonly Judged[]): RecordRule[] {
  const record = recorder(service);
  const rolling = all.flatMap((one) => {
    const { window } = one.objective;
    return window.kind === 'rolling' ? [{ ...one, period: window.period }] : [];
  });
  const periods = [...new Set(rolling.map(({ period }) => period))].filter((one) => !isShort(one));
  const burn = 'slo:period_burn_rate:ratio';
  return [
    ...SHORT_WINDOWS.filter((one) => one >= BLOCKS_FROM).flatMap((one) => ratioRules(all, one)),
    ...periods.flatMap((period) =>
      ratioRules(
        rolling.filter((one) => one.period === period),
        period,
      ),
    ),
    ...record.branched(burn, rolling, ({ period, objective: { budget } }) => {
      return (ids) => `${seriesOf(ratioName(period), ids)} / ${numberText(budget)}`;
    }),
    ...record.branched('slo:period_error_budget_remaining:ratio', rolling, () => (ids) => `1 - ${seriesOf(burn, ids)}`),
    ...facts(service, all),
    ...BURN_RULES.flatMap((rule) => [
      ...(rule.severity === 'critical' ? [] : burning(service, all, rule, 'enough')),
      ...burning(service, all, rule, 'thin'),
    ]),
  ];
}

const isShort = (window: Seconds): boolean => SHORT_WINDOWS.some((one) => one === window);

type Write = (ids: readonly string[]) => string;

/** Records whose series bring their labels with them; that of the service keeps two files' rules apart. */
function recorder(service: string) {
  const record = (name: string, expr: string, more: Labels = {}): RecordRule => ({
    kind: 'record',
    record: name,
    expr,
    labels: { sloth_service: service, ...more },
  });
  /** One rule with a branch for each set of objectives of which the same is asked. */
  const branched = <T extends Judged>(name: string, all: readonly T[], ask: (one: T) => Write, more: Labels = {}) => {
    const expr = branches(all, ask).join('\nor\n');
    return expr === '' ? [] : [record(name, expr, more)];
  };
  return Object.assign(record, { branched });
}

/** What is asked is told apart by its words for one and the same id. */
function branches<T extends Judged>(all: readonly T[], ask: (one: T) => Write): string[] {
  const asked = all.map((one) => ({ id: one.objective.id, write: ask(one) }));
  return [...Map.groupBy(asked, ({ write }) => write(['_'])).values()].map((same) => {
    const ids = same.map(({ id }) => id);
    return same[0]?.write(ids) ?? '';
  });
}

function ratioRules(all: readonly Judged[], window: Seconds): RecordRule[] {
  const counted = countedOf(all);
  const more = { sloth_window: durationText(window) };
  const rule = (expr: string, labels: Labels): RecordRule => ({
    kind: 'record',
    record: ratioName(window),
    expr,
    labels: { ...labels, ...more },
  });
  const alike = Map.groupBy(counted, ({ objective }) => JSON.stringify(ownLabels(objective)));
  return [
    ...[...alike.values()].flatMap((same) => {
      const [first] = same;
      if (first === undefined) return [];
      const { objective } = first;
      const labels = { ...ownLabels(objective), sloth_service: objective.service };
      return [
        rule(
          countedRatio(
            same.map((one) => one.objective.id),
            window,
          ),
          labels,
        ),
      ];
    }),
    ...all.flatMap(({ objective, shape }) =>
      shape.kind === 'counted' ? [] : [rule(ratioOver(shape, window), labelsOf(objective))],
    ),
  ];
}

/** True of those that a ticket may be opened on: they have been watched for `WATCHED_LEAST`. Undefined of a page. */
export function watchedEnough(rule: BurnRule, record: string, ids: readonly string[]): string | undefined {
  if (rule.severity === 'critical') return undefined;
  return `last_over_time(${seriesOf(record, ids)}[${durationText(rule.short)}] offset ${durationText(WATCHED_LEAST)})`;
}

/** From so many objectives on it is cheaper to ask once which of them burn. Alerts of fewer ask for themselves. */
const ASKED_TOGETHER = 3;
export const burnTogether = (all: readonly Judged[]): boolean => countedOf(all).length >= ASKED_TOGETHER;
const countedOf = <T extends Judged>(all: readonly T[]): T[] => all.filter(({ shape }) => shape.kind === 'counted');

/** Those counted objectives of which a pair fires. A composite's and a raw ratio's alerts always ask for themselves. */
function burning(service: string, all: readonly Judged[], rule: BurnRule, evidence: 'enough' | 'thin') {
  const { name, long, short } = rule;
  if (!burnTogether(all)) return [];
  const firing = countedOf(all).flatMap((one) => {
    const { objective } = one;
    const judged = rulesOf(objective, nominalPeriod(objective.window)).rules.find(({ rule }) => rule.name === name);
    return judged === undefined ? [] : [{ ...one, ...judged }];
  });
  const record = evidence === 'enough' ? BURNING : BURNING_THINLY;
  const held = evidence === 'enough' ? 'and' : 'unless';
  return recorder(service).branched(
    record,
    firing,
    ({ objective, factor, least }) => {
      const limit = numberText(factor * objective.budget);
      return (ids) => {
        const watched = watchedEnough(rule, BLOCKS_TOTAL, ids);
        const enough = `${countedBad(ids, long)} >= ${least}`;
        return [
          `sum by (${IDENTITY}) (${seriesOf(ratioName(long), ids)} >= ${limit})`,
          `and on (sloth_id) ${seriesOf(ratioName(short), ids)} >= ${limit}`,
          `${held} on (sloth_id) ${watched === undefined ? enough : `(${enough} and on (sloth_id) ${watched})`}`,
        ].join('\n');
      };
    },
    { tier: name },
  );
}

/** Those of which something was seen within the period, so that it ought to be seen now: a service without events keeps its series. */
function watched(service: string, all: readonly Judged[]): RecordRule[] {
  const seen = branches(
    all.filter(({ objective }) => isWatched(objective)),
    ({ objective: { window } }) => {
      const longest = window.kind === 'rolling' ? window.period : days(3);
      return (ids) => seriesOf(ratioName(longest), ids);
    },
  );
  return seen.length === 0 ? [] : [recorder(service)(WATCHED, `max by (${IDENTITY}) (\n${seen.join('\nor ')}\n)`)];
}

/** Every 15 s: the targets of which no scrape went well, each by the words that select them. */
export function unscrapedRules(service: string, all: readonly Judged[]): RecordRule[] {
  const watchedOnes = all.filter(({ objective }) => isWatched(objective));
  const targets = new Set(watchedOnes.flatMap(({ objective }) => targetOf(objective) ?? []));
  return [...targets].map((target) =>
    recorder(service)(UNSCRAPED, `vector(1) unless on () ${target} == 1`, { sloth_target: target }),
  );
}

/**
 * True of an objective whose targets have not been scraped well for `length` at least, though the rules are there for as
 * long. Where the selector names its job, that is known; without a job one that never had a sample is not blind but new.
 */
export function unscrapedFor(objective: Objective, length: Seconds): string | undefined {
  const target = targetOf(objective);
  if (target === undefined) return undefined;
  const record = `${UNSCRAPED}{sloth_service=${quoted(objective.service)},sloth_target=${quoted(target)}}`;
  return `max(${record} and ${record} offset ${durationText(length)})`;
}

export const isWatched = ({ indicator, alerting }: Objective): boolean =>
  indicator.kind !== 'composite' && (alerting.page || alerting.ticket);

/** What Prometheus says of the scrapes of an objective's targets, if their job is named. */
function targetOf({ indicator }: Objective): string | undefined {
  if (indicator.kind === 'composite') return undefined;
  const query = indicator.kind === 'ratio' ? indicator.total : indicator.query;
  if (query.kind !== 'selector') return undefined;
  const matchers = query.selector.matchers.filter(({ label }) => label === 'job' || label === 'instance');
  const named = matchers.some(({ label, op }) => label === 'job' && (op === '=' || op === '=~'));
  return named ? selectorText({ name: 'up', matchers }) : undefined;
}

const OBJECTIVE = 'slo:objective:ratio';

/** The first of an objective's facts; the others are made from it. */
export const firstFact = (objective: Objective): RecordRule => ({
  kind: 'record',
  record: OBJECTIVE,
  expr: `vector(${numberText(objective.target)})`,
  labels: labelsOf(objective),
});

function facts(service: string, all: readonly Judged[]): RecordRule[] {
  const record = recorder(service);
  const always = (n: number): Write => {
    return (ids) => `0 * ${seriesOf(OBJECTIVE, ids)} + ${numberText(n)}`;
  };
  const targets = Map.groupBy(all, ({ objective }) => numberText(objective.target * 100));
  return [
    ...record.branched('slo:error_budget:ratio', all, ({ objective }) => always(objective.budget)),
    ...record.branched('slo:time_period:days', all, ({ objective }) =>
      always(nominalPeriod(objective.window) / 86_400),
    ),
    ...[...targets].flatMap(([target, same]) =>
      record.branched('sloth_slo_info', same, () => always(1), {
        sloth_mode: 'cli-gen-prom',
        sloth_spec: 'openslo/v1',
        sloth_version: VERSION,
        sloth_objective: target,
      }),
    ),
  ];
}
