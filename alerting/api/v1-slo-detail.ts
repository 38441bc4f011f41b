/** One objective for its page: what it promises, how its pairs stand, what the detector knows, and how it burnt. */
import { z } from 'zod';
import { type Seconds, seconds, toSeconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import { burnOf, sparklineOf } from '#slo/engine-burn.ts';
import { type Detail, detailOf } from '#slo/engine-detail.ts';
import { viewOf } from '#slo/engine-view.ts';
import { iso, moment, readMoment, type SloRoutes, shown, sloSchema, stepLength, stretchOf } from './v1-slos.ts';

const time = z.string().describe('RFC 3339');
const rate = z.number().describe('1 spends the whole budget in exactly one period');
const ruleSchema = z.object({
  name: z.string(),
  severity: z.enum(['critical', 'warning']),
  long: z.number().describe('seconds'),
  short: z.number().describe('seconds'),
  factor: z.number().describe('the burn rate that both windows must reach'),
  least: z.number().describe('bad events in the long window, for the pair to be believed'),
  longRate: rate,
  shortRate: rate,
  firing: z.boolean(),
  because: z.string().nullable().describe('what it says where it fires, and why it is not believed if so'),
});
const evidenceSchema = z.object({
  part: z.string().nullable().describe('of a composite, the part with the strongest'),
  alarmed: z.boolean(),
  since: time.nullable().describe('when the run of failures under way began; null: there is none'),
  good: z.number(),
  bad: z.number(),
  onceIn: z.number().describe('seconds: by chance, within the objective, such a run comes once in so long a time'),
  alarmAt: z.number().describe('seconds: the same for what is an alarm'),
  recovered: z.number().describe('of an alarm: how far it is from its end, from 0 to 1'),
  words: z.string(),
});
const detailSchema = sloSchema
  .extend({
    description: z.string(),
    runbook: z.string().nullable(),
    dashboard: z.string().nullable(),
    indicator: z.string().describe('what is counted, in words and queries'),
    budget: z.number().describe('the share of events that may be bad'),
    period: z.object({ from: time, to: time }),
    rules: z.array(ruleSchema),
    evidence: evidenceSchema.nullable().describe('what the detector knows'),
  })
  .meta({ id: 'SloInFull' });
export type SloDetailShown = z.infer<typeof detailSchema>;

const burnSchema = z
  .object({
    at: time,
    budgetRemaining: z
      .number()
      .nullable()
      .describe('as it stood then; null: not all of the period that it is of is known any more'),
    burnDown: z
      .number()
      .nullable()
      .describe('of the present period: 1 at its beginning, what is left now at its end; null outside of it'),
    coverage: z.number().describe('share of the step before that was watched'),
    burnRates: z
      .record(z.string(), z.number().nullable())
      .describe('by the windows of its pairs; null: nothing was seen, or it is not known so finely any more'),
  })
  .meta({ id: 'BurnStep' });
export type BurnStepShown = z.infer<typeof burnSchema>;

const sparklineSchema = z
  .object({
    id: z.string(),
    from: time,
    step: z.number().describe('seconds'),
    burnRates: z.array(z.number().nullable()).describe('of each step by itself; null: nothing was seen'),
  })
  .meta({ id: 'Sparkline' });
export type SparklineShown = z.infer<typeof sparklineSchema>;

const SPARKLINES_MOST = 100;
const POINTS = 300;
const tags = ['objectives'];
const idText = z.string().min(1).max(300);

export function sloDetailRoutes(app: App, prefix: string, routes: SloRoutes): void {
  const path = `${prefix}/api/v1/slos`;
  sparklineRoute(app, path, routes);
  burnRoute(app, `${path}/:id/burn`, routes);
  const { engine, source, now } = routes;
  app.get(
    `${path}/:id`,
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        tags,
        params: z.object({ id: idText }),
        summary: 'One objective in full: its pairs, what the detector knows, in numbers and words',
        response: { 200: detailSchema, ...problems('not_found', 'uri_too_long') },
      },
    },
    async ({ params: { id } }) => {
      const [watched, from, at] = [engine(), source(), toSeconds(now())];
      const view = watched && viewOf(watched, id, at);
      const detail = watched && detailOf(watched, id, at);
      if (view === undefined || detail === undefined || from === undefined) throw unknown(id);
      return { ...shown(view, from), ...detailShown(detail) };
    },
  );
}

function burnRoute(app: App, path: string, { engine, now, authorised: may }: SloRoutes): void {
  app.get(
    path,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags,
        params: z.object({ id: idText }),
        querystring: z.object({
          from: moment.describe('default: when the present period began'),
          to: moment.describe('default, and at the latest: now'),
          step: stepLength.optional().describe(`seconds; default: ${POINTS} of them`),
        }),
        summary: 'How an objective burnt, step by step, and what was left of its budget',
        response: { 200: z.array(burnSchema), ...problems('not_found', 'uri_too_long') },
      },
    },
    async ({ params: { id }, query }) => {
      const [watched, at] = [engine(), toSeconds(now())];
      const period = watched && detailOf(watched, id, at)?.period;
      if (watched === undefined || period === undefined) throw unknown(id);
      const to = query.to === undefined ? at : seconds(Math.min(at, readMoment(query.to)));
      const from = query.from === undefined ? period.from : readMoment(query.from);
      const step = seconds(query.step ?? Math.max(5, Math.ceil((to - from) / POINTS)));
      const steps = burnOf(watched, id, stretchOf(from, to, step), at) ?? [];
      return steps.map((one) => ({ ...one, at: iso(one.at) }));
    },
  );
}

function sparklineRoute(app: App, path: string, { engine, now, authorised: may }: SloRoutes): void {
  app.get(
    `${path}/sparklines`,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags,
        querystring: z.object({
          id: z
            .union([idText, z.array(idText).max(SPARKLINES_MOST)], { error: `expected 1 to ${SPARKLINES_MOST} ids` })
            .describe('may be given several times; one that there is not is left out'),
          seconds: z.coerce.number().int().min(60).max(2_592_000).default(10_800),
          points: z.coerce.number().int().min(2).max(300).default(36),
        }),
        summary: 'Burn rates of several objectives over the last hours, for a small picture of each',
        response: { 200: z.array(sparklineSchema), ...problems() },
      },
    },
    async ({ query }) => {
      const watched = engine();
      if (watched === undefined) return [];
      const stretch = recent(toSeconds(now()), query.seconds, query.points);
      return [query.id].flat().flatMap((id): SparklineShown[] => {
        const rates = sparklineOf(watched, id, stretch);
        return rates === undefined ? [] : [{ id, from: iso(stretch.from), step: stretch.step, burnRates: [...rates] }];
      });
    },
  );
}

/** Cut at the same moments for all who ask, so that a picture that is drawn anew does not tremble. */
function recent(now: Seconds, length: number, points: number) {
  const step = seconds(Math.max(5, Math.ceil(length / points)));
  const to = seconds(Math.ceil(now / step) * step);
  return { from: seconds(to - step * points), to, step };
}

const unknown = (id: string) => refuse('not_found', `There is no objective ${id}`);

const detailShown = ({ runbook, dashboard, period, rules, evidence, ...rest }: Detail) => ({
  ...rest,
  runbook: runbook ?? null,
  dashboard: dashboard ?? null,
  period: { from: iso(period.from), to: iso(period.to) },
  rules: rules.map((one) => ({ ...one, because: one.because ?? null })),
  evidence:
    evidence === undefined
      ? null
      : {
          ...evidence,
          part: evidence.part ?? null,
          since: evidence.since === undefined ? null : iso(evidence.since),
        },
});
