/** What `oncall.yaml` says, read and checked: shapes only. `read.ts` makes them, `schedule.ts` asks who it is. */
import type { Integration } from '#alerting/config/config.ts';
import type { Labels } from '#alerting/labels.ts';
import type { Matcher } from '#alerting/matcher.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Severity } from '#slo/verdict.ts';
import type { StoredOverride } from './override.ts';

export type Oncall = {
  readonly people: ReadonlyMap<string, Person>;
  readonly schedules: ReadonlyMap<string, Schedule>;
  /** By the name of the Alertmanager receiver they take over: a route to it opens incidents. */
  readonly policies: ReadonlyMap<string, Policy>;
  readonly heartbeats: ReadonlyMap<string, Heartbeat>;
  readonly watchdog: Watchdog | undefined;
};

/** Something that says again and again that it is alive; when it does not, an alert enters. */
export type Heartbeat = {
  readonly name: string;
  readonly every: Milliseconds;
  /** It is missing this long after it was due. */
  readonly grace: Milliseconds;
  /** It is missed only once it has come: of what may not be there at all. */
  readonly fromFirstBeat: boolean;
  readonly severity: Severity;
  /** Of the alert that says that it is missing. */
  readonly labels: Labels;
  /** An alert with such labels is a beat as long as it fires, and is told to nobody. */
  readonly alert: readonly [Matcher, ...Matcher[]] | undefined;
};

/** Who hears that the router itself does not get its work done, and who hears that it does. */
export type Watchdog = {
  /** Of alertmanager.yml: written to directly. */
  readonly receiver: string | undefined;
  /** Somebody outside, who notices when nobody calls any more. */
  readonly heartbeatUrl: Secret | undefined;
  readonly every: Milliseconds;
};

export type Person = {
  readonly name: string;
  readonly displayName: string;
  readonly contacts: readonly Contact[];
};
/** A way to a person, and for which severities it is used. */
export type Contact = { readonly integration: Integration; readonly severities: readonly Severity[] };

export type Policy = {
  readonly name: string;
  readonly steps: readonly [Step, ...Step[]];
  /** The steps are gone through again when nobody has answered: how often, and how long after the last one. */
  readonly repeat: { readonly times: number; readonly after: Milliseconds };
  readonly warnings: {
    /** A warning is told when it has lasted so long and nothing graver has come instead. */
    readonly after: Milliseconds;
    /** At the latest so long after it came, whatever the steps say. */
    readonly within: Milliseconds;
    /** It waits for these hours, where they are given. */
    readonly schedule: WorkingHours | undefined;
  };
};
export type Step = {
  /** After the step before, or after the incident was opened. */
  readonly delay: Milliseconds;
  readonly targets: readonly [Target, ...Target[]];
};
export type Target =
  | { readonly kind: 'schedule'; readonly name: string }
  | { readonly kind: 'person'; readonly name: string }
  | { readonly kind: 'receiver'; readonly name: string };

export type WorkingHours = { readonly zone: string; readonly restrictions: readonly Restriction[] };

export type Schedule = {
  readonly name: string;
  readonly zone: string;
  /** The last one that names somebody at a moment wins, as in the field. */
  readonly layers: readonly Layer[];
  readonly overrides: readonly Override[];
};
export type Layer = {
  readonly name: string;
  readonly people: readonly [string, ...string[]];
  readonly rotation: Rotation;
  /** Wall-clock time in the schedule's zone from which the rotation counts. */
  readonly start: WallTime;
  /** Undefined: for ever. */
  readonly end: WallTime | undefined;
  readonly restrictions: readonly Restriction[];
};
export type Rotation = {
  readonly every: number;
  readonly unit: 'hour' | 'day' | 'week';
};
/** `2026-11-25T09:00`. */
export type WallTime = {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
};
/** On these weekdays (0 is Sunday) from minute to minute of the day; `to` at most `from` means until then on the next day. */
export type Restriction = { readonly weekdays: readonly number[]; readonly from: number; readonly to: number };
export type Override = {
  readonly person: string;
  readonly from: Milliseconds;
  readonly to: Milliseconds;
  /** Undefined: it stands in the file. */
  readonly made?: StoredOverride;
};
