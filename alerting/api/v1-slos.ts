/** Objectives as the router's own watch sees them. */
import { z } from 'zod';
import type { Action } from '#access/roles.ts';
import type { SourceShown } from '#alerting/watch-source.ts';
import { type Milliseconds, type Seconds, seconds, toSeconds } from '#kernel/units.ts';
import type { App, authorised } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import type { Engine } from '#slo/engine.ts';
import { historyOf, type View, viewsOf } from '#slo/engine-view.ts';
import type { Verdict } from '#slo/verdict.ts';

export type SloRoutes = {
  readonly now: () => Milliseconds;
  /** Undefined: this router watches nothing. */
  readonly engine: () => Engine | undefined;
  readonly source: () => SourceShown | undefined;
  readonly authorised: (action: Action) => ReturnType<typeof authorised>;
};

const time = z.string().describe('RFC 3339');
const sourceSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('scrape'), targets: z.array(z.string()) }),
    z.object({ kind: z.literal('promql'), url: z.string() }),
  ])
  .describe('where its counts are read: from the targets themselves, or from a PromQL server');
export const sloSchema = z
  .object({
    id: z.string(),
    service: z.string(),
    displayName: z.string(),
    objective: z.number().describe('the share of events that must be good'),
    window: z.unknown(),
    good: z.number(),
    total: z.number(),
    sli: z.number().nullable().describe('share of good events in the window; null without any'),
    budgetRemaining: z.number().describe('share of the error budget; below 0 when it is overspent'),
    budgetInterval: z.object({ low: z.number(), high: z.number() }).describe('if what was not seen was bad, or good'),
    burnRates: z.record(z.string(), z.number()),
    verdict: z.enum(['ok', 'burning', 'unknown']),
    severity: z.enum(['critical', 'warning', 'info']).nullable(),
    rule: z.string().nullable(),
    because: z.string().nullable(),
    since: time,
    exhaustsAt: time.nullable().describe('null: never, if it goes on like this'),
    uncorrected: z
      .object({
        good: z.number(),
        total: z.number(),
        sli: z.number().nullable(),
        budgetRemaining: z.number(),
      })
      .nullable()
      .describe('as it was counted, where a correction took something out of the window'),
    source: sourceSchema,
  })
  .meta({ id: 'Slo' });
export type SloShown = z.infer<typeof sloSchema>;
const stepSchema = z.object({
  from: time,
  to: time,
  good: z.number(),
  total: z.number(),
  coverage: z.number(),
  counted: z
    .object({ good: z.number(), total: z.number() })
    .nullable()
    .describe('as it was counted, where a correction took something out'),
});

export function sloRoutes(app: App, prefix: string, { now, engine, source, authorised: may }: SloRoutes): void {
  const tags = ['objectives'];
  const read = may('incidents:read');
  const at = () => toSeconds(now());
  app.get(
    `${prefix}/api/v1/slos`,
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'The objectives that this router watches',
        response: { 200: z.array(sloSchema), ...problems() },
      },
    },
    async () => {
      const watched = engine();
      const from = source();
      if (watched === undefined || from === undefined) return [];
      return viewsOf(watched, at()).map((view) => shown(view, from));
    },
  );
  app.get(
    `${prefix}/api/v1/slos/:id/history`,
    {
      onRequest: read,
      schema: {
        tags,
        params: z.object({ id: z.string().max(300) }),
        querystring: z.object({ from: moment, to: moment, step: stepLength.default(60) }),
        summary: 'One objective’s counts, step by step',
        response: { 200: z.array(stepSchema), ...problems('not_found', 'uri_too_long') },
      },
    },
    async ({ params: { id }, query: { from, to, step } }) => {
      const watched = engine();
      const end = to === undefined ? at() : readMoment(to);
      const begin = from === undefined ? seconds(end - 3_600) : readMoment(from);
      const steps = watched && historyOf(watched, id, stretchOf(begin, end, seconds(step)));
      if (steps === undefined) throw refuse('not_found', `There is no objective ${id}`);
      return steps.map((one) => ({ ...one, from: iso(one.from), to: iso(one.to), counted: one.counted ?? null }));
    },
  );
}

export const moment = z.iso.datetime({ offset: true }).optional();
export const stepLength = z.coerce.number().int().min(5).max(86_400).describe('seconds');
export const readMoment = (text: string): Seconds => seconds(Date.parse(text) / 1_000);
const STEPS_MAX = 5_000;

/** @throws {Refusal} where there would be nothing to tell, or too much. */
export function stretchOf(from: Seconds, to: Seconds, step: Seconds): { from: Seconds; to: Seconds; step: Seconds } {
  if (from >= to) throw refuse('bad_request', 'parameter "from" must be before "to"');
  const steps = Math.ceil((to - from) / step);
  if (steps > STEPS_MAX) {
    throw refuse('bad_request', `parameter "step": at most ${STEPS_MAX} steps, received ${steps}`);
  }
  return { from, to, step };
}

export const iso = (at: Seconds): string => new Date(at * 1_000).toISOString();

/** As it stands in the list and in the stream of events. */
export const verdictShown = (verdict: Verdict, since: Seconds) => ({
  verdict: verdict.kind,
  severity: verdict.kind === 'burning' ? verdict.severity : null,
  rule: verdict.kind === 'burning' ? verdict.rule : null,
  because: verdict.kind === 'ok' ? null : verdict.because,
  since: iso(since),
});

export function shown(view: View, source: SourceShown): SloShown {
  const { verdict, budgetRemaining, since, exhaustsAt, uncorrected } = view;
  return {
    id: view.id,
    service: view.service,
    displayName: view.displayName,
    objective: view.objective,
    window: view.window,
    good: view.good,
    total: view.total,
    sli: view.sli,
    budgetRemaining: budgetRemaining.value,
    budgetInterval: { low: budgetRemaining.low, high: budgetRemaining.high },
    burnRates: { ...view.burnRates },
    ...verdictShown(verdict, since),
    exhaustsAt: exhaustsAt === null || !Number.isFinite(exhaustsAt) ? null : iso(exhaustsAt),
    uncorrected:
      uncorrected === undefined ? null : { ...uncorrected, budgetRemaining: uncorrected.budgetRemaining.value },
    source: source.kind === 'scrape' ? { kind: source.kind, targets: [...source.targets] } : source,
  };
}
