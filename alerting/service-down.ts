/**
 * A service none of whose targets answers: not that it cannot be judged, but that it is not there. It is told before its
 * objectives are called blind, and inhibits that (`defaults/alertmanager.yml`), so that of one outage there is one page.
 * Pure.
 */
import { type Milliseconds, milliseconds, type Seconds, seconds } from '#kernel/units.ts';
import { DOCUMENTS_SERVICE, DOWN_ALERT, downLabels } from '#slo/alert-names.ts';
import type { Engine } from '#slo/engine.ts';
import { duration } from '#slo/verdict.ts';
import { EYE, type Said } from './verdict-alerts.ts';
import type { Look } from './watch-source.ts';

/** So often a target may be asked in vain, which is less than blindness takes; half a time is for the clock's jitter. */
const MISSED = 4.5;

export type Presence = {
  /** When each target last answered, or was first asked. */
  readonly last: Map<string, Milliseconds>;
  /** Whoever starts the service again has given it up. */
  givenUp: boolean;
};

export const newPresence = (): Presence => ({ last: new Map(), givenUp: false });

/** Takes in what a look showed. What was given up and answers was started by somebody. */
export function notePresence(
  presence: Presence,
  { answered, heard }: Pick<Look, 'answered' | 'heard'>,
  now: Milliseconds,
): void {
  const { last } = presence;
  for (const target of last.keys()) {
    if (!heard) last.set(target, now);
    else if (!answered.has(target)) last.delete(target);
  }
  for (const [target, answers] of answered) if (answers || !last.has(target)) last.set(target, now);
  if ([...answered.values()].includes(true)) presence.givenUp = false;
}

/** @param every how often targets are asked. */
export function servicesDown(engine: Engine, presence: Presence, every: Seconds, now: Milliseconds): Said[] {
  const { last, givenUp } = presence;
  const said: Said[] = [];
  for (const [service, targets] of servicesOf(engine)) {
    const times = targets.flatMap((target) => last.get(target) ?? []);
    if (times.length === 0 || times.length < targets.length) continue;
    const since = milliseconds(Math.max(...times));
    if (now - since < MISSED * every * 1_000 && !(givenUp && now > since)) continue;
    said.push(down(service, targets, since, givenUp, now));
  }
  // It ended before anything was seen of it.
  if (givenUp && said.length === 0) said.push(down(DOCUMENTS_SERVICE, [...last.keys()], now, givenUp, now));
  return said;
}

/** The targets that serve each service's objectives. */
function servicesOf({ book, watched, targets }: Engine): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const { objective, leaves } of watched.values()) {
    const serving = found.get(objective.service) ?? new Set();
    found.set(objective.service, serving);
    for (const { id } of leaves) {
      for (const target of book.accounts.get(id)?.served.keys() ?? []) if (targets.has(target)) serving.add(target);
    }
  }
  return new Map([...found].map(([service, serving]) => [service, [...serving]]));
}

function down(
  service: string,
  targets: readonly string[],
  since: Milliseconds,
  givenUp: boolean,
  now: Milliseconds,
): Said {
  const silent = `no answer from ${targets.join(', ')} for ${duration(seconds(Math.round((now - since) / 1_000)))}`;
  return {
    labels: { alertname: DOWN_ALERT, ...downLabels(service, EYE) },
    annotations: {
      summary: `${service} is down`,
      description: givenUp ? `it keeps ending and is not started any more; ${silent}` : silent,
    },
    since,
  };
}
