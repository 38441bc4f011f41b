/** The failure that must never be silent: documents wait and no worker is there. Pure. */
import type { Milliseconds } from '#kernel/units.ts';
import { STALL_ALERT, stallLabels } from '#slo/alert-names.ts';
import { EYE, type Said } from './verdict-alerts.ts';

export const STALL_METRICS = { waiting: 'documents_unfinished', lastSeen: 'worker_last_seen_timestamp_seconds' };
const GONE_AFTER = 30;

export type StallSample = { readonly name: string; readonly value: number };

/** @param samples of all targets that answered. */
export function workerGone(samples: readonly StallSample[], now: Milliseconds): Said | undefined {
  const values = (name: string) => samples.filter((sample) => sample.name === name).map(({ value }) => value);
  const waiting = values(STALL_METRICS.waiting).reduce((sum, value) => sum + value, 0);
  const seen = Math.max(0, ...values(STALL_METRICS.lastSeen));
  if (waiting === 0 || now / 1_000 - seen < GONE_AFTER) return undefined;
  return {
    labels: { alertname: STALL_ALERT, ...stallLabels(EYE) },
    annotations: {
      summary: `${waiting} documents wait and no worker is there`,
      description:
        seen === 0 ? 'no worker was ever seen' : `the last one was seen at ${new Date(seen * 1_000).toISOString()}`,
    },
    since: (seen === 0 ? now : Math.min(now, (seen + GONE_AFTER) * 1_000)) as Milliseconds,
  };
}
