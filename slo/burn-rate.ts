/**
 * The SRE workbook's multiwindow, multi-burn-rate rules, exactly.
 *
 * Burn rate 1 spends the whole budget in exactly one period; burn rate b, in period / b. A rule fires only while two
 * windows burn at its factor or faster: the long one says that enough budget is gone to matter, the short one that it is
 * still going. What the workbook leaves out is the amount of evidence: one failure among three events is a burn of 16 and
 * no reason to wake anybody. So each rule also has a least number of bad events (`leastBad`), and a page below it is
 * written down as info instead.
 *
 * Pure: no clock, no I/O. The caller counts events; this module judges the counts.
 *
 * Source: Google, The Site Reliability Workbook, ch. 5 "Alerting on SLOs". https://sre.google/workbook/alerting-on-slos/
 */
import { days, hours, minutes, type Ratio, ratio, type Seconds, seconds } from '#kernel/units.ts';
import { divergence } from './divergence.ts';
import type { Alerting, Counts } from './objective.ts';

export type BurnRule = {
  readonly name: 'page-fast' | 'page-slow' | 'ticket-fast' | 'ticket-slow';
  readonly severity: 'critical' | 'warning';
  /** Share of the period's budget whose loss within `long` deserves this severity. */
  readonly spent: Ratio;
  readonly long: Seconds;
  readonly short: Seconds;
};

/** Most urgent first: of several that fire, the first is reported. Sloth's windows and names. */
export const BURN_RULES = [
  { name: 'page-fast', severity: 'critical', spent: ratio(0.02), long: hours(1), short: minutes(5) },
  { name: 'page-slow', severity: 'critical', spent: ratio(0.05), long: hours(6), short: minutes(30) },
  { name: 'ticket-fast', severity: 'warning', spent: ratio(0.1), long: days(1), short: hours(2) },
  { name: 'ticket-slow', severity: 'warning', spent: ratio(0.1), long: days(3), short: hours(6) },
] as const satisfies readonly BurnRule[];

/** A handful of failures never pages by itself, whatever the traffic. */
export const HANDFUL = 6;
/**
 * A ticket is not opened on what a new installation sees in its first minutes: less than the workbook's shortest window is no
 * window. (A page asks for failures in several parts of its window, which is longer.)
 */
export const WATCHED_LEAST = minutes(5);
const YEAR = days(365.25);
/** Slack for comparing quotients: in doubles, 288 / 1000 / 0.02 is 14.399999999999999. */
export const EPSILON = 1e-9;

/** The burn rate at which `rule` fires: 14.4 for 2 % of a 30-day budget in one hour, 13.44 of a 28-day one. */
export function burnFactor(rule: BurnRule, period: Seconds): number {
  return Number(((rule.spent * period) / rule.long).toPrecision(12));
}

/** An empty window burns nothing: no event, no bad event. */
export function burnRate({ good, bad }: Counts, budget: Ratio): number {
  return bad === 0 ? 0 : bad / (good + bad) / budget;
}

/** How long a whole budget lives at this pace; infinite when nothing burns. */
export function budgetLasts(rate: number, period: Seconds): Seconds {
  return seconds(rate === 0 ? Number.POSITIVE_INFINITY : period / rate);
}

/** With every event bad the burn rate is 1 / budget and no more, so a 90 % target can never reach a factor of 14.4. */
export function isReachable(rule: BurnRule, budget: Ratio, period: Seconds): boolean {
  return burnFactor(rule, period) * budget <= 1 + EPSILON;
}

export type JudgedRule = { readonly rule: BurnRule; readonly factor: number; readonly least: number };
export type OmittedRule = {
  readonly rule: BurnRule;
  readonly factor: number;
  readonly why: 'longer than the period' | 'can never fire' | 'fires within the objective';
};

/**
 * The pairs by which an objective is judged, by both eyes and in all that is told of them, and those that are left out. A
 * page at a burn of 1 or less would wake people for a service that keeps its promise: of short periods such pairs are none.
 */
export function rulesOf(
  { budget, alerting }: { readonly budget: Ratio; readonly alerting: Alerting },
  period: Seconds,
  pairs: readonly BurnRule[] = BURN_RULES,
): { readonly rules: readonly JudgedRule[]; readonly without: readonly OmittedRule[] } {
  const rules: JudgedRule[] = [];
  const without: OmittedRule[] = [];
  for (const rule of pairs) {
    const critical = rule.severity === 'critical';
    if (!(critical ? alerting.page : alerting.ticket)) continue;
    const factor = burnFactor(rule, period);
    if (rule.long >= period) without.push({ rule, factor, why: 'longer than the period' });
    else if (!isReachable(rule, budget, period)) without.push({ rule, factor, why: 'can never fire' });
    else if (critical && factor <= 1) without.push({ rule, factor, why: 'fires within the objective' });
    else rules.push({ rule, factor, least: leastBad(rule, budget, period, alerting) });
  }
  return { rules, without };
}

/**
 * The least number of bad events in the long window for `rule` to be believed: enough that a service that fails
 * independently at exactly its budget would show them, by chance, at most `falsePagesPerYear` times in a year of such
 * windows. With n events of which the share r is bad, chance has at most exp(−n · D(r ‖ budget)) (Chernoff; Hoeffding,
 * "Probability inequalities for sums of bounded random variables", 1963, theorem 1).
 */
export function leastBad(rule: BurnRule, budget: Ratio, period: Seconds, { falsePagesPerYear }: Alerting): number {
  const share = Math.min(1, burnFactor(rule, period) * budget);
  if (share <= budget) return HANDFUL;
  const nats = Math.max(1, Math.log(YEAR / rule.long / falsePagesPerYear));
  return Math.max(HANDFUL, Math.ceil((share * nats) / divergence(share, budget) - EPSILON));
}
