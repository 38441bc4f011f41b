/** The router's gauges and counters that live in its store, as answers to a scrape. */
import { observeConnections } from '#collector/connections.ts';
import { readTogether } from '#collector/read-together.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { countIncidents, countNotifications, countPages } from './rows/counts.ts';

const CHANNELS = ['slack', 'email', 'pagerduty', 'webhook'] as const;
const DONE = ['delivered', 'refused', 'superseded'] as const;
const SEVERITIES = ['critical', 'warning'] as const;
const STATES = ['open', 'acknowledged', 'snoozed'] as const;

export function observeRouter(telemetry: Telemetry, q: Queryable, now: () => Milliseconds): void {
  observeConnections(telemetry, q);
  const counted = readTogether(() => countNotifications(q));
  telemetry.observe('pages_total', async () => {
    const pages = await countPages(q, now());
    return (['in_time', 'late'] as const).map((outcome) => ({ value: pages[outcome], attributes: { outcome } }));
  });
  telemetry.observe('notifications_total', async () => {
    const rows = await counted();
    return CHANNELS.flatMap((channel) =>
      DONE.map((outcome) => {
        const value = rows.find((row) => row.channel === channel && row.state === outcome)?.count ?? 0;
        return { value, attributes: { channel, outcome } };
      }),
    );
  });
  const waiting = async () => (await counted()).filter(({ state }) => state === 'pending' || state === 'sending');
  telemetry.observe('notifications_waiting', async () => [
    { value: (await waiting()).reduce((sum, { count }) => sum + count, 0), attributes: {} },
  ]);
  telemetry.observe('notification_oldest_waiting_age_seconds', async () => {
    const oldest = (await waiting()).flatMap((row) => row.oldest ?? []).sort((a, b) => a - b)[0];
    return [{ value: oldest === undefined ? 0 : Math.max(0, now() - oldest) / 1_000, attributes: {} }];
  });
  telemetry.observe('incidents_unresolved', async () => {
    const rows = await countIncidents(q);
    return SEVERITIES.flatMap((severity) =>
      STATES.map((state) => {
        const value = rows.find((row) => row.severity === severity && row.state === state)?.count ?? 0;
        return { value, attributes: { severity, state } };
      }),
    );
  });
}
