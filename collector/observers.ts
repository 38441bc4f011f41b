/** Values that are read at each scrape, and values that were set and hold. */
import type { Clock } from '#kernel/clock.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type InstrumentName, instrument } from './catalogue.ts';
import type { Point } from './exposition.ts';

/** A scrape has 10 s by Prometheus' default and 5 s by the router's watch. */
const OBSERVATION_LIMIT = 2000 as Milliseconds;

export type Observers = {
  add(name: InstrumentName, read: () => Promise<readonly Point[]>): () => void;
  set(name: InstrumentName, attributes: Point['attributes'], value: number): void;
  read(wanted: (name: InstrumentName) => boolean): Promise<Map<InstrumentName, Point[]>>;
};

type Observer = {
  readonly name: InstrumentName;
  readonly read: () => Promise<readonly Point[]>;
  /** Not read again before it has ended, so that a hanging database does not collect readers. */
  pending: Promise<readonly Point[]> | undefined;
  failing: boolean;
};

export function makeObservers(clock: Clock, log: Log, failed: (reason: 'error' | 'timeout') => void): Observers {
  const observers = new Set<Observer>();
  const values = new Map<InstrumentName, Map<string, Point>>();

  const fail = (observer: Observer, reason: 'error' | 'timeout', because: string): readonly Point[] => {
    failed(reason);
    // One line for each time it begins to fail: a scrape comes every few seconds.
    if (!observer.failing) log.warn({ metric: observer.name, reason: because }, 'Cannot read a metric; it is absent');
    observer.failing = true;
    return [];
  };
  const readOne = async (observer: Observer): Promise<readonly Point[]> => {
    observer.pending ??= observer.read().finally(() => {
      observer.pending = undefined;
    });
    const done = new AbortController();
    const late = clock.sleep(OBSERVATION_LIMIT, done.signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      const found = await Promise.race([observer.pending, late]);
      if (found === undefined) return fail(observer, 'timeout', `took over ${OBSERVATION_LIMIT} ms`);
      observer.failing = false;
      return found;
    } catch (error) {
      return fail(observer, 'error', describe(error));
    } finally {
      done.abort();
    }
  };

  return {
    add: (name, read) => {
      const observer: Observer = { name, read, pending: undefined, failing: false };
      observers.add(observer);
      return () => {
        observers.delete(observer);
      };
    },
    set: (name, attributes, value) => {
      const points = values.get(name) ?? new Map<string, Point>();
      values.set(name, points);
      points.set(JSON.stringify(attributes), { value, attributes });
    },
    read: async (wanted) => {
      const found = new Map<InstrumentName, Point[]>();
      for (const [name, points] of values) if (wanted(name)) found.set(name, [...points.values()]);
      const asked = [...observers].filter(({ name }) => wanted(name));
      const answers = await Promise.all(asked.map(readOne));
      asked.forEach(({ name }, i) => {
        found.set(name, joined(name, [...(found.get(name) ?? []), ...(answers[i] ?? [])]));
      });
      return found;
    },
  };
}

/** One point for each set of labels, or Prometheus refuses the whole scrape: counts add up, of gauges the last stands. */
function joined(name: InstrumentName, points: readonly Point[]): Point[] {
  const byLabels = new Map<string, Point>();
  for (const point of points) {
    const key = JSON.stringify(point.attributes);
    const before = instrument(name).kind === 'gauge' ? 0 : (byLabels.get(key)?.value ?? 0);
    byLabels.set(key, { value: before + point.value, attributes: point.attributes });
  }
  return [...byLabels.values()];
}
