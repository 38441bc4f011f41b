/** What is asked of the alerts, and how they are shown: their state is that of this moment. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Matcher, makeMatcher, matchesAll, parseMatcher } from '#alerting/matcher.ts';
import { type Suppression, suppressionsOf } from '#alerting/muting.ts';
import type { Setup } from '#alerting/setup.ts';
import type { StoredAlert } from '#alerting/store.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { JSON_TYPE } from '#serving/problems.ts';
import { badRequest, type V2Routes } from './v2.ts';
import type { GettableAlert } from './wire-alerts.ts';

const FILTERS_MAX = 100;
const flag = z
  .enum(['true', 'false'])
  .default('true')
  .transform((text) => text === 'true');
export const filter = z
  .union([z.string(), z.array(z.string()).max(FILTERS_MAX)])
  .optional()
  .describe('a matcher, such as severity="critical"; may be given several times');
export const flags = z.object({
  active: flag,
  silenced: flag,
  inhibited: flag,
  unprocessed: flag,
  muted: flag,
  filter,
  receiver: z.string().max(1_000).optional().describe('a regular expression'),
});

export type Asked = Pick<z.infer<typeof flags>, 'active' | 'silenced' | 'inhibited' | 'muted'> & {
  readonly matchers: readonly Matcher[];
  readonly receiver: ((name: string) => boolean) | undefined;
};

export function readAsked(given: z.infer<typeof flags>, { mode }: V2Routes): Asked {
  const { filter: texts = [], receiver, active, silenced, inhibited, muted } = given;
  const matchers = [texts].flat().map((text) => {
    const parsed = parseMatcher(text, mode);
    if (parsed.kind === 'fault') throw badRequest(`bad matcher format: ${parsed.message}`);
    return parsed.matcher;
  });
  const named = receiver === undefined ? undefined : receiverTest(receiver);
  return { active, silenced, inhibited, muted, matchers, receiver: named };
}

function receiverTest(pattern: string): (name: string) => boolean {
  const parsed = makeMatcher('receiver', '=~', pattern);
  if (parsed.kind === 'fault') throw badRequest(`failed to parse receiver param: ${parsed.message}`);
  return parsed.matcher.test;
}

/** An expression may take long for each alert: others are served in between, and there is an end. */
const SLICE = 20;
const MATCHING_MOST = 5_000;

type Pace = {
  begin(): void;
  /** What to await after each alert. */
  step(): Promise<void> | undefined;
};

function makePace(clock: Clock): Pace {
  let since = clock.steady();
  let spent = 0;
  const begin = (): void => {
    since = clock.steady();
  };
  return {
    begin,
    step: () => {
      const took = clock.steady() - since;
      if (took < SLICE) return undefined;
      spent += took;
      if (spent > MATCHING_MOST) throw badRequest(`the filters took more than ${MATCHING_MOST} ms: make them simpler`);
      return new Promise((resolve) => setImmediate(resolve)).then(begin);
    },
  };
}

export type Listing = {
  readonly setup: Setup;
  readonly now: Milliseconds;
  readonly asked: Asked;
  readonly pace: Pace;
};

export const listingOf = (routes: V2Routes, asked: Asked): Listing => ({
  setup: routes.setup(),
  now: routes.now(),
  asked,
  pace: makePace(routes.clock),
});

export async function matching<A extends Pick<StoredAlert, 'labels'>>(
  alerts: readonly A[],
  { asked, pace }: Listing,
): Promise<A[]> {
  if (asked.matchers.length === 0) return [...alerts];
  const found: A[] = [];
  pace.begin();
  for (const alert of alerts) {
    if (matchesAll(asked.matchers, alert.labels)) found.push(alert);
    await pace.step();
  }
  return found;
}

export const suppressionsNow = async (
  { store }: V2Routes,
  { setup, now }: Listing,
  alerts: readonly StoredAlert[],
): Promise<Map<string, Suppression>> => await store.tx((tx) => suppressionsOf(tx, setup, alerts, now));

export function isAsked(asked: Asked, suppression: Suppression | undefined): boolean {
  if (suppression === undefined) return asked.active;
  return (
    (asked.silenced || suppression.silencedBy.length === 0) && (asked.inhibited || suppression.inhibitedBy.length === 0)
  );
}

export function gettable(
  alert: StoredAlert,
  suppression: Suppression | undefined,
  receivers: readonly string[],
  muted: readonly string[],
): GettableAlert {
  const { silencedBy = [], inhibitedBy = [] } = suppression ?? {};
  const suppressed = silencedBy.length + inhibitedBy.length + muted.length > 0;
  return {
    annotations: alert.annotations,
    endsAt: iso(alert.endsAt),
    fingerprint: alert.fingerprint,
    receivers: receivers.map((name) => ({ name })),
    startsAt: iso(alert.startsAt),
    status: {
      inhibitedBy: [...inhibitedBy],
      mutedBy: [...muted],
      silencedBy: [...silencedBy],
      state: suppressed ? 'suppressed' : 'active',
    },
    updatedAt: iso(alert.updatedAt),
    generatorURL: alert.generatorUrl,
    labels: alert.labels,
  };
}

export const iso = (at: Milliseconds): string => new Date(at).toISOString();

/** A JSON text piece by piece, so that a long list is never whole in memory. */
export async function sendText(reply: FastifyReply, pieces: AsyncIterable<string>): Promise<FastifyReply> {
  return await reply
    .type(JSON_TYPE)
    .serializer(String)
    .send(Readable.from(pieces) as never);
}

/** A list, page by page. */
export async function* listText(pages: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  let before = '[';
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield `${before}${page.map((one) => JSON.stringify(one)).join(',')}`;
    before = ',';
  }
  yield before === '[' ? '[]\n' : ']\n';
}
