/** What a client of Alertmanager's API v2 does, over real HTTP; and inboxes of the simulators, read back. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

export type Posted = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly startsAt?: string;
  readonly endsAt?: string;
};

export async function postAlerts(url: string, alerts: readonly Posted[]): Promise<Response> {
  return await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts),
    signal: AbortSignal.timeout(15_000),
  });
}

export async function getJson<T = unknown>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(15_000) });
  assert.equal(response.status, 200, `${url}: ${response.status}`);
  return (await response.json()) as T;
}

export type Mail = {
  readonly at: string;
  readonly channel: string;
  /** What it did at PagerDuty. */
  readonly effect?: string;
  readonly body: Record<string, unknown>;
};
export const inbox = async (simulators: string, channel: string): Promise<Mail[]> =>
  await getJson<Mail[]>(`${simulators}/inbox?channel=${channel}`);

/** Waits for something to become true; says what it saw last. */
export async function until<T>(what: string, look: () => Promise<T | undefined>, within = 20_000): Promise<T> {
  let last: unknown;
  for (const limit = performance.now() + within; performance.now() < limit; ) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`${what}: not within ${within} ms`, { cause: last });
}
