/**
 * Alerts on the wire, as Alertmanager's API v2 has them. Pure.
 *
 * Source: prometheus/alertmanager api/v2/openapi.yaml, api/v2/api.go (postAlertsHandler), alert/validate.go.
 */
import { z } from 'zod';
import type { Alert } from '#alerting/alert.ts';
import { fingerprint, type Labels } from '#alerting/labels.ts';
import { isLabelName, type MatcherMode } from '#alerting/matcher.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { isStorable, readMoment } from './text.ts';

/** What a single alert may hold; a page's worth of text is enough for anybody who is woken. */
export const LABELS_MAX = 128;
export const NAME_CHARS_MAX = 1_024;
export const VALUE_CHARS_MAX = 65_536;
/** Every matcher of every route and silence is held against it. */
export const LABEL_CHARS_MAX = 8_192;
/** All of one alert: five hundred are read at once when they are listed. */
export const ALERT_CHARS_MAX = 131_072;
/** Stored in one transaction. */
export const ALERTS_MAX = 50_000;
/** More reasons than these nobody reads. */
const FAULTS_TOLD = 20;

export const labelSet = z.record(z.string(), z.string()).meta({ id: 'labelSet' });
export const postableAlert = z
  .object({
    labels: labelSet,
    annotations: labelSet.nullish(),
    startsAt: z.string().optional(),
    endsAt: z.string().optional(),
    generatorURL: z.string().max(VALUE_CHARS_MAX).optional(),
  })
  .meta({ id: 'postableAlert' });
export const postableAlerts = z.array(postableAlert).meta({ id: 'postableAlerts' });
export type PostableAlert = z.infer<typeof postableAlert>;

const name = z.object({ name: z.string() });
export const gettableAlert = z
  .object({
    annotations: labelSet,
    endsAt: z.string(),
    fingerprint: z.string(),
    receivers: z.array(name),
    startsAt: z.string(),
    status: z.object({
      inhibitedBy: z.array(z.string()),
      mutedBy: z.array(z.string()),
      silencedBy: z.array(z.string()),
      state: z.enum(['unprocessed', 'active', 'suppressed']),
    }),
    updatedAt: z.string(),
    generatorURL: z.string(),
    labels: labelSet,
  })
  .meta({ id: 'gettableAlert' });
export type GettableAlert = z.infer<typeof gettableAlert>;

export type ReadAlerts = {
  readonly alerts: readonly Alert[];
  /** Of the first that were refused. */
  readonly faults: readonly string[];
  readonly refused: number;
};

/** Each by itself: what is right is taken although another is not. */
export function readAlerts(
  items: readonly unknown[],
  now: Milliseconds,
  resolveTimeout: Milliseconds,
  mode: MatcherMode,
): ReadAlerts {
  const alerts: Alert[] = [];
  const faults: string[] = [];
  let refused = 0;
  for (const [i, item] of items.entries()) {
    const read = isPostable(item) ? readAlert(item, now, resolveTimeout, mode) : shapeFault(item);
    if (typeof read !== 'string') alerts.push(read);
    else if (refused++ < FAULTS_TOLD) faults.push(`alert ${i}: ${read}`);
  }
  return { alerts, faults, refused };
}

/** As the schema has it, without a copy: the schema alone was a tenth of what an alert costs. It still says what is wrong. */
function isPostable(item: unknown): item is PostableAlert {
  if (!isObject(item) || !isTexts(item['labels'])) return false;
  const { annotations, startsAt, endsAt, generatorURL } = item;
  return (
    (annotations === undefined || annotations === null || isTexts(annotations)) &&
    (startsAt === undefined || typeof startsAt === 'string') &&
    (endsAt === undefined || typeof endsAt === 'string') &&
    (generatorURL === undefined || (typeof generatorURL === 'string' && generatorURL.length <= VALUE_CHARS_MAX))
  );
}

const isObject = (item: unknown): item is Readonly<Record<string, unknown>> =>
  typeof item === 'object' && item !== null && !Array.isArray(item);

function isTexts(item: unknown): boolean {
  if (!isObject(item)) return false;
  for (const name of Object.keys(item)) if (typeof item[name] !== 'string') return false;
  return true;
}

function shapeFault(item: unknown): string {
  const issue = postableAlert.safeParse(item).error?.issues[0];
  return `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is no alert'}`;
}

/** @returns what is wrong with it, as text. */
function readAlert(
  { labels: given, annotations, startsAt, endsAt, generatorURL }: PostableAlert,
  now: Milliseconds,
  resolveTimeout: Milliseconds,
  mode: MatcherMode,
): Alert | string {
  const labels = withoutEmpty(given);
  if (Object.keys(labels).length === 0) return 'at least one label is needed';
  const wrong =
    labelFault('label', labels, LABEL_CHARS_MAX, mode) ??
    labelFault('annotation', annotations ?? {}, VALUE_CHARS_MAX, mode) ??
    wholeFault(labels, annotations ?? {}, generatorURL ?? '');
  if (wrong !== undefined) return wrong;
  const [start, end] = [readTime(startsAt), readTime(endsAt)];
  if (start === 'unreadable') return `startsAt is no RFC 3339 time: ${startsAt?.slice(0, 40)}`;
  if (end === 'unreadable') return `endsAt is no RFC 3339 time: ${endsAt?.slice(0, 40)}`;
  const began = start ?? end ?? now;
  if (end !== undefined && end < began) return 'endsAt is before startsAt';
  return {
    fingerprint: fingerprint(labels),
    labels,
    annotations: annotations ?? {},
    generatorUrl: generatorURL ?? '',
    startsAt: began,
    endsAt: end ?? milliseconds(now + resolveTimeout),
    timeout: end === undefined,
    updatedAt: now,
  };
}

/** An empty value is as if the label were not there. */
function withoutEmpty(labels: Labels): Labels {
  if (!Object.values(labels).includes('')) return labels;
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

function wholeFault(labels: Labels, annotations: Labels, generatorUrl: string): string | undefined {
  if (!isStorable(generatorUrl)) return 'generatorURL holds a NUL, or half of a character';
  const chars = charsOf(labels) + charsOf(annotations) + generatorUrl.length;
  return chars > ALERT_CHARS_MAX ? `${chars} characters together, at most ${ALERT_CHARS_MAX} are taken` : undefined;
}

const charsOf = (labels: Labels): number =>
  Object.keys(labels).reduce((sum, name) => sum + name.length + (labels[name] ?? '').length, 0);

export function labelFault(what: string, labels: Labels, most: number, mode: MatcherMode): string | undefined {
  const names = Object.keys(labels);
  if (names.length > LABELS_MAX) return `${names.length} ${what}s, at most ${LABELS_MAX} are taken`;
  for (const one of names) {
    if (!isLabelName(one, mode) || !isStorable(one)) return `${JSON.stringify(one.slice(0, 60))} is no ${what} name`;
    if (one.length > NAME_CHARS_MAX) return `a ${what} name of ${one.length} characters, at most ${NAME_CHARS_MAX}`;
    const value = labels[one] ?? '';
    if (value.length > most) {
      return `the ${what} ${one.slice(0, 60)} has ${value.length} characters, at most ${most} are taken`;
    }
    if (!isStorable(value)) return `the ${what} ${one.slice(0, 60)} holds a NUL, or half of a character`;
  }
  return undefined;
}

/** Go's zero time counts as absent; so does what Prometheus writes for it. */
const ZERO_YEAR = /^0001-01-01T00:00:00/;

function readTime(text: string | undefined): Milliseconds | undefined | 'unreadable' {
  if (text === undefined || text === '' || ZERO_YEAR.test(text)) return undefined;
  const at = readMoment(text);
  return at === undefined || at < 0 || at > LATEST ? 'unreadable' : milliseconds(at);
}
const LATEST = Date.UTC(9999, 0, 1);
