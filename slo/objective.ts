/**
 * What one SLO promises, resolved and checked: the model that the ledger, the verdicts, the compiled rules, the reports and
 * the load tests all work on. However it was written (OpenSLO, Sloth), it ends as this.
 *
 * Source: OpenSLO v1, https://github.com/OpenSLO/OpenSLO#slo
 */
import type { Ratio, Seconds } from '#kernel/units.ts';

export type Objective = {
  /** `service-name`; of an SLO with several objectives `service-name-objective`. Unique; Sloth's `sloth_id`. */
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  /** Share of events that must be good. */
  readonly target: Ratio;
  /** Share of events that may be bad: 1 − target, without the noise of that subtraction. */
  readonly budget: Ratio;
  readonly window: Window;
  readonly method: Method;
  readonly indicator: Indicator;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Absent: the default policy, with which every objective is judged. */
  readonly alerting: Alerting;
  /** Where it was written, for messages. */
  readonly source: Place;
};

export type Place = { readonly file: string; readonly line: number; readonly column: number };

export type Window = RollingWindow | CalendarWindow;
export type RollingWindow = { readonly kind: 'rolling'; readonly period: Seconds };
export type CalendarUnit = 'day' | 'week' | 'month' | 'quarter' | 'year';
export type CalendarWindow = {
  readonly kind: 'calendar';
  readonly count: number;
  readonly unit: CalendarUnit;
  /** A period begins at this wall-clock time, and each `count` units after and before it: `2026-01-01 00:00:00`. */
  readonly start: string;
  /** IANA name. */
  readonly timeZone: string;
};

export type Method =
  /** Good events among all events. */
  | { readonly kind: 'occurrences' }
  /** Good slices among all slices; a slice is good when its share of good events is at least `sliceTarget`. */
  | { readonly kind: 'timeslices'; readonly slice: Seconds; readonly sliceTarget: Ratio }
  /** The mean of the slices' shares: every slice weighs the same, whatever its traffic. */
  | { readonly kind: 'ratio-timeslices'; readonly slice: Seconds };

export type Indicator =
  /** Two of the three are there, and `total` always. */
  | { readonly kind: 'ratio'; readonly good?: Query; readonly bad?: Query; readonly total: Query }
  /** A ready share of good (`success`) or bad (`failure`) events. */
  | { readonly kind: 'raw'; readonly rawType: 'success' | 'failure'; readonly query: Query }
  /** A value that must hold against a limit; each sample is an event. Of several series, each must hold. */
  | { readonly kind: 'threshold'; readonly query: Query; readonly op: ThresholdOp; readonly limit: number }
  | { readonly kind: 'composite'; readonly parts: readonly Part[] };

export type ThresholdOp = 'lt' | 'lte' | 'gt' | 'gte';

/** A part of a composite is an objective of its own; the whole burns as the weighted mean of its parts. */
export type Part = { readonly weight: number; readonly objective: Objective };

export type Query =
  /** A plain selector, `name{label="value"}`: both eyes can judge it. Its series are summed. */
  | { readonly kind: 'selector'; readonly selector: Selector; readonly source: string | undefined }
  /** Any PromQL, with `{{.window}}` where the window's length belongs: only a PromQL server can judge it. */
  | { readonly kind: 'promql'; readonly text: string; readonly source: string | undefined };

export type MatchOp = '=' | '!=' | '=~' | '!~';
export type Matcher = { readonly label: string; readonly op: MatchOp; readonly value: string };
export type Selector = { readonly name: string; readonly matchers: readonly Matcher[] };

export type Alerting = {
  /** How many pages a year that nobody needed are tolerable. */
  readonly falsePagesPerYear: number;
  /** The smallest burn rate that is worth waking somebody for. */
  readonly smallestBurn: number;
  readonly runbookUrl: string | undefined;
  /** Says which kinds of alert are raised at all. */
  readonly page: boolean;
  readonly ticket: boolean;
  /** What compiled rules call the alert and label it with, where a file says so: people's routes rely on these. */
  readonly named?: AlertNames;
};

export type AlertNames = {
  readonly name: string | undefined;
  readonly pageLabels: Readonly<Record<string, string>>;
  readonly ticketLabels: Readonly<Record<string, string>>;
};

export const DEFAULT_ALERTING: Alerting = {
  falsePagesPerYear: 2,
  smallestBurn: 4,
  runbookUrl: undefined,
  page: true,
  ticket: true,
};

/** The least and most that make sense. */
export const ALERTING_LIMITS = {
  falsePagesPerYear: [0.01, 1_000],
  smallestBurn: [1, 1_000],
} as const satisfies Partial<Record<keyof Alerting, readonly [least: number, most: number]>>;

/** What happened over a stretch of time. Events may be fractions where a method makes them so. */
export type Counts = { readonly good: number; readonly bad: number };

/** Counts over a window, and how much of the window was observed at all. Missing data is no proof of health. */
export type WindowCounts = Counts & { readonly length: Seconds; readonly observed: Seconds };
