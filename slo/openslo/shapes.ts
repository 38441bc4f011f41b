/**
 * The shapes of OpenSLO v1's kinds: which keys there are, and of what type. What one key demands of another is in
 * rules.ts; what they mean, in indicator.ts, window.ts, alerting.ts.
 *
 * Source: https://github.com/OpenSLO/OpenSLO#object-types; composite objectives: https://github.com/OpenSLO/go-sdk
 */
import { z } from 'zod';

const text = z.string();
const scalar = z.union([z.string(), z.number(), z.boolean()]);

export const METADATA = z.strictObject({
  name: text,
  displayName: text.optional(),
  labels: z.record(z.string(), z.union([scalar, z.array(scalar)])).optional(),
  annotations: z.record(z.string(), scalar).optional(),
});

const METRIC = z.strictObject({
  metricSource: z.strictObject({
    metricSourceRef: text.optional(),
    type: text.optional(),
    spec: z.record(z.string(), z.unknown()),
  }),
});

export const SLI_SPEC = z.strictObject({
  description: text.optional(),
  thresholdMetric: METRIC.optional(),
  ratioMetric: z
    .strictObject({
      counter: z.boolean().optional(),
      good: METRIC.optional(),
      bad: METRIC.optional(),
      total: METRIC.optional(),
      rawType: z.enum(['success', 'failure']).optional(),
      raw: METRIC.optional(),
    })
    .optional(),
});

const INDICATOR = z.strictObject({ metadata: METADATA.optional(), spec: SLI_SPEC });

const OBJECTIVE = z.strictObject({
  displayName: text.optional(),
  op: z.enum(['lt', 'lte', 'gt', 'gte']).optional(),
  value: z.number().optional(),
  target: z.number().optional(),
  targetPercent: z.number().optional(),
  timeSliceTarget: z.number().optional(),
  timeSliceWindow: z.union([z.string(), z.number()]).optional(),
  indicator: INDICATOR.optional(),
  indicatorRef: text.optional(),
  compositeWeight: z.number().optional(),
});

const TIME_WINDOW = z.strictObject({
  duration: text,
  isRolling: z.boolean().optional(),
  calendar: z.strictObject({ startTime: text, timeZone: text }).optional(),
});

const CONDITION_SPEC = z.strictObject({
  description: text.optional(),
  severity: text,
  condition: z.strictObject({
    kind: text.optional(),
    op: z.enum(['lt', 'lte', 'gt', 'gte']).optional(),
    threshold: z.number(),
    lookbackWindow: text,
    alertAfter: text.optional(),
  }),
});

const TARGET_SPEC = z.strictObject({ description: text.optional(), target: text });

/** Beside a reference, a definition in its place may stand; rules.ts holds that it is one of the two. */
const INLINE = { kind: text.optional(), metadata: METADATA.optional() };

const POLICY_SPEC = z.strictObject({
  description: text.optional(),
  alertWhenNoData: z.boolean().optional(),
  alertWhenBreaching: z.boolean().optional(),
  alertWhenResolved: z.boolean().optional(),
  conditions: z
    .array(z.strictObject({ ...INLINE, conditionRef: text.optional(), spec: CONDITION_SPEC.optional() }))
    .optional(),
  notificationTargets: z
    .array(z.strictObject({ ...INLINE, targetRef: text.optional(), spec: TARGET_SPEC.optional() }))
    .optional(),
});

const SLO_SPEC = z.strictObject({
  description: text.optional(),
  service: text,
  indicator: INDICATOR.optional(),
  indicatorRef: text.optional(),
  budgetingMethod: text,
  timeWindow: z.array(TIME_WINDOW).optional(),
  objectives: z.array(OBJECTIVE),
  alertPolicies: z
    .array(z.strictObject({ ...INLINE, alertPolicyRef: text.optional(), spec: POLICY_SPEC.optional() }))
    .optional(),
});

const kind = <Name extends string, Spec extends z.ZodType>(name: Name, spec: Spec) =>
  z.strictObject({ apiVersion: z.literal('openslo/v1'), kind: z.literal(name), metadata: METADATA, spec });

export const SHAPES = {
  SLO: kind('SLO', SLO_SPEC),
  SLI: kind('SLI', SLI_SPEC),
  // A service needs no description and so, in lenient files, no spec.
  Service: kind('Service', z.strictObject({ description: text.optional() }).optional()),
  DataSource: kind(
    'DataSource',
    z.strictObject({ description: text.optional(), type: text, connectionDetails: z.unknown().optional() }),
  ),
  AlertPolicy: kind('AlertPolicy', POLICY_SPEC),
  AlertCondition: kind('AlertCondition', CONDITION_SPEC),
  AlertNotificationTarget: kind('AlertNotificationTarget', TARGET_SPEC),
} as const;

export type Kind = keyof typeof SHAPES;
export const KINDS = Object.keys(SHAPES) as readonly Kind[];
export type Shape<K extends Kind> = z.infer<(typeof SHAPES)[K]>;

export type Metadata = z.infer<typeof METADATA>;
export type SliSpec = z.infer<typeof SLI_SPEC>;
export type RatioMetric = NonNullable<SliSpec['ratioMetric']>;
export type Metric = z.infer<typeof METRIC>;
export type SloObjective = z.infer<typeof OBJECTIVE>;
export type TimeWindow = z.infer<typeof TIME_WINDOW>;
export type ConditionSpec = z.infer<typeof CONDITION_SPEC>;
export type TargetSpec = z.infer<typeof TARGET_SPEC>;
export type PolicySpec = z.infer<typeof POLICY_SPEC>;

/** Sloth's labels and annotations: it takes what YAML's scalars read as text. */
const words = z.record(z.string(), scalar);
const ALERT = z.strictObject({
  disable: z.boolean().optional(),
  labels: words.optional(),
  annotations: words.optional(),
});

/** Source: https://github.com/slok/sloth, pkg/prometheus/api/v1. */
export const SLOTH_SERVICE = z.strictObject({
  service: text,
  labels: words.optional(),
  slos: z
    .array(
      z.strictObject({
        name: text,
        objective: z.number(),
        description: text.optional(),
        labels: words.optional(),
        sli: z.strictObject({
          events: z.strictObject({ error_query: text, total_query: text }).optional(),
          raw: z.strictObject({ error_ratio_query: text }).optional(),
          plugin: z.unknown().optional(),
        }),
        alerting: z
          .strictObject({
            name: text.optional(),
            labels: words.optional(),
            annotations: words.optional(),
            page_alert: ALERT.optional(),
            ticket_alert: ALERT.optional(),
          })
          .optional(),
      }),
    )
    .min(1),
});
export const SLOTH = SLOTH_SERVICE.extend({ version: z.literal('prometheus/v1') });
export const SLOTH_RESOURCE = z.strictObject({
  apiVersion: z.literal('sloth.slok.dev/v1'),
  kind: z.literal('PrometheusServiceLevel'),
  metadata: z.looseObject({}).optional(),
  spec: SLOTH_SERVICE,
});
export type SlothService = z.infer<typeof SLOTH_SERVICE>;
export type SlothSlo = SlothService['slos'][number];
