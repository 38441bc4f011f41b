/** The result of a run, as a table for people and as an object for machines. */
import type { RunResult } from './engine.ts';

export type Summary = ReturnType<typeof summarise>;

export function summarise(result: RunResult) {
  const { facts, kills, takeovers, hangs } = result;
  const { stored, sent, vendors } = facts;
  const ends = (status: string) => stored.documents.filter((document) => document.status === status).length;
  const own = stored.documents.map(({ sha256 }) => vendors.uploads[sha256] ?? 0);
  const times = stored.documents.filter(({ status }) => status === 'completed').map(({ seconds }) => seconds);
  return {
    engine: result.engine,
    kills: kills.length,
    killsByMember: countBy(kills, ({ member }) => member),
    killsByMoment: countBy(kills, ({ moment }) => moment),
    momentsMissed: countBy(result.missed, (name) => name),
    uploads: sent.length,
    answered202: sent.filter(({ id }) => id !== undefined).length,
    connectionsCut: sent.reduce((sum, { cut }) => sum + cut, 0),
    documents: stored.documents.length,
    completed: ends('completed'),
    rejected: ends('rejected'),
    failed: ends('failed'),
    interruptions: stored.moves.filter(({ because }) => because.startsWith('taken over')).length,
    interruptionsByStatus: countBy(
      stored.moves.filter(({ because }) => because.startsWith('taken over')),
      ({ to }) => to,
    ),
    webhooksInterrupted: stored.finishedJobs.filter((job) => job.queue === 'webhook' && job.interruptions > 0).length,
    callsCutOff: stored.calls.filter(({ outcome }) => outcome === 'interrupted').length,
    uploadsToVendor: own.reduce((sum, n) => sum + n, 0),
    uploadsRepeated: own.reduce((sum, n) => sum + Math.max(0, n - 1), 0),
    embedsToVendor: vendors.embeds,
    embedsRepeated: vendors.embeds - stored.calls.filter((c) => c.step === 'embed' && c.outcome === 'completed').length,
    chunks: stored.chunkCounts.reduce((sum, { rows }) => sum + rows, 0),
    secondsToCompleted: percentiles(times, 0.1),
    takeoverMs: percentiles(takeovers, 1),
    hungMs: percentiles(
      hangs.map(({ takeoverMs }) => takeoverMs ?? Number.POSITIVE_INFINITY),
      1,
    ),
    hangs: hangs.map(({ how, takeoverMs, lost }) => ({ how, takeoverMs: Math.round(takeoverMs ?? -1), lost })),
    seconds: Math.round(result.seconds),
    failures: result.failures,
  };
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const groups = Object.entries(Object.groupBy(items, key)).map(([name, all]) => [name, all?.length ?? 0] as const);
  return Object.fromEntries(groups.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function percentiles(values: readonly number[], unit: number) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const value = sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return Math.round(value / unit) * unit;
  };
  const round = (value: number) => Number(value.toFixed(1));
  return { n: sorted.length, p50: round(at(0.5)), p95: round(at(0.95)), max: round(at(1)) };
}

const STAGES = ['queued', 'parsing', 'chunking', 'embedding', 'storing'];

export function table(summaries: readonly Summary[]): string {
  const spread = ({ n, p50, p95, max }: Summary['takeoverMs']) => (n === 0 ? '-' : `${p50} / ${p95} / ${max}`);
  const rows: readonly (readonly [string, (of: Summary) => string | number])[] = [
    ['kill -9', (of) => of.kills],
    ['  moments that did not come', (of) => sum(of.momentsMissed)],
    ['uploads sent', (of) => of.uploads],
    ['  answered 202', (of) => of.answered202],
    ['  connections cut', (of) => of.connectionsCut],
    ['documents', (of) => of.documents],
    ['  completed / rejected / failed', (of) => `${of.completed} / ${of.rejected} / ${of.failed}`],
    ['chunks stored', (of) => of.chunks],
    ['jobs interrupted', (of) => of.interruptions],
    [
      '  queued / parsing / chunking / embedding / storing',
      (of) => STAGES.map((s) => of.interruptionsByStatus[s] ?? 0).join(' / '),
    ],
    ['  webhooks', (of) => of.webhooksInterrupted],
    ['vendor calls cut off, all in the ledger', (of) => of.callsCutOff],
    ['uploads to LlamaParse, of them repeated', (of) => `${of.uploadsToVendor}, ${of.uploadsRepeated}`],
    ['embedding requests, of them repeated', (of) => `${of.embedsToVendor}, ${of.embedsRepeated}`],
    ['upload to completed, s: p50 / p95 / max', (of) => spread(of.secondsToCompleted)],
    ['SIGKILL to work elsewhere, ms: p50 / p95 / max', (of) => spread(of.takeoverMs)],
    ['hung to work elsewhere, ms: p50 / p95 / max', (of) => spread(of.hungMs)],
    ['took, s', (of) => of.seconds],
    ['rules broken', (of) => of.failures.length],
  ];
  const widths = summaries.map((of) => Math.max(of.engine.length, ...rows.map(([, cell]) => String(cell(of)).length)));
  const line = (name: string, cells: readonly (string | number)[]) =>
    `${name.padEnd(54)}${cells.map((cell, i) => String(cell).padStart((widths[i] ?? 0) + 3)).join('')}`;
  return [
    line(
      '',
      summaries.map((of) => of.engine),
    ),
    ...rows.map(([name, cell]) => line(name, summaries.map(cell))),
  ].join('\n');
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, n) => total + n, 0);

/** Documents named for one broken rule; the JSON file has all of them. */
const NAMED = 12;

export function describeFailures({ engine, failures }: Summary): string {
  return failures
    .map(({ rule, found }) => {
      const more = found.length > NAMED ? `\n    and ${found.length - NAMED} more` : '';
      return `${engine}: BROKEN: ${rule}\n${found
        .slice(0, NAMED)
        .map((one) => `    ${one}`)
        .join('\n')}${more}`;
    })
    .join('\n');
}
