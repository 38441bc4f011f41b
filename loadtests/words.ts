/** A result in words, for the terminal, JUnit and the page alike. */
import { escapeUTF8 } from 'entities';
import { seconds } from '#kernel/units.ts';
import { duration, exactPercent, percent, round } from '#slo/verdict.ts';
import { CONFIDENCE } from './interval.ts';
import type { Judged } from './judge.ts';
import type { Knee, PhaseResult } from './phases.ts';
import type { ProcessUse, Resources } from './resources.ts';
import type { Result } from './result.ts';
import type { Trend } from './trend.ts';

/** Never 100 % of what is not all: 999,999 of a million are 99.99 %. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  return part === whole ? '100 %' : `${Math.floor((part / whole) * 10_000) / 100} %`;
}

export const time = (ms: number | undefined): string => (ms === undefined ? '–' : duration(seconds(ms / 1_000)));

export function headline(result: Result): string {
  const { verdict, because, knee, notAsked } = result;
  if (verdict === 'broken') return because[0] ?? '';
  const who = notAsked.length === 0 ? 'the counts' : 'sender and database';
  const agree = `${who} agree to the document`;
  if (knee !== null) return `${kneeWords(knee)}; ${agree}`;
  return `every objective held, and ${agree}`;
}

export function kneeWords(knee: Knee): string {
  switch (knee.kind) {
    case 'found':
      return `the knee is at ${knee.rate} documents a second; at ${knee.brokenAt} it breaks (${knee.why.join(', ')})`;
    case 'above':
      return `the knee lies above ${knee.rate} documents a second, the most that was tried`;
    case 'below':
      return `not even ${knee.brokenAt} documents a second are borne (${knee.why.join(', ')})`;
    default:
      return knee satisfies never;
  }
}

export function objectiveWords({ promise, good, bad, state, interval, proven, toProve }: Judged): string {
  if (state === 'unknown') return `nothing was counted; ${exactPercent(promise.target)} are promised`;
  const all = good + bad;
  const counted = `${good} of ${all} good (${share(good, all)}), ${exactPercent(promise.target)} are promised`;
  const sure = `${percent(CONFIDENCE)} sure: ${share(interval.low, 1)} to ${share(interval.high, 1)}`;
  if (proven) return `${counted}; ${sure}`;
  const few =
    state === 'kept' && bad === 0 ? `too few to prove it: ${toProve} good ones would` : 'which proves nothing';
  return `${counted}; ${sure}, ${few}`;
}

export const budgetWords = ({ burnRate, budgetSpent, promise }: Judged): string =>
  `burn rate ${round(burnRate)}; ${percent(budgetSpent)} of ${duration(promise.period)}’s budget`;

/** What each side counted, a line each. */
export function countLines({ counts, notAsked }: Result): [who: string, says: string][] {
  const { sender, database, counters, ledger, alone } = counts;
  const tell = (all: Readonly<Record<string, number>>, names: readonly string[]) =>
    names.map((name) => `${all[name] ?? 0} ${name}`).join(', ');
  const open = sender.accepted + sender.left;
  const taken = sender.completed + sender.rejected + sender.failed + sender.missing + open;
  const lines: [string, string][] = [
    [
      'sender',
      `${sender.all} sent, ${taken} accepted: ${tell(sender, ['completed', 'rejected', 'failed'])}, ${open} unfinished, ${sender.missing} lost; ${tell(sender, ['refused', 'unanswered'])}`,
    ],
    ['database', tell(database, [...new Set(['completed', 'rejected', 'failed', ...Object.keys(database)])])],
  ];
  const others = alone ? '' : ' (others’ documents among them)';
  if (counters !== null) lines.push(['counters', `${tell(counters, ['completed', 'rejected', 'failed'])}${others}`]);
  if (ledger !== null) lines.push(['ledger', `${ledger.good} good, ${ledger.bad} bad${others}`]);
  for (const one of notAsked) lines.push(['not asked', one]);
  return lines;
}

export const PHASE_HEAD = ['phase', 'rate/s', 'sent', 'refused', 'completed', 'goodput/s', 'p50', 'p95', 'broken'];

export const phaseRow = (one: PhaseResult): string[] => [
  one.phase.name,
  String(one.phase.rate),
  String(one.sent),
  String(one.refused),
  String(one.completed),
  round(one.goodput),
  time(one.p50),
  time(one.p95),
  one.broken.join(', ') || '–',
];

const MIB = 2 ** 20;
const mib = (bytes: number): string => (bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0);

export const USE_HEAD = [
  'process',
  'cores',
  'CPU ms a document',
  'own memory MiB, first/last/most; without garbage',
  'an hour',
  'descriptors',
  'an hour',
];

/** What a process took. An interval that holds 0 is no growth. */
export function useRow(use: ProcessUse): string[] {
  const { name, cores, cpuMsPerDocument, settledBytes, descriptors } = use;
  const { first, last, most } = use.privateBytes;
  const settled = settledBytes === null ? '' : `; ${mib(settledBytes.first)} / ${mib(settledBytes.last)}`;
  return [
    name,
    cores.toFixed(2),
    cpuMsPerDocument === null ? '–' : cpuMsPerDocument.toFixed(1),
    `${mib(first)} / ${mib(last)} / ${mib(most)}${settled}`,
    trendWords(use.memoryTrend, MIB, 'MiB'),
    `${descriptors.first} / ${descriptors.last} / ${descriptors.most}`,
    trendWords(use.descriptorTrend, 1, ''),
  ];
}

function trendWords(trend: Trend | null, unit: number, name: string): string {
  if (trend === null) return '–';
  const [slope, low, high] = [trend.slope, trend.low, trend.high].map(
    (one) => `${one < 0 ? '' : '+'}${(one / unit).toFixed(1)}`,
  );
  return `${slope} ${name} (${low} to ${high})`.replace('  ', ' ');
}

export const STORE_HEAD = ['store', 'MiB before', 'MiB after', 'KiB a document'];

/** Those that grew, and how much for each document. */
export const storeRows = ({ stores }: Resources, documents: number): string[][] =>
  stores.flatMap(({ name, before, after }) =>
    after === before
      ? []
      : [[name, mib(before), mib(after), documents === 0 ? '–' : ((after - before) / documents / 1_024).toFixed(1)]],
  );

/** Ids on a screen; all of them are in the JSON. */
export const IDS_SHOWN = 20;
export const idsShown = (ids: readonly string[]): string =>
  ids.length <= IDS_SHOWN ? ids.join(', ') : `${ids.slice(0, IDS_SHOWN).join(', ')} and ${ids.length - IDS_SHOWN} more`;

/** For HTML and XML. Control characters are not allowed in XML 1.0 at all. */
export const text = (raw: string): string =>
  escapeUTF8(raw.replace(/[^\t\n\r\u0020-\ufffd\u{10000}-\u{10ffff}]/gu, '?'));
