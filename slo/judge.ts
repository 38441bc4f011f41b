/**
 * Judges one objective: the workbook's four pairs, exactly, and beside them the evidence detector. The most urgent that
 * fires is the verdict; one that is blind says so and is never green.
 *
 * A pair that fires is believed only on enough evidence: its long window must hold `leastBad` bad events, and they must not
 * be one heap: a batch that failed in a minute says little about the other 59. Otherwise it is written down as info.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import { type BurnRule, budgetLasts, burnRate, EPSILON, type JudgedRule, rulesOf, WATCHED_LEAST } from './burn-rate.ts';
import { nominalPeriod } from './calendar.ts';
import { addEvidence, type EvidenceState, readEvidence, skipEvidence, startEvidence } from './evidence.ts';
import { type EvidenceModel, makeEvidenceModel } from './evidence-model.ts';
import { countsBetween, type Ledger, witnessed } from './ledger/ledger.ts';
import type { Objective, WindowCounts } from './objective.ts';
import { type Burning, duration, percent, round, type Severity, severityRank, type Verdict } from './verdict.ts';

/** Of the parts into which the long window of a page is cut, */
export const PARTS = 12;
/** so many must hold a bad event. */
export const PARTS_BAD = 4;
const OK: Verdict = { kind: 'ok' };

/** What of an objective is the same at every tick. */
export type Judged = {
  readonly objective: Objective;
  readonly period: Seconds;
  readonly rules: readonly JudgedRule[];
  readonly model: EvidenceModel;
  /** Is the detector asked beside the pairs? */
  readonly detects: boolean;
};

/** Other pairs than the workbook's, or no detector: what if. */
export type Detection = { readonly pairs?: readonly BurnRule[]; readonly detects?: boolean };

/** What changes from tick to tick, and is kept in the checkpoint. */
export type Standing = {
  readonly evidence: EvidenceState;
  /** When the detector was last shown the ledger, and how far that had come. */
  at: Seconds | undefined;
  readonly shown: { good: number; bad: number; observed: number };
};

export function makeJudged(objective: Objective, { pairs, detects = true }: Detection = {}): Judged {
  const period = nominalPeriod(objective.window);
  const { rules } = rulesOf(objective, period, pairs);
  return { objective, period, rules, model: makeEvidenceModel(objective), detects };
}

export const newStanding = (judged: Judged): Standing => ({
  evidence: startEvidence(judged.model),
  at: undefined,
  shown: { good: 0, bad: 0, observed: 0 },
});

/** Did anything come into the ledger since the detector was last shown it? Nothing between two scrapes is no silence. */
export function hasNews({ shown }: Standing, ledger: Ledger): boolean {
  const { good, bad, observed } = witnessed(ledger);
  return good !== shown.good || bad !== shown.bad || observed !== shown.observed;
}

/** Shows the detector what came into the ledger since the last time. When there is news or blindness, before `judge`. */
export function advance({ model }: Judged, standing: Standing, ledger: Ledger, now: Seconds): void {
  const { at, evidence, shown } = standing;
  if (at !== undefined && now <= at) return;
  const { good: allGood, bad: allBad, observed } = witnessed(ledger);
  const good = Math.max(0, allGood - shown.good);
  const bad = Math.max(0, allBad - shown.bad);
  const watched = observed - shown.observed;
  rebase(standing, ledger);
  standing.at = now;
  if (at === undefined) return;
  const length = seconds(now - at);
  if (watched <= 0 && good + bad === 0) {
    skipEvidence(model, evidence, length, now);
    return;
  }
  // More of this stretch was not watched than was: what came belongs to the end of it, and must not be thinned.
  const blank = watched > 0 && length > 2 * watched ? seconds(length - watched) : seconds(0);
  if (blank > 0) skipEvidence(model, evidence, blank, seconds(at + blank));
  addEvidence(model, evidence, { good, bad }, seconds(length - blank), now);
}

/** What is in the ledger now was shown. After a correction the sums are smaller, and that is no event. */
export function rebase({ shown }: Standing, ledger: Ledger): void {
  const { good, bad, observed } = witnessed(ledger);
  shown.good = good;
  shown.bad = bad;
  shown.observed = observed;
}

/** Counts between two moments: one ledger's, or those of a composite's parts together. */
export type Read = (from: Seconds, to: Seconds) => WindowCounts;

/** @param blind why nothing was seen of the objective lately; undefined while it is seen. */
export function judge(
  judged: Judged,
  standing: Standing,
  ledger: Ledger,
  now: Seconds,
  blind: string | undefined,
): Verdict {
  const read: Read = (from, to) => countsBetween(ledger, from, to);
  return conclude(judged, judgeEvidence(judged, standing, now), read, now, blind);
}

/** @param detected what the detector says. */
export function conclude(
  judged: Judged,
  detected: Burning | undefined,
  read: Read,
  now: Seconds,
  blind: string | undefined,
): Verdict {
  let worst = detected;
  if (worst === undefined) {
    for (const rule of judged.rules) {
      if (worst !== undefined && severityRank(rule.rule.severity) <= severityRank(worst.severity)) continue;
      const found = judgePair(judged, rule, read, now);
      if (found !== undefined && (worst === undefined || severityRank(found.severity) > severityRank(worst.severity))) {
        worst = found;
      }
    }
  }
  if (blind === undefined) return worst ?? OK;
  // To be blind is more urgent than a ticket, and less than a page that nothing has ended yet.
  if (worst === undefined || worst.severity === 'info') return { kind: 'unknown', because: blind };
  if (worst.severity === 'warning') return { kind: 'unknown', because: `${blind}; before that, ${worst.because}` };
  return { ...worst, because: `${worst.because}; and now it is blind: ${blind}` };
}

/** Since when it burns, as far as its rule can tell: the evidence knows its run of failures, a pair only its long window. */
export function burningSince({ rules }: Judged, { evidence }: Standing, now: Seconds, verdict: Verdict): Seconds {
  if (verdict.kind !== 'burning') return now;
  if (verdict.rule === 'evidence') return evidence.since;
  const long = rules.find(({ rule }) => rule.name === verdict.rule)?.rule.long ?? 0;
  return seconds(now - long);
}

/** The detector's alarm, if pages are wanted. */
export function judgeEvidence(
  { objective, period, model, detects }: Judged,
  { evidence }: Standing,
  now: Seconds,
): Burning | undefined {
  if (!(detects && evidence.alarmed && objective.alerting.page)) return undefined;
  const { since, good, bad, decades } = readEvidence(model, evidence);
  const rate = burnRate({ good, bad }, objective.budget);
  const length = seconds(Math.max(1, now - since));
  const chance = decades > 0 ? ` (less likely than the tolerable ${objective.alerting.falsePagesPerYear} a year)` : '';
  return {
    kind: 'burning',
    rule: 'evidence',
    severity: 'critical',
    burnRate: rate,
    budgetSpent: (rate * length) / period,
    budgetLasts: budgetLasts(rate, period),
    because:
      `${round(bad)} of ${round(good + bad)} failed in the last ${duration(length)}, ${percent(bad / (good + bad))} where ` +
      `${percent(objective.budget)} is promised: more than a clump of failures within the objective explains${chance}`,
  };
}

/** One pair by itself: what it would say. */
export function judgePair(
  judged: Judged,
  { rule, factor, least }: JudgedRule,
  read: Read,
  now: Seconds,
): Burning | undefined {
  const { objective, period } = judged;
  const short = read(seconds(now - rule.short), now);
  if (burnRate(short, objective.budget) < factor - EPSILON) return undefined;
  const long = read(seconds(now - rule.long), now);
  const rate = burnRate(long, objective.budget);
  if (rate < factor - EPSILON) return undefined;
  const doubt = doubtOf(rule, least, long, read, now);
  const severity: Severity = doubt === undefined ? rule.severity : 'info';
  const seen = long.observed < long.length * 0.99 ? ` (${duration(long.observed)} of it were watched)` : '';
  return {
    kind: 'burning',
    rule: rule.name,
    severity,
    burnRate: rate,
    budgetSpent: (rate * rule.long) / period,
    budgetLasts: budgetLasts(rate, period),
    because:
      `the budget burns ${round(rate)} times as fast as it may over ${duration(rule.long)}${seen} and ` +
      `${round(burnRate(short, objective.budget))} times over ${duration(rule.short)}; the limit is ${round(factor)}${doubt ?? ''}`,
  };
}

/** Why a pair that fires is not believed. */
function doubtOf(rule: BurnRule, least: number, long: WindowCounts, read: Read, now: Seconds): string | undefined {
  if (long.bad < least) return `; but ${round(long.bad)} bad events are too few to tell (at least ${least})`;
  if (rule.severity !== 'critical') {
    if (long.observed >= WATCHED_LEAST) return undefined;
    return `; but it has been watched for ${duration(long.observed)}: too short to tell (at least ${duration(WATCHED_LEAST)})`;
  }
  let parts = 0;
  for (let part = 0; part < PARTS && parts < PARTS_BAD; part++) {
    const to = seconds(now - (part * rule.long) / PARTS);
    if (read(seconds(to - rule.long / PARTS), to).bad > 0) parts++;
  }
  if (parts >= PARTS_BAD) return undefined;
  return `; but its ${round(long.bad)} bad events came in ${parts} of ${PARTS} parts of that time: a clump, no lasting failure`;
}
