/** One objective in full: what it promises, its pairs and how they stand, and what the detector knows, in numbers and words. */
import { type Ratio, type Seconds, seconds, toMilliseconds, toSeconds } from '#kernel/units.ts';
import { burnRate } from './burn-rate.ts';
import { currentPeriod } from './calendar.ts';
import type { Engine, Watched } from './engine.ts';
import { partsOf, readOf } from './engine-view.ts';
import { readEvidence } from './evidence.ts';
import { indicatorText } from './indicator-text.ts';
import { judgePair } from './judge.ts';
import { duration, percent, type RuleName, round } from './verdict.ts';

export type Detail = {
  readonly description: string;
  /** Addresses of pages, where its file names them. */
  readonly runbook: string | undefined;
  readonly dashboard: string | undefined;
  /** In words and queries. */
  readonly indicator: string;
  /** The share of events that may be bad. */
  readonly budget: Ratio;
  /** The period that contains now; a rolling one ends now. */
  readonly period: { readonly from: Seconds; readonly to: Seconds };
  readonly rules: readonly RuleView[];
  /** Undefined: it is not watched by the detector here. */
  readonly evidence: EvidenceView | undefined;
};

export type RuleView = {
  readonly name: RuleName;
  readonly severity: 'critical' | 'warning';
  readonly long: Seconds;
  readonly short: Seconds;
  /** Both rates must reach it. */
  readonly factor: number;
  /** And the long window must hold so many bad events, for the pair to be believed. */
  readonly least: number;
  readonly longRate: number;
  readonly shortRate: number;
  readonly firing: boolean;
  /** What it says where it fires, and why it is not believed if so. */
  readonly because: string | undefined;
};

export type EvidenceView = {
  /** Of a composite the part with the strongest. */
  readonly part: string | undefined;
  readonly alarmed: boolean;
  /** When the run of failures under way began; undefined: there is none. */
  readonly since: Seconds | undefined;
  readonly good: number;
  readonly bad: number;
  /** By chance, within the objective, such a run comes once in so long a time. */
  readonly onceIn: Seconds;
  /** The same for what is an alarm: the tolerable time between two false pages. */
  readonly alarmAt: Seconds;
  /** Of an alarm: how far it is from its end, from 0 to 1. */
  readonly recovered: number;
  readonly words: string;
};

/** Undefined: there is no such objective. */
export function detailOf(engine: Engine, id: string, now: Seconds): Detail | undefined {
  const watched = engine.watched.get(id);
  if (watched === undefined) return undefined;
  const { objective } = watched;
  const { start, end } = currentPeriod(objective.window, toMilliseconds(now));
  return {
    description: objective.description,
    runbook: objective.alerting.runbookUrl,
    dashboard: [objective.annotations['dashboard_url'], objective.annotations['dashboard']].find(isPage),
    indicator: indicatorText(objective.indicator),
    budget: objective.budget,
    period: { from: toSeconds(start), to: toSeconds(end) },
    rules: watched.unjudged === undefined ? rulesOf(engine, watched, now) : [],
    evidence: evidenceOf(engine, watched, now),
  };
}

const isPage = (text: string | undefined): text is string => text !== undefined && /^https?:\/\/[^\s<>"]+$/.test(text);

function rulesOf(engine: Engine, watched: Watched, now: Seconds): RuleView[] {
  const { judged, objective } = watched;
  const read = readOf(partsOf(engine, watched));
  return judged.rules.map((one): RuleView => {
    const { name, severity, long, short } = one.rule;
    const said = judgePair(judged, one, read, now);
    const rate = (length: Seconds) => burnRate(read(seconds(now - length), now), objective.budget);
    return {
      ...{ name, severity, long, short, factor: one.factor, least: one.least },
      ...{ longRate: rate(long), shortRate: rate(short) },
      firing: said !== undefined,
      because: said?.because,
    };
  });
}

function evidenceOf(engine: Engine, { objective, leaves }: Watched, now: Seconds): EvidenceView | undefined {
  if (!objective.alerting.page) return undefined;
  const found = leaves.flatMap(({ id }): EvidenceView[] => {
    const counted = engine.counted.get(id);
    if (counted === undefined) return [];
    const { judged, standing } = counted;
    const { alarmed, since, good, bad, decades, recovered } = readEvidence(judged.model, standing.evidence);
    const alarmAt = seconds(judged.model.threshold);
    const known = {
      part: id === objective.id ? undefined : id,
      ...{ alarmed, good, bad, alarmAt, recovered },
      since: bad > 0 ? since : undefined,
      onceIn: seconds(judged.model.threshold * 10 ** decades),
    };
    return [{ ...known, words: wordsOf(known, now) }];
  });
  return found.reduce<EvidenceView | undefined>((a, b) => (a === undefined || b.onceIn > a.onceIn ? b : a), undefined);
}

function wordsOf({ alarmed, since, good, bad, onceIn, alarmAt, recovered }: Omit<EvidenceView, 'words'>, now: Seconds) {
  if (since === undefined) return 'no run of failures: nothing that was seen lately speaks for an outage';
  const length = seconds(Math.max(1, now - since));
  const run = `${round(bad)} of the last ${round(good + bad)} failed, in ${duration(length)} (${percent(bad / (good + bad))})`;
  const chance = `by chance, within the objective, such a run comes once in ${duration(onceIn)}`;
  if (!alarmed) return `${run}: ${chance}; it pages at once in ${duration(alarmAt)}`;
  const end = recovered === 0 ? 'it goes on' : `it is ${percent(recovered)} on its way to be over`;
  return `${run}: ${chance}, and a page is due at once in ${duration(alarmAt)}; ${end}`;
}
