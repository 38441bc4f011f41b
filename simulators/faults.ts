/**
 * How a vendor misbehaves, decided per request. Pure: the caller keeps the plan and the chance, and performs the fate.
 *
 * A plan has two halves. `latencyMs` and `jitterMs` delay every request. All else says what happens to the share
 * `errorRate` of requests that are hit; where several effects are asked for, the order is refuse, hang, dropAfterAccept,
 * garble, status. A plan that names an effect but no rate hits every request, one that names only a delay hits none.
 */
import { z } from 'zod';
import type { Random } from '#kernel/random.ts';
import { type Milliseconds, milliseconds, type Seconds, seconds } from '#kernel/units.ts';

export const VENDORS = ['llamaparse', 'openai', 'slack', 'pagerduty', 'smtp'] as const;
export type Vendor = (typeof VENDORS)[number];
export const isVendor = (name: string): name is Vendor => (VENDORS as readonly string[]).includes(name);

/** Kinds of nonsense: a page of HTML, JSON cut off in the middle, whole JSON of another shape. */
export const GARBLES = ['html', 'truncated', 'shape'] as const;
export type Garble = (typeof GARBLES)[number];

/** Longer than any client's timeout; a plan beyond it is a slip of the unit. */
const LONGEST_DELAY = 600_000;
const LONGEST_RETRY_AFTER = 86_400;
const MOST_TIMES = 1_000_000;
const MOST_PER_MINUTE = 1_000_000_000;

const count = z.int().min(1).max(MOST_PER_MINUTE);
const planSchema = z.strictObject({
  errorRate: z.number().min(0).max(1).optional(),
  status: z.int().min(400).max(599).optional(),
  latencyMs: z.number().min(0).max(LONGEST_DELAY).optional(),
  jitterMs: z.number().min(0).max(LONGEST_DELAY).optional(),
  hang: z.boolean().optional(),
  retryAfterSeconds: z.number().min(0).max(LONGEST_RETRY_AFTER).optional(),
  dropAfterAccept: z.boolean().optional(),
  garble: z.union([z.boolean(), z.enum(GARBLES)]).optional(),
  times: z.int().min(1).max(MOST_TIMES).optional(),
  seed: z.int().min(0).optional(),
  operation: z.enum(['upload', 'status']).optional(),
  credits: z.number().min(0).max(MOST_PER_MINUTE).optional(),
  requestsPerMinute: count.optional(),
  tokensPerMinute: count.optional(),
  quotaExhausted: z.boolean().optional(),
  messagesPerSecond: z.number().positive().max(1000).optional(),
  refuse: z.boolean().optional(),
});
export type FaultPlan = z.infer<typeof planSchema>;
type Field = keyof FaultPlan;

const RIGHT = {
  errorRate: 'a number from 0 to 1 (a share of the requests, not a percentage)',
  status: 'a whole number from 400 to 599',
  latencyMs: `milliseconds from 0 to ${LONGEST_DELAY}`,
  jitterMs: `milliseconds from 0 to ${LONGEST_DELAY}`,
  hang: 'true or false',
  retryAfterSeconds: `seconds from 0 to ${LONGEST_RETRY_AFTER}`,
  dropAfterAccept: 'true or false',
  garble: `true, false or one of ${GARBLES.join(', ')}`,
  times: `a whole number from 1 to ${MOST_TIMES}: how many requests are hit before the vendor heals`,
  seed: 'a whole number from 0',
  operation: 'upload or status',
  credits: 'a number from 0: what is left to spend',
  requestsPerMinute: `a whole number from 1 to ${MOST_PER_MINUTE}`,
  tokensPerMinute: `a whole number from 1 to ${MOST_PER_MINUTE}`,
  quotaExhausted: 'true or false',
  messagesPerSecond: 'a number above 0 up to 1000',
  refuse: 'true or false',
} as const satisfies Record<Field, string>;

const COMMON: readonly Field[] = [
  'errorRate',
  'status',
  'latencyMs',
  'jitterMs',
  'hang',
  'retryAfterSeconds',
  'dropAfterAccept',
  'garble',
  'refuse',
  'times',
  'seed',
];
const FIELDS = {
  llamaparse: [...COMMON, 'operation', 'credits'],
  openai: [...COMMON, 'requestsPerMinute', 'tokensPerMinute', 'quotaExhausted'],
  slack: [...COMMON, 'messagesPerSecond'],
  pagerduty: COMMON,
  smtp: COMMON,
} as const satisfies Record<Vendor, readonly Field[]>;

export type FieldError = { readonly field: string; readonly found: string; readonly right: string };
export type ParsedPlan =
  | { readonly kind: 'valid'; readonly plan: FaultPlan }
  | { readonly kind: 'invalid'; readonly errors: readonly FieldError[] };

export function parsePlan(vendor: Vendor, body: unknown): ParsedPlan {
  const allowed: readonly string[] = FIELDS[vendor];
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { kind: 'invalid', errors: [{ field: '(body)', found: shown(body), right: 'a JSON object' }] };
  }
  const foreign = Object.entries(body).filter(([field]) => !allowed.includes(field));
  const errors: FieldError[] = foreign.map(([field, value]) => ({
    field,
    found: shown(value),
    right: `one of the fields ${allowed.join(', ')}`,
  }));
  const known = Object.fromEntries(Object.entries(body).filter(([field]) => allowed.includes(field)));
  const parsed = planSchema.safeParse(known);
  const wrong = new Set((parsed.error?.issues ?? []).map((issue) => String(issue.path[0])));
  for (const field of wrong) errors.push({ field, found: shown(known[field]), right: RIGHT[field as Field] });
  if (errors.length > 0 || !parsed.success) return { kind: 'invalid', errors };
  return { kind: 'valid', plan: parsed.data };
}

/** Enough of a value to recognise it, never a whole upload. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

export type Fate =
  | { readonly kind: 'served'; readonly delay: Milliseconds }
  | {
      readonly kind: 'error';
      readonly delay: Milliseconds;
      readonly status: number;
      readonly retryAfter: Seconds | undefined;
    }
  | { readonly kind: 'hang' }
  /** The work is done, the answer is not given. */
  | { readonly kind: 'dropped'; readonly delay: Milliseconds }
  | { readonly kind: 'garbled'; readonly delay: Milliseconds; readonly how: Garble }
  /** The connection is cut before a word is said; nothing is done. */
  | { readonly kind: 'refused' };

type Hit = 'hang' | 'dropped' | 'garbled' | 'refused' | 'error';

export const SERVED: Fate = { kind: 'served', delay: milliseconds(0) };

/** Draws the same number of times whatever the plan says, so that a plan's change does not shift later requests. */
export function decideFault(plan: FaultPlan, random: Random): Fate {
  const [chance, shake, pick] = [random.next(), random.next(), random.next()];
  const delay = milliseconds(Math.max(0, (plan.latencyMs ?? 0) + (plan.jitterMs ?? 0) * (2 * shake - 1)));
  const asked = askedEffect(plan);
  const rate = plan.errorRate ?? (asked === undefined ? 0 : 1);
  if (chance >= rate) return { kind: 'served', delay };
  const hit = asked ?? 'error';
  switch (hit) {
    case 'hang':
    case 'refused':
      return { kind: hit };
    case 'dropped':
      return { kind: 'dropped', delay };
    case 'garbled':
      return { kind: 'garbled', delay, how: garbleOf(plan, pick) };
    case 'error': {
      const wish = plan.retryAfterSeconds;
      const status = plan.status ?? ((wish ?? 0) > 0 ? 429 : 500);
      return { kind: 'error', delay, status, retryAfter: wish === undefined ? undefined : seconds(wish) };
    }
    default:
      return hit satisfies never;
  }
}

function askedEffect(plan: FaultPlan): Hit | undefined {
  if (plan.refuse) return 'refused';
  if (plan.hang) return 'hang';
  if (plan.dropAfterAccept) return 'dropped';
  if (plan.garble) return 'garbled';
  return plan.status !== undefined || (plan.retryAfterSeconds ?? 0) > 0 ? 'error' : undefined;
}

function garbleOf(plan: FaultPlan, pick: number): Garble {
  if (typeof plan.garble === 'string') return plan.garble;
  return GARBLES[Math.floor(pick * GARBLES.length)] ?? 'html';
}
