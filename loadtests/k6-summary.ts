/** k6's own counts at the end of a run, as its handleSummary wrote them. */
import { z } from 'zod';
import type { Counts } from '#slo/objective.ts';
import { inPhase, RATES } from './scenarios.ts';

const metric = z.looseObject({
  values: z.record(z.string(), z.number()),
  thresholds: z.record(z.string(), z.object({ ok: z.boolean() })).optional(),
});
const summary = z.looseObject({ metrics: z.record(z.string(), metric) });
export type K6Summary = z.infer<typeof summary>;

export const readSummary = (text: string): K6Summary => summary.parse(JSON.parse(text));

/** Of a Rate: what was true and what was not. Nothing, where k6 has counted nothing. */
export function rateOf({ metrics }: K6Summary, name: string): Counts {
  const { passes = 0, fails = 0 } = metrics[name]?.values ?? {};
  return { good: passes, bad: fails };
}

export const apiIn = (read: K6Summary) => (phase: string) => ({
  'api-available': rateOf(read, inPhase(RATES['api-available'], phase)),
  'api-fast': rateOf(read, inPhase(RATES['api-fast'], phase)),
});

export function countersOf({ metrics }: K6Summary): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([name, { values }]) =>
      name.includes('{') || values['count'] === undefined ? [] : [[name, values['count']]],
    ),
  );
}

/** `metric: threshold` of each that did not hold. */
export function crossed({ metrics }: K6Summary): string[] {
  return Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds).flatMap(([threshold, { ok }]) => (ok ? [] : [`${name}: ${threshold}`])),
  );
}
