/**
 * A router whose time is told to it: every due thing is done in order, and each message arrives in a list, with whatever
 * outcome the test says. On any store.
 */

import type { Alert } from '#alerting/alert.ts';
import type { AlertmanagerConfig, InhibitRule, Integration, Receiver, Route } from '#alerting/config/config.ts';
import { claimOne, type Deliverer, deliver } from '#alerting/delivery.ts';
import type { Destination } from '#alerting/destination.ts';
import { flushOne } from '#alerting/groups.ts';
import { escalateOne } from '#alerting/incidents.ts';
import { receive } from '#alerting/intake.ts';
import { fingerprint, type Labels } from '#alerting/labels.ts';
import type { Circumstances, Message } from '#alerting/message.ts';
import type { Outcome } from '#alerting/notify/outcome.ts';
import type { Heartbeat, Oncall, Policy, Watchdog } from '#alerting/oncall/model.ts';
import { makeSetup, type Setup } from '#alerting/setup.ts';
import type { Store } from '#alerting/store.ts';
import { silentLog } from '#kernel/log.ts';
import { seededRandom, uuidv7 } from '#kernel/random.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { pagerdutyTo, slackTo } from './notices.ts';

export const T0 = milliseconds(1_764_000_000_000);
export const inSeconds = (n: number): Milliseconds => milliseconds(T0 + n * 1000);
export const span = (n: number): Milliseconds => milliseconds(n * 1000);

export const slack = (index = 0, more: { sendResolved?: boolean } = {}): Integration =>
  slackTo('http://127.0.0.1:1/slack', { index, ...more });
export const pagerduty = (index = 0): Integration => pagerdutyTo('http://127.0.0.1:1/pagerduty', { index });

/** Tells its own receiver at once, warnings too, and once. */
export const policy = (name: string, more: Partial<Policy> = {}): Policy => ({
  name,
  steps: [{ delay: span(0), targets: [{ kind: 'receiver', name }] }],
  repeat: { times: 0, after: span(600) },
  warnings: { after: span(0), within: span(900), schedule: undefined },
  ...more,
});

export function route(receiver: string, more: Partial<Route> = {}): Route {
  return {
    id: '{}',
    key: '{}',
    receiver,
    matchers: [],
    groupBy: ['alertname'],
    groupWait: span(30),
    groupInterval: span(300),
    repeatInterval: span(4 * 3_600),
    continue: false,
    muteTimeIntervals: [],
    activeTimeIntervals: [],
    routes: [],
    ...more,
  };
}

export type SetupOptions = {
  readonly root: Route;
  readonly receivers: readonly Receiver[];
  readonly inhibitRules?: readonly InhibitRule[];
  readonly policies?: readonly Policy[];
  readonly heartbeats?: readonly Heartbeat[];
  readonly watchdog?: Watchdog;
  readonly people?: Oncall['people'];
  readonly schedules?: Oncall['schedules'];
  readonly onDuty?: (schedule: string, at: Milliseconds) => readonly string[];
  readonly version?: string;
};

/** The receiver `pager` at once, `boss` after five minutes. */
export const PAGER_THEN_BOSS: Policy['steps'] = [
  { delay: span(0), targets: [{ kind: 'receiver', name: 'pager' }] },
  { delay: span(300), targets: [{ kind: 'receiver', name: 'boss' }] },
];

export function setupOf(options: SetupOptions): Setup {
  const config: AlertmanagerConfig = {
    original: '',
    root: options.root,
    receivers: new Map(options.receivers.map((one) => [one.name, one])),
    inhibitRules: options.inhibitRules ?? [],
    timeIntervals: new Map(),
    resolveTimeout: span(300),
  };
  const oncall: Oncall = {
    people: options.people ?? new Map(),
    schedules: options.schedules ?? new Map(),
    policies: new Map((options.policies ?? []).map((one) => [one.name, one])),
    heartbeats: new Map((options.heartbeats ?? []).map((one) => [one.name, one])),
    watchdog: options.watchdog,
  };
  const links = { external: 'http://127.0.0.1:9093', sign: (action: string, id: string) => `http://l/${action}/${id}` };
  return makeSetup(config, oncall, options.version ?? 'v1', options.onDuty ?? (() => []), links);
}

export type Arrived = {
  readonly at: number;
  readonly destination: Destination;
  readonly message: Message;
  readonly circumstances: Circumstances;
};

export type Desk = {
  readonly arrived: Arrived[];
  setup: Setup;
  /** Milliseconds since T0. */
  time: number;
  outcome: (destination: Destination, message: Message) => Outcome;
  readonly around: Deliverer;
  fire(labels: Labels, more?: Partial<Alert>): Promise<void>;
  resolve(labels: Labels): Promise<void>;
  /** Does all that falls due until then, each at its time. */
  play(until: Milliseconds): Promise<void>;
};

const delivered: Outcome = { kind: 'delivered', reference: undefined };

export function makeDesk(store: Store, setup: Setup, seed = 1): Desk {
  const random = seededRandom(seed);
  const arrived: Arrived[] = [];
  const now = (): Milliseconds => milliseconds(T0 + desk.time);
  let made = 0;
  const around: Deliverer = {
    store,
    now,
    random,
    log: silentLog,
    owner: 'desk',
    setup: () => desk.setup,
    // One after the other in one millisecond too, as a process' own ids are.
    newId: () => `${uuidv7(now(), random).slice(0, 14)}${String(made++).padStart(22, '0')}`,
    notify: async (integration, given, circumstances) => {
      // No desk is told of changes.
      const message = given as Message;
      const destination = [...desk.setup.directory].find(([, one]) => one === integration)?.[0] ?? '';
      const outcome = desk.outcome(destination, message);
      if (outcome.kind === 'delivered' || outcome.kind === 'ambiguous') {
        arrived.push({ at: desk.time, destination, message, circumstances });
      }
      return outcome;
    },
  };
  const desk: Desk = {
    arrived,
    setup,
    time: 0,
    outcome: () => delivered,
    around,
    fire: async (labels, more) => {
      const at = now();
      const alert: Alert = {
        fingerprint: fingerprint(labels),
        labels,
        annotations: {},
        generatorUrl: '',
        startsAt: at,
        endsAt: milliseconds(at + 300_000),
        timeout: true,
        updatedAt: at,
        ...more,
      };
      await receive(store, desk.setup, [alert], at);
    },
    resolve: async (labels) => {
      const at = now();
      await desk.fire(labels, { startsAt: milliseconds(at - 1), endsAt: at, timeout: false });
    },
    play: async (until) => {
      for (;;) {
        while (await doDue(around));
        const next = await store.nextDue();
        if (next === undefined || next > until) break;
        desk.time = Math.max(desk.time, Math.ceil(next - T0));
      }
      desk.time = until - T0;
    },
  };
  return desk;
}

async function doDue(around: Deliverer): Promise<boolean> {
  if (await flushOne(around)) return true;
  if (await escalateOne(around)) return true;
  const claimed = await claimOne(around);
  if (claimed === undefined) return false;
  await deliver(around, claimed, new AbortController().signal);
  return true;
}
