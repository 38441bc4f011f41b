/**
 * Every instrument there is: the one place where a metric gets its name, kind, unit, help, attributes and buckets.
 * Code records by these names, rules, dashboards and load tests are checked against them, docs/telemetry.md lists them.
 *
 * A key is the name as Prometheus sees it. `semantic` is the name OpenTelemetry's semantic conventions give the same
 * thing (https://opentelemetry.io/docs/specs/semconv/), where there is one: the SDK gets that, the scrape gets the key.
 */
import { METRICS_OF_DOCUMENTS } from './catalogue-documents.ts';
import { METRICS_OF_OPERATION } from './catalogue-operation.ts';
import { METRICS_OF_ROUTER } from './catalogue-router.ts';

export type Role = 'api' | 'worker' | 'service' | 'router' | 'simulators';

/**
 * What an attribute may say. A list is closed. `bounded` comes from our own templates or from a protocol (a route, a
 * status code) and is held under `BOUNDED_VALUES_MAX`; `bounded?` may also be absent.
 */
export type Values = readonly string[] | 'bounded' | 'bounded?';

export type Kind = 'counter' | 'observable counter' | 'gauge' | 'histogram';

export type Instrument = {
  /** A counter is counted here; an observable counter is read from where it is kept, so no increment dies with us. */
  readonly kind: Kind;
  /** UCUM, as OpenTelemetry writes units: s, By, 1, {document}. */
  readonly unit: string;
  readonly help: string;
  readonly attributes: Readonly<Record<string, Values>>;
  /** Upper bounds of a histogram's buckets; the objectives' thresholds are among them. */
  readonly buckets?: readonly number[];
  /** Who exposes it: a counter whose attributes are all closed starts there at 0, so that its first increment shows. */
  readonly roles: readonly Role[];
  /** In the role `service`, port 8080 shows `http`, port 9464 the rest; `both` is what every target must show. */
  readonly shown: 'http' | 'rest' | 'both';
  readonly semantic?: string;
};

/** Distinct values of one `bounded` attribute; the next ones read `other` and are counted. Routes are about 30. */
export const BOUNDED_VALUES_MAX = 100;
export const OTHER = 'other';

export const CATALOGUE = {
  ...METRICS_OF_DOCUMENTS,
  ...METRICS_OF_ROUTER,
  ...METRICS_OF_OPERATION,
} as const satisfies Record<string, Instrument>;

export type Catalogue = typeof CATALOGUE;
export type InstrumentName = keyof Catalogue;
type NameOf<K extends Kind> = { [N in InstrumentName]: Catalogue[N]['kind'] extends K ? N : never }[InstrumentName];
export type CounterName = NameOf<'counter'>;
export type HistogramName = NameOf<'histogram'>;
export type GaugeName = NameOf<'gauge'>;
/** What a callback can be asked for at each scrape. */
export type ObservableName = NameOf<'observable counter' | 'gauge'>;

type Attributes<N extends InstrumentName> = Catalogue[N]['attributes'];
type Optional<N extends InstrumentName> = {
  [A in keyof Attributes<N>]: Attributes<N>[A] extends 'bounded?' ? A : never;
}[keyof Attributes<N>];
type Allowed<V> = V extends readonly (infer Value)[] ? Value : string | number;

/** The attributes that recording under `N` takes: nothing missing, nothing else, nothing outside the closed sets. */
export type AttributesOf<N extends InstrumentName> = [keyof Attributes<N>] extends [never]
  ? Readonly<Record<string, never>>
  : { readonly [A in Exclude<keyof Attributes<N>, Optional<N>>]: Allowed<Attributes<N>[A]> } & {
      readonly [A in Optional<N>]?: string | number;
    };

export const INSTRUMENT_NAMES = Object.keys(CATALOGUE) as readonly InstrumentName[];

/** The entry without its literal types, for code that treats all alike. */
export function instrument(name: InstrumentName): Instrument {
  return CATALOGUE[name];
}
