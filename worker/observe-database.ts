/** The gauges of the whole database and the counters that live in it, as answers to a scrape. */
import { closedCombinations } from '#collector/labels.ts';
import { readTogether } from '#collector/read-together.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Queryable } from '#kernel/database.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { STEP_OF, type UnfinishedStatus } from './document.ts';
import { readLoad } from './load.ts';
import { queueState } from './queue.ts';
import { readCounters } from './rows/counters.ts';
import { countUnfinished, oldestOf } from './rows/documents.ts';
import { listWorkers } from './rows/workers.ts';

const UNFINISHED = Object.keys(STEP_OF) as UnfinishedStatus[];

/** For the role that is there once for each database: api or service. */
export function observeDatabase(telemetry: Telemetry, q: Queryable, shared: SharedClock): void {
  const seconds = (from: Milliseconds | null | undefined) =>
    from === null || from === undefined ? 0 : Math.max(0, (shared.now() - from) / 1000);
  const unfinished = readTogether(() => countUnfinished(q));
  const queue = readTogether(() => queueState(q, shared.now()));
  telemetry.observe('documents_unfinished', async () => {
    const counts = new Map((await unfinished()).map(({ status, count }) => [status, count]));
    return UNFINISHED.map((status) => ({ value: counts.get(status) ?? 0, attributes: { status } }));
  });
  telemetry.observe('document_oldest_unfinished_age_seconds', async () => {
    return [{ value: seconds(oldestOf(await unfinished())), attributes: {} }];
  });
  telemetry.observe('queue_jobs', async () => {
    const state = await queue();
    return (['ready', 'delayed', 'claimed'] as const).map((name) => ({
      value: state[name],
      attributes: { state: name },
    }));
  });
  telemetry.observe('queue_oldest_ready_age_seconds', async () => {
    const { oldestReady } = await queue();
    return [{ value: seconds(oldestReady), attributes: {} }];
  });
  telemetry.observe('queue_estimated_wait_seconds', async () => [
    { value: (await readLoad(q, shared)).wait, attributes: {} },
  ]);
}

/** When any worker last proved that it lives; each role can say so, so that the silence of one is not the silence of all. */
export function observeWorkers(telemetry: Telemetry, q: Queryable): void {
  telemetry.observe('worker_last_seen_timestamp_seconds', async () => {
    const workers = await listWorkers(q, 0 as Milliseconds);
    return workers.length === 0
      ? []
      : [{ value: Math.max(...workers.map((worker) => worker.lastSeen)) / 1000, attributes: {} }];
  });
}

const COUNTERS = ['documents_finished_total', 'document_step_attempts_total', 'canary_finished_total'] as const;

/** For a role that works: what was counted in the transactions of this worker id; every series is there from 0 on. */
export function observeCounters(telemetry: Telemetry, q: Queryable, workerId: string): void {
  const key = (labels: object) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  const rows = readTogether(() => readCounters(q, workerId));
  for (const name of COUNTERS) {
    telemetry.observe(name, async () => {
      const mine = (await rows()).filter((row) => row.name === name);
      const counted = new Map(mine.map(({ labels, value }) => [key(labels), value]));
      return (closedCombinations(name) ?? []).map((labels) => ({
        value: counted.get(key(labels)) ?? 0,
        attributes: labels as never,
      }));
    });
  }
}
