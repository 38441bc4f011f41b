/** The result of a run, as a table for people and as an object for machines. */
import type { RunResult } from './engine.ts';
import { repeatsOf } from './judge.ts';
import { CHANNELS } from './receivers.ts';

export function summarise({ engine, seed, kills, missed, takeovers, facts, failures, seconds }: RunResult) {
  const { stories, arrived, stored } = facts;
  const repeats = repeatsOf(arrived);
  const alerts = stories.flatMap((story) => story.alerts);
  const sorted = [...takeovers].sort((a, b) => a - b);
  return {
    engine,
    seed,
    kills: kills.length,
    killsByMoment: countBy(kills.map(({ moment }) => moment)),
    momentsMissed: countBy(missed),
    alertsSent: alerts.length,
    alertsAnswered: alerts.filter(({ answered }) => answered).length,
    incidents: stored.incidents.length,
    arrived: countBy(arrived.map(({ channel }) => channel)),
    repeatsByKey: Object.fromEntries(
      CHANNELS.map((channel) => [channel, repeats.filter(({ again }) => again.channel === channel).length]),
    ),
    markedInSlack: arrived.filter(({ channel, mayRepeat }) => channel === 'slack' && mayRepeat).length,
    acknowledged: stories.filter(({ acknowledged }) => acknowledged === 'answered').length,
    silences: facts.silences.length,
    reloads: facts.generation,
    takeovers: takeovers.length,
    takeoverMs: { p50: sorted[Math.floor(sorted.length / 2)] ?? 0, max: sorted.at(-1) ?? 0 },
    seconds: Math.round(seconds),
    failures,
  };
}
export type Summary = ReturnType<typeof summarise>;

function countBy(names: readonly string[]): Record<string, number> {
  const groups = Object.entries(Object.groupBy(names, (name) => name)).map(
    ([name, all]) => [name, all?.length ?? 0] as const,
  );
  return Object.fromEntries(groups.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const SHOWN = 12;

export function describeRun({ failures, ...figures }: Summary): string {
  const lines = Object.entries(figures).map(
    ([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  const broken = failures.map(
    ({ rule, found }) =>
      `BROKEN: ${rule} (${found.length})\n${found
        .slice(0, SHOWN)
        .map((one) => `  ${one}`)
        .join('\n')}`,
  );
  return [...lines, ...broken].join('\n');
}
