/**
 * The instruments of one role, by the catalogue.
 *
 * Counters and histograms are the SDK's. Values that are read at a scrape are not: the SDK's observable instruments go on
 * reporting the last value for ever when a callback fails or leaves a series out (measured with sdk-metrics 3.1), and a
 * worker that was last seen a minute ago must not look alive because the database is down. So gauges and observable
 * counters are read here, once a scrape, and what could not be read is absent.
 *
 * Each role has a MeterProvider of its own, never the process-wide one: two roles in one process do not share counters,
 * and no environment variable of the SDK can blind the objectives.
 */
import type { Counter, Histogram } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { emptyResource } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import {
  type AttributesOf,
  type CounterName,
  type GaugeName,
  type HistogramName,
  INSTRUMENT_NAMES,
  type InstrumentName,
  instrument,
  type ObservableName,
  type Role,
} from './catalogue.ts';
import { expositionText, isShown, type Shown } from './exposition.ts';
import { closedCombinations, type Labels, makeLabelKeeper } from './labels.ts';
import { makeObservers } from './observers.ts';

export type Observation<N extends ObservableName> = { readonly value: number; readonly attributes: AttributesOf<N> };
export type Observe<N extends ObservableName> = () => readonly Observation<N>[] | Promise<readonly Observation<N>[]>;

export interface Metrics {
  count<N extends CounterName>(name: N, attributes: AttributesOf<N>, by?: number): void;
  record<N extends HistogramName>(name: N, attributes: AttributesOf<N>, value: number): void;
  /** Holds until it is set again. */
  set<N extends GaugeName>(name: N, attributes: AttributesOf<N>, value: number): void;
  /**
   * Read at each scrape. A throw, or taking over 2 s, costs its own series in that scrape and nothing else; it is not
   * called again before it has ended. The answer stops it.
   */
  observe<N extends ObservableName>(name: N, read: Observe<N>): () => void;
  /** Prometheus text; serve it as `EXPOSITION_TYPE`. Never rejects for the sake of a callback. */
  exposition(shown: Shown): Promise<string>;
}

export type MetricsOptions = {
  readonly role: Role;
  readonly clock: Clock;
  readonly log: Log;
  readonly enabled: boolean;
  /** A deviation from the catalogue throws instead of being counted. */
  readonly strict: boolean;
};

export function makeMetrics(options: MetricsOptions): Metrics & { stop(): Promise<void> } {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [reader] });
  const { counters, histograms } = makeInstruments(provider);
  const keep = makeLabelKeeper();
  const observers = makeObservers(options.clock, options.log, (reason) => {
    counters.get('telemetry_observations_failed_total')?.add(1, { reason });
  });

  const held = (name: InstrumentName, attributes: object): Labels => {
    const { labels, faults } = keep(name, attributes);
    if (faults.length > 0) {
      if (options.strict) throw new RangeError(faults[0]);
      counters.get('telemetry_attributes_dropped_total')?.add(faults.length, { signal: 'metric' });
    }
    return labels;
  };
  /** A sum never recovers from a NaN, and a counter that falls looks like a restart. */
  const usable = (name: InstrumentName, value: number): boolean => {
    if (Number.isFinite(value) && (value >= 0 || instrument(name).kind === 'gauge')) return true;
    if (options.strict) throw new RangeError(`Cannot record ${name} as ${value}: it must be finite and not negative`);
    return false;
  };
  if (options.enabled) startAtZero(options.role, counters);

  return {
    count: (name, attributes, by = 1) => {
      if (options.enabled && usable(name, by)) counters.get(name)?.add(by, held(name, attributes));
    },
    record: (name, attributes, value) => {
      if (options.enabled && usable(name, value)) histograms.get(name)?.record(value, held(name, attributes));
    },
    set: (name, attributes, value) => {
      if (options.enabled && usable(name, value)) observers.set(name, held(name, attributes), value);
    },
    observe: (name, read) =>
      observers.add(name, async () => {
        const found = await read();
        return found.flatMap(({ value, attributes }) =>
          usable(name, value) ? [{ value, attributes: held(name, attributes) }] : [],
        );
      }),
    exposition: async (shown) => {
      const points = await observers.read((name) => options.enabled && isShown(instrument(name), shown));
      const { resourceMetrics } = await reader.collect();
      const collected = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
      const view = { shown, role: options.role, now: options.clock.now() };
      return options.enabled
        ? expositionText(emptyResource(), collected, points, view)
        : '# metrics are switched off\n';
    },
    stop: () => provider.shutdown(),
  };
}

function makeInstruments(provider: MeterProvider) {
  const meter = provider.getMeter('burnline');
  const counters = new Map<InstrumentName, Counter>();
  const histograms = new Map<InstrumentName, Histogram>();
  for (const name of INSTRUMENT_NAMES) {
    const { kind, semantic = name, unit, help: description, buckets = [] } = instrument(name);
    if (kind === 'counter') counters.set(name, meter.createCounter(semantic, { unit, description }));
    if (kind !== 'histogram') continue;
    const advice = { explicitBucketBoundaries: [...buckets] };
    histograms.set(name, meter.createHistogram(semantic, { unit, description, advice }));
  }
  return { counters, histograms };
}

/** A series that appears with 1 has not grown, for Prometheus' rate(): the first event would be lost. */
function startAtZero(role: Role, counters: ReadonlyMap<InstrumentName, Counter>): void {
  for (const [name, counter] of counters) {
    if (!instrument(name).roles.includes(role)) continue;
    for (const labels of closedCombinations(name) ?? []) counter.add(0, labels);
  }
}
