/** A report as people read it (Markdown, whose tables are aligned as text too) and as sheets do (CSV). Pure. */
import { Temporal } from '@js-temporal/polyfill';
import type { Ratio, Seconds } from '#kernel/units.ts';
import type { Forecast } from './forecast.ts';
import type { How } from './ledger/corrections.ts';
import type { Attained, CorrectionNote, Episode, PeriodReport, Report } from './report.ts';
import { duration, round } from './verdict.ts';

export function reportMarkdown(report: Report): string {
  const { objective, target, budget, window, periods } = report;
  const zone = window.kind === 'calendar' ? window.timeZone : 'UTC';
  const when = (at: Seconds) => wallClock(at, zone);
  const head = ['period', 'attained', 'good', 'bad', 'budget spent', 'left', 'left, at least', 'at most', 'known'];
  const rows = periods.map((one) => {
    const { good, bad, sli, spent } = one;
    const { value, low, high, known } = one.budget;
    const shares = [spent, value, low, high, known].map(share);
    return [titleOf(one, when), sli === null ? 'no event' : attainedText(sli), count(good), count(bad), ...shares];
  });
  return [
    `# ${escaped(objective)}`,
    `Promised: ${attainedText(target)} good, so ${attainedText(budget)} may fail. Times are of ${zone}.`,
    table(head, rows, 1),
    ...periods.map((one) => periodMarkdown(one, when, budget)),
  ].join('\n\n');
}

function periodMarkdown(period: PeriodReport, when: (at: Seconds) => string, budget: Ratio): string {
  const parts = [`## ${titleOf(period, when)}`, verdictText(period, budget)];
  if (period.until < period.to)
    parts.push(`It runs until ${when(period.to)}; this is what was known at ${when(period.until)}.`);
  if (period.ends !== null) parts.push(endsText(period.ends, when));
  if (period.bad > 0) parts.push('### What ate the budget', eatenTable(period, when));
  if (period.corrections.length > 0) parts.push('### Corrections', ...correctionsText(period, when));
  return parts.join('\n\n');
}

function verdictText({ sli, budget, spent, bad }: PeriodReport, promised: Ratio): string {
  if (sli === null) return budget.known > 0 ? 'Nothing happened: there was no event.' : 'Nothing is known of it.';
  const kept = 1 - sli <= promised + 1e-12 ? 'Kept' : '**Broken**';
  const interval =
    budget.known < 1
      ? ` Of ${share(1 - budget.known)} of the time nothing is known: between ${share(budget.low)} and ${share(budget.high)} may be left.`
      : '';
  return `${kept}: ${attainedText(sli)} were good. ${count(bad)} failures spent ${share(spent)} of the budget; ${share(budget.value)} is left.${interval}`;
}

export function endsText(ends: Forecast, when: (at: Seconds) => string): string {
  if (ends.kind === 'spent') return 'The budget is spent.';
  const perhaps = (at: Seconds | undefined) => (at === undefined ? 'never' : when(at));
  if (ends.kind === 'never') {
    const bad = ends.earliest === undefined ? '' : `, or at the earliest at ${when(ends.earliest)}`;
    return `At the present rate of failures the budget never ends${bad}.`;
  }
  return `At the present rate of failures the budget ends at ${when(ends.at)} (at the earliest ${when(ends.earliest)}, at the latest ${perhaps(ends.latest)}).`;
}

function eatenTable({ episodes, background, bad, spent }: PeriodReport, when: (at: Seconds) => string): string {
  const row = ({ start, end, goesOn, rule, severity, bad: failures, share: part }: Episode) => [
    when(start),
    goesOn ? 'went on' : when(end),
    duration((end - start) as Seconds),
    `${rule} (${severity})`,
    count(failures),
    share(part),
  ];
  const rest = ['background', '', '', '', count(background.bad), share(background.share)];
  const sum = ['all', '', '', '', count(bad), share(spent)];
  return table(['from', 'to', 'lasted', 'rule', 'bad', 'of the budget'], [...episodes.map(row), rest, sum], 4);
}

function correctionsText(
  { corrections, uncorrected, sli, ...now }: PeriodReport,
  when: (at: Seconds) => string,
): string[] {
  const rows = corrections.map((one) => [
    one.id,
    one.author,
    one.reason,
    when(one.enteredAt),
    howText(one.how),
    spansText(one, when),
  ]);
  const parts = [table(['id', 'author', 'reason', 'entered', 'takes out', 'in'], rows, 6)];
  if (uncorrected === null) return parts;
  const line = (name: string, { good, bad, sli: attained, budget }: Attained) => [
    name,
    attained === null ? 'no event' : attainedText(attained),
    count(good),
    count(bad),
    share(budget.value),
  ];
  const both = [line('corrected', { ...now, sli }), line('as counted', uncorrected)];
  return [...parts, table(['', 'attained', 'good', 'bad', 'budget left'], both, 1)];
}

const SPANS_SHOWN = 3;

function spansText({ spans }: CorrectionNote, when: (at: Seconds) => string): string {
  const shown = spans
    .slice(0, SPANS_SHOWN)
    .map(({ from, to }) => `${when(from)} for ${duration((to - from) as Seconds)}`);
  const more = spans.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more times` : ''}`;
}

function howText(how: How): string {
  switch (how.kind) {
    case 'all':
      return 'everything';
    case 'bad':
      return `${share(how.share)} of the bad events`;
    case 'events':
      return `${count(how.bad)} bad events`;
    default:
      return how satisfies never;
  }
}

function titleOf({ from, to }: PeriodReport, when: (at: Seconds) => string): string {
  const [begin, end] = [when(from), when(to)].map((text) => text.replace(/ 00:00$/, ''));
  return `${begin} to ${end}`;
}

/** One line a period; counts and shares in full. */
export function reportCsv(reports: readonly Report[]): string {
  const head =
    'objective,from,to,until,target,good,bad,sli,budget_spent,budget_left,budget_left_low,budget_left_high,known,episodes,episodes_bad,background_bad,uncorrected_good,uncorrected_bad,uncorrected_sli,uncorrected_budget_left,ends';
  const lines = reports.flatMap(({ objective, target, periods }) =>
    periods.map((one) => {
      const { budget, uncorrected, background } = one;
      const moments = [one.from, one.to, one.until].map(iso);
      const eaten = [one.episodes.length, one.bad - background.bad, background.bad];
      const counted = [uncorrected?.good, uncorrected?.bad, uncorrected?.sli, uncorrected?.budget.value];
      const left = [one.spent, budget.value, budget.low, budget.high, budget.known];
      const cells = [target, one.good, one.bad, one.sli, ...left, ...eaten, ...counted];
      return [cell(objective), ...moments, ...cells.map((value) => value ?? ''), endsCell(one.ends)].join(',');
    }),
  );
  return `${[head, ...lines].join('\n')}\n`;
}

function endsCell(ends: Forecast | null): string {
  if (ends === null) return '';
  return ends.kind === 'at' ? iso(ends.at) : ends.kind;
}

const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const iso = (at: Seconds): string => new Date(at * 1000).toISOString().replace('.000Z', 'Z');

/** To the minute, by the wall of a place. */
export function wallClock(at: Seconds, zone: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(Math.floor(at * 1000)).toZonedDateTimeISO(zone);
  return local.toPlainDateTime().toString({ smallestUnit: 'minute', roundingMode: 'floor' }).replace('T', ' ');
}

const count = (n: number): string => (Number.isInteger(n) ? String(n) : String(Number(n.toFixed(2))));
const share = (part: number): string => `${round(part * 100)} %`;
/** 99.95 and 99.951 are not the same promise; 99.99999 % is not 100. */
const attainedText = (part: number): string => `${Math.floor(part * 1e7 + 1e-6) / 1e5} %`;

/** Cells as wide as their column; from column `right` on they are numbers, and stand right. */
function table(head: readonly string[], rows: readonly (readonly string[])[], right: number): string {
  const lines = [head, ...rows].map((row) => row.map(escaped));
  const widths = head.map((_, i) => Math.max(3, ...lines.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, i) => (i >= right ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i >= right ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  const [first = [], ...rest] = lines;
  return [line(first), rule, ...rest.map(line)].join('\n');
}

/** What people wrote must not break the table, nor become markup of its own. */
const escaped = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\\|<>*_`[\]]/g, '\\$&');
