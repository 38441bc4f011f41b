/**
 * Whether an eye is open: the router's own watch, by what its targets answered, and Prometheus, by its heartbeat and its
 * last alert. What is blind tells of no outage, and must not look like health. Pure.
 */
import { type Milliseconds, milliseconds, type Seconds } from '#kernel/units.ts';
import { duration } from '#slo/verdict.ts';
import { type HeartbeatRow, stateOf } from './heartbeat.ts';
import type { Heartbeat } from './oncall/model.ts';
import type { Look } from './watch-source.ts';

/** `absent`: there is none. */
export type EyeState = 'open' | 'blind' | 'absent';
export type EyeView = {
  readonly eye: 'router' | 'prometheus';
  readonly state: EyeState;
  /** Since when it is so; undefined: nobody knows. */
  readonly since: Milliseconds | undefined;
  readonly because: string;
  /** When it last saw anything. */
  readonly lastAt: Milliseconds | undefined;
  readonly targets: readonly EyeTarget[];
};
export type EyeTarget = {
  readonly name: string;
  readonly url: string | undefined;
  readonly answered: boolean;
  readonly lastAt: Milliseconds | undefined;
  /** Why it did not answer. */
  readonly because: string | undefined;
};

/** What the watch remembers of its looks. Changed in place. */
export type OwnEye = {
  lookedAt: Milliseconds | undefined;
  lastAt: Milliseconds | undefined;
  isOpen: boolean | undefined;
  since: Milliseconds;
  heard: Pick<Look, 'heard' | 'unheard'>;
  targets: readonly EyeTarget[];
};

export const newOwnEye = (now: Milliseconds): OwnEye => ({
  lookedAt: undefined,
  lastAt: undefined,
  isOpen: undefined,
  since: now,
  heard: { heard: true },
  targets: [],
});

export function noteLook(eye: OwnEye, { answered, about, heard, unheard }: Look, now: Milliseconds): void {
  const before = new Map(eye.targets.map((one) => [one.name, one]));
  eye.targets = [...answered].map(([name, answers]): EyeTarget => {
    const more = about?.get(name);
    return {
      name,
      url: more?.url,
      answered: answers,
      lastAt: answers ? now : before.get(name)?.lastAt,
      because: answers ? undefined : more?.because,
    };
  });
  eye.heard = unheard === undefined ? { heard } : { heard, unheard };
  eye.lookedAt = now;
  // A router that is asked for nothing but itself sees that.
  const isOpen = heard && (eye.targets.length === 0 || eye.targets.some((one) => one.answered));
  if (isOpen) eye.lastAt = now;
  if (isOpen !== eye.isOpen) eye.since = now;
  eye.isOpen = isOpen;
}

/** So many looks may be missing before it is said that nobody looks. */
const LOOKS_MISSED = 3;

/** Of a router that watches nothing. */
export const NO_EYE: EyeView = {
  eye: 'router',
  state: 'absent',
  since: undefined,
  because: 'this router watches no objectives',
  lastAt: undefined,
  targets: [],
};

/** @param every how often it looks. */
export function ownEye(eye: OwnEye, every: Seconds, now: Milliseconds): EyeView {
  const view = { eye: 'router', lastAt: eye.lastAt, targets: eye.targets } as const;
  const { lookedAt, since, heard, isOpen, targets } = eye;
  if (lookedAt === undefined) {
    return { ...view, state: 'blind', since, because: 'it has not looked yet: what was before is still being read' };
  }
  const late = milliseconds(lookedAt + LOOKS_MISSED * every * 1_000);
  if (now > late) {
    const because = `it looks every ${duration(every)}, and has not since ${isoOf(lookedAt)}`;
    return { ...view, state: 'blind', since: lookedAt, because };
  }
  if (!heard.heard) {
    const because = `the PromQL server that it asks does not answer${heard.unheard === undefined ? '' : `: ${heard.unheard}`}`;
    return { ...view, state: 'blind', since, because };
  }
  return { ...view, state: isOpen === true ? 'open' : 'blind', since, because: targetsText(targets) };
}

/** Of targets in words. */
const NAMED = 3;

function targetsText(targets: readonly EyeTarget[]): string {
  const silent = targets.filter(({ answered }) => !answered);
  const all = targets.length === 1 ? 'its target' : `all ${targets.length} targets`;
  if (targets.length === 0) return 'it has no targets but the router itself';
  if (silent.length === 0) return `${all} answered`;
  const names = silent
    .slice(0, NAMED)
    .map(({ name, because }) => (because === undefined ? name : `${name} (${because})`));
  const more = silent.length > NAMED ? ` and ${silent.length - NAMED} more` : '';
  return `${silent.length} of ${targets.length} targets did not answer: ${names.join(', ')}${more}`;
}

/** Prometheus renews what fires each minute: after so long without one, the last alert says nothing of now. */
const ALERTED_LATELY = milliseconds(5 * 60_000);

export type PrometheusKnown = {
  /** Those for which its alert Watchdog is a beat. */
  readonly beats: readonly { readonly heartbeat: Heartbeat; readonly row: HeartbeatRow | undefined }[];
  /** When an alert with `eye="prometheus"` last came. */
  readonly alertedAt: Milliseconds | undefined;
};

export function prometheusEye({ beats, alertedAt }: PrometheusKnown, now: Milliseconds): EyeView {
  const targets = beats.map((one) => beatTarget(one, now));
  const seen = [...targets.map(({ lastAt }) => lastAt), alertedAt].filter((at) => at !== undefined);
  const lastAt = seen.length === 0 ? undefined : milliseconds(Math.max(...seen));
  const view = { eye: 'prometheus', targets, lastAt } as const;
  const missing = beats.flatMap(({ heartbeat, row }) => {
    const state = row && stateOf(heartbeat, row, now);
    return state?.kind === 'missing' ? [state.since] : [];
  });
  const [beating] = targets.filter(({ answered }) => answered);
  const because = targets.flatMap((one) => one.because ?? []).join('; ');
  if (beating !== undefined) {
    const others = because === '' ? '' : `, but ${because}`;
    return { ...view, state: 'open', since: undefined, because: `its heartbeat ${beating.name} came in time${others}` };
  }
  if (missing.length > 0) return { ...view, state: 'blind', since: milliseconds(Math.min(...missing)), because };
  if (alertedAt !== undefined && now - alertedAt < ALERTED_LATELY) {
    return { ...view, state: 'open', since: undefined, because: `an alert of it came at ${isoOf(alertedAt)}` };
  }
  const never =
    beats.length === 0
      ? 'no heartbeat of it is expected in oncall.yaml (an alert Watchdog), and none of its alerts came lately'
      : 'its heartbeat has never come, and none of its alerts came lately';
  return { ...view, state: 'absent', since: undefined, because: never };
}

function beatTarget({ heartbeat, row }: PrometheusKnown['beats'][number], now: Milliseconds): EyeTarget {
  const state = row && stateOf(heartbeat, row, now);
  const answered = row?.beatAt !== undefined && state?.kind !== 'missing';
  const length = duration((heartbeat.every / 1_000) as Seconds);
  const last = row?.beatAt === undefined ? 'never came' : `came last at ${isoOf(row.beatAt)}`;
  return {
    name: heartbeat.name,
    url: undefined,
    answered,
    lastAt: row?.beatAt,
    because: answered ? undefined : `its heartbeat ${heartbeat.name}, expected every ${length}, ${last}`,
  };
}

const isoOf = (at: Milliseconds): string => new Date(at).toISOString();
