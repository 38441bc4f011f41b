/**
 * The router's own watchdog: a second loop, beside the one that decides, compares what was due with what was done, and
 * writes to a receiver directly, past the outbox that may be what is stuck. As long as all goes well it tells somebody
 * outside, who notices when the whole process is gone.
 */
import type { Telemetry } from '#collector/telemetry.ts';
import type { Clock } from '#kernel/clock.ts';
import { describe, Fault } from '#kernel/errors.ts';
import type { Http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type Notify, SEND_LIMIT } from './delivery.ts';
import { ofReceiver } from './destination.ts';
import { fingerprint, type Labels } from './labels.ts';
import type { GroupMessage } from './message.ts';
import type { Overdue } from './rows/overdue.ts';
import type { Setup } from './setup.ts';
import { EYE } from './verdict-alerts.ts';

export type WatchdogOptions = {
  readonly clock: Clock;
  readonly now: () => Milliseconds;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly setup: () => Setup;
  readonly notify: Notify;
  readonly newId: () => string;
  readonly http: Http;
  /** Steady time at which the deciding loop last went round. */
  readonly wentRound: () => Milliseconds;
  readonly overdue: (before: Milliseconds) => Promise<Overdue>;
};

export interface Watchdog {
  /** Looks once. */
  look(): Promise<void>;
  /** Says outside that all goes well, if it does. */
  beat(signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

/** What waits for longer was forgotten, or cannot be done. */
export const OVERDUE_AFTER = milliseconds(60_000);
const LOOK_EVERY = milliseconds(5_000);
/** At a start, and after a machine slept, all is late for a moment. */
const LOOKS_LEAST = 2;
const ALARM_EVERY = milliseconds(300_000);
const STORE_LIMIT = milliseconds(5_000);
/** The deciding loop goes round once a second; the store is asked every few. */
const HEALTHY_WITHIN = milliseconds(30_000);
const BEAT_LIMIT = milliseconds(10_000);
const BEAT_LOOK = milliseconds(1_000);

export function makeWatchdog(options: WatchdogOptions): Watchdog {
  const { clock, log } = options;
  const state = { begun: clock.steady(), answered: clock.steady() };
  const alarm = makeAlarm(options);
  const say = makeBeat(options);
  const look = async () => {
    const overdue = await askStore(options);
    if (typeof overdue !== 'string') state.answered = clock.steady();
    await alarm.hear(faultsOf(options, overdue, state));
  };
  const isWell = () => {
    const oldest = Math.min(state.answered, options.wentRound());
    return clock.steady() - oldest < HEALTHY_WITHIN;
  };
  const beat = async (signal: AbortSignal) => {
    if (isWell()) await say(signal);
  };
  const loop = async (every: Milliseconds, work: () => Promise<void>, signal: AbortSignal) => {
    while (!signal.aborted) {
      await work().catch((error: unknown) => log.error({ reason: describe(error) }, 'the watchdog failed'));
      await clock.sleep(every, signal).catch(() => {});
    }
  };
  return {
    look,
    beat,
    run: async (signal) => {
      let last: Milliseconds | undefined;
      const beatWhenDue = async () => {
        const every = options.setup().oncall.watchdog?.every;
        if (every === undefined || (last !== undefined && clock.steady() - last < every)) return;
        last = clock.steady();
        await beat(signal);
      };
      await Promise.all([loop(LOOK_EVERY, look, signal), loop(BEAT_LOOK, beatWhenDue, signal)]);
    },
  };
}

/** @returns why there is no answer: one that hangs is none. */
async function askStore({ clock, now, overdue, telemetry }: WatchdogOptions): Promise<Overdue | string> {
  const over = new AbortController();
  const limit = clock.sleep(STORE_LIMIT, over.signal).then(
    () => `no answer within ${STORE_LIMIT / 1_000} s`,
    () => '',
  );
  const found = await Promise.race([overdue(milliseconds(now() - OVERDUE_AFTER)).catch(describe), limit]);
  over.abort();
  if (typeof found === 'string') return found;
  for (const what of ['groups', 'incidents', 'pages'] as const)
    telemetry.set('watchdog_overdue', { what }, found[what]);
  telemetry.set('watchdog_overdue', { what: 'unreached' }, found.unreached.length);
  return found;
}

type Since = { readonly begun: Milliseconds; readonly answered: Milliseconds };

/** What is wrong, in words; empty: nothing. */
function faultsOf({ clock, wentRound }: WatchdogOptions, overdue: Overdue | string, since: Since): string[] {
  const steady = clock.steady();
  const lost = typeof overdue === 'string' ? [] : unreachedOf(overdue);
  // What was due while nobody was there is being done.
  if (steady - since.begun < OVERDUE_AFTER) return lost;
  const faults = lost;
  const round = steady - wentRound();
  if (round >= OVERDUE_AFTER) faults.push(`nothing was decided for ${Math.floor(round / 1_000)} s`);
  if (typeof overdue === 'string') {
    const silent = steady - since.answered;
    if (silent >= OVERDUE_AFTER) faults.push(`the store does not answer: ${overdue}`);
    return faults;
  }
  const { groups, incidents, pages } = overdue;
  if (groups > 0) faults.push(`${groups} group(s) should have been looked at`);
  if (incidents > 0) faults.push(`${incidents} incident(s) should have been escalated`);
  if (pages > 0) faults.push(`${pages} critical page(s) are not delivered`);
  return faults;
}

const SHOWN_MOST = 3;
function unreachedOf({ unreached }: Overdue): string[] {
  if (unreached.length === 0) return [];
  const more = unreached.length > SHOWN_MOST ? ` and ${unreached.length - SHOWN_MOST} more` : '';
  return [`an escalation reached nobody: ${unreached.slice(0, SHOWN_MOST).join(', ')}${more}`];
}

const LABELS: Labels = { alertname: 'RouterStuck', severity: 'critical', eye: EYE };

function makeAlarm(options: WatchdogOptions) {
  const { clock, now, log } = options;
  let looks = 0;
  let since: Milliseconds | undefined;
  let told: Milliseconds | undefined;
  /** In this spell. */
  let sounded = false;
  return {
    hear: async (faults: readonly string[]) => {
      if (faults.length === 0) {
        looks = 0;
        const [began, wasTold] = [since, sounded];
        [since, sounded] = [undefined, false];
        if (began === undefined) return;
        log.info({}, 'the router gets its work done again');
        if (wasTold) await tell(options, 'resolved', began, []);
        return;
      }
      if (++looks < LOOKS_LEAST) return;
      since ??= now();
      // Also when it comes and goes: whoever is written to has other things to do.
      if (told !== undefined && clock.steady() - told < ALARM_EVERY) return;
      told = clock.steady();
      sounded = true;
      log.error({ faults, overdueAfterMs: OVERDUE_AFTER }, 'the router does not get its work done');
      await tell(options, 'firing', since, faults);
    },
  };
}

async function tell(
  options: WatchdogOptions,
  status: GroupMessage['status'],
  since: Milliseconds,
  faults: readonly string[],
): Promise<void> {
  const { setup, notify, now, newId, log, telemetry } = options;
  const { config, oncall, links } = setup();
  const receiver = oncall.watchdog?.receiver;
  if (receiver === undefined) return;
  const to = ofReceiver(receiver, config.receivers.get(receiver)?.integrations ?? []);
  const message = messageOf(receiver, links.external, status, since, faults, now());
  await Promise.all(
    to.map(async ({ destination, integration }) => {
      if (status === 'resolved' && !integration.sendResolved) return;
      const circumstances = { id: newId(), mayRepeat: false, thread: [], createdAt: now() };
      const outcome = await notify(integration, message, circumstances, AbortSignal.timeout(SEND_LIMIT)).catch(
        (error: unknown) => ({ kind: 'ambiguous' as const, because: describe(error) }),
      );
      const delivered = outcome.kind === 'delivered';
      telemetry.count('watchdog_alarms_total', { outcome: delivered ? 'delivered' : 'failed' });
      if (!delivered) log.error({ destination, reason: outcome.because }, 'the watchdog cannot reach anybody there');
    }),
  );
}

function messageOf(
  receiver: string,
  external: string,
  status: GroupMessage['status'],
  since: Milliseconds,
  faults: readonly string[],
  now: Milliseconds,
): GroupMessage {
  const annotations: Labels = {
    summary: 'The alert router does not get its work done: pages may be missing',
    ...(faults.length === 0 ? {} : { description: faults.join('; ') }),
  };
  const firing = status === 'firing';
  return {
    kind: 'group',
    status,
    missed: false,
    receiver,
    // One for all routers: they share a store.
    groupKey: 'burnline/watchdog',
    groupLabels: LABELS,
    commonLabels: LABELS,
    commonAnnotations: annotations,
    alerts: {
      firing: firing ? 1 : 0,
      resolved: firing ? 0 : 1,
      list: [
        {
          status,
          fingerprint: fingerprint(LABELS),
          labels: LABELS,
          annotations,
          startsAt: since,
          endsAt: firing ? undefined : now,
          generatorUrl: '',
        },
      ],
    },
    links: { external },
  };
}

/** Logged when it begins to fail, and when it works again. */
function makeBeat({ setup, http, log, telemetry }: WatchdogOptions): (signal: AbortSignal) => Promise<void> {
  let failing = false;
  return async (signal) => {
    const url = setup().oncall.watchdog?.heartbeatUrl;
    if (url === undefined) return;
    const reason = await call(http, url.reveal(), signal);
    if (signal.aborted) return;
    telemetry.count('watchdog_beats_total', { outcome: reason === undefined ? 'sent' : 'failed' });
    // The address is a secret, and what fetch says may repeat it.
    const said = reason?.replaceAll(url.reveal(), '[heartbeat_url]');
    if (said !== undefined && !failing) log.warn({ reason: said }, 'the outgoing heartbeat fails');
    if (said === undefined && failing) log.info({}, 'the outgoing heartbeat arrives again');
    failing = said !== undefined;
  };
}

/** @returns why it did not arrive. */
async function call(http: Http, url: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await http(url, { timeout: BEAT_LIMIT, signal });
    await answer.body?.cancel();
    if (!answer.ok) throw new Fault('heartbeat_refused', `status ${answer.status}`);
    return undefined;
  } catch (error) {
    return describe(error);
  }
}
