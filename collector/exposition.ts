/**
 * From what the SDK collected and what was observed to Prometheus text (format 0.0.4), under the catalogue's names.
 * Pure. exporter-prometheus' serializer writes the samples; families nobody has recorded yet are named all the same, so
 * that a first look at /metrics shows what there is, and a histogram without attributes starts at 0 as counters do.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */

import { ValueType } from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import type { Milliseconds } from '#kernel/units.ts';
import { INSTRUMENT_NAMES, type Instrument, type InstrumentName, instrument, type Role } from './catalogue.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Point = {
  readonly value: number;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
};
export type Points = ReadonlyMap<InstrumentName, readonly Point[]>;
export type Shown = 'http' | 'rest' | 'all';

const SCOPE = { name: 'burnline' };
const NO_METRICS = '# no registered metrics';

/** Does a scrape of `shown` see this instrument? */
export function isShown(entry: Instrument, shown: Shown): boolean {
  return shown === 'all' || entry.shown === 'both' || entry.shown === shown;
}

/** @param collected from the SDK: counters and histograms, by their names there. @param points the rest, as of `now`. */
export function expositionText(
  resource: Resource,
  collected: readonly MetricData[],
  points: Points,
  view: { readonly shown: Shown; readonly role: Role; readonly now: Milliseconds },
): string {
  const recorded = new Map(collected.map((data) => [data.descriptor.name, data]));
  const metrics: MetricData[] = [];
  const silent: string[] = [];
  for (const name of INSTRUMENT_NAMES) {
    const entry = instrument(name);
    if (!isShown(entry, view.shown)) continue;
    const data = recorded.get(entry.semantic ?? name) ?? pointData(name, points.get(name) ?? [], view.now);
    if (data !== undefined) metrics.push(renamed(name, data));
    else if (entry.roles.includes(view.role)) {
      const zeros = zeroHistogram(name, view.now);
      if (zeros === undefined) silent.push(heading(name));
      else metrics.push(zeros);
    }
  }
  // No prefix, no timestamps, no resource labels, neither target_info nor otel_scope_* labels.
  const text = new PrometheusSerializer('', false, undefined, true, true).serialize({
    resource,
    scopeMetrics: [{ scope: SCOPE, metrics }],
  });
  return `${text === NO_METRICS ? '' : text.replace(/\n+$/, '\n')}${silent.join('')}`;
}

/** What the SDK gives a Prometheus reader for observed values; its own keeps a value for ever once it was observed. */
function pointData(name: InstrumentName, points: readonly Point[], now: Milliseconds): MetricData | undefined {
  if (points.length === 0) return undefined;
  const at = hrTime(now);
  const shared = {
    descriptor: descriptorOf(name),
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints: points.map(({ value, attributes }) => ({ startTime: at, endTime: at, attributes, value })),
  };
  return instrument(name).kind === 'gauge'
    ? { ...shared, dataPointType: DataPointType.GAUGE }
    : { ...shared, dataPointType: DataPointType.SUM, isMonotonic: true };
}

function zeroHistogram(name: InstrumentName, now: Milliseconds): MetricData | undefined {
  const { attributes, buckets, kind } = instrument(name);
  if (kind !== 'histogram' || buckets === undefined || Object.keys(attributes).length > 0) return undefined;
  const at = hrTime(now);
  const counts = Array.from({ length: buckets.length + 1 }, () => 0);
  const value = { buckets: { boundaries: [...buckets], counts }, sum: 0, count: 0 };
  return {
    descriptor: descriptorOf(name),
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: [{ startTime: at, endTime: at, attributes: {}, value }],
  };
}

/** Without the unit: the serializer would write a `# UNIT` line, which belongs to OpenMetrics and not to this format. */
const descriptorOf = (name: InstrumentName) => ({
  name,
  description: instrument(name).help,
  unit: '',
  valueType: ValueType.DOUBLE,
});

const renamed = (name: InstrumentName, data: MetricData): MetricData => ({ ...data, descriptor: descriptorOf(name) });

function heading(name: InstrumentName): string {
  const { kind, help } = instrument(name);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind === 'observable counter' ? 'counter' : kind}\n`;
}

const hrTime = (now: Milliseconds): [number, number] => [Math.floor(now / 1000), Math.round((now % 1000) * 1e6)];
