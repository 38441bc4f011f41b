/** Holds recorded attributes to the catalogue. Pure but for the values seen so far, which have a limit. */
import { cleanText } from './attributes.ts';
import { BOUNDED_VALUES_MAX, type InstrumentName, instrument, OTHER, type Values } from './catalogue.ts';

export type Labels = Record<string, string | number>;
export type Held = { readonly labels: Labels; readonly faults: readonly string[] };

/**
 * Attributes as they may be recorded: what is outside its set reads `other`, what has no place is left out. Each
 * deviation is a fault, in words, for a throw or a count.
 */
export function makeLabelKeeper(): (name: InstrumentName, attributes: object) => Held {
  const seen = new Map<string, Set<string | number>>();
  const bounded = (series: string, value: string | number): string | number => {
    const values = seen.get(series) ?? new Set();
    seen.set(series, values);
    if (!values.has(value) && values.size >= BOUNDED_VALUES_MAX) return OTHER;
    values.add(value);
    return value;
  };
  return (name, attributes) => {
    const spec = instrument(name).attributes;
    const faults: string[] = [];
    const labels: Labels = {};
    const given = attributes as Record<string, unknown>;
    for (const [key, values] of Object.entries(spec)) {
      const label = labelValue(values, given[key], (value) => bounded(`${name} ${key}`, value));
      if (label === undefined) continue;
      labels[key] = label;
      if (label === OTHER && given[key] !== OTHER) faults.push(fault(name, key, values, given[key]));
    }
    for (const key of Object.keys(given)) {
      if (!(key in spec) && given[key] !== undefined)
        faults.push(`Cannot record ${name}: it has no attribute "${key}"`);
    }
    return { labels, faults };
  };
}

function labelValue(
  values: Values,
  value: unknown,
  bounded: (value: string | number) => string | number,
): string | number | undefined {
  if (value === undefined) return values === 'bounded?' ? undefined : OTHER;
  if (typeof value !== 'string' && typeof value !== 'number') return OTHER;
  if (typeof values !== 'string') return values.includes(String(value)) ? value : OTHER;
  return bounded(typeof value === 'string' ? cleanText(value) : value);
}

/** Names the key and the set, never the value: it may be what must not be written down. */
function fault(name: InstrumentName, key: string, values: Values, value: unknown): string {
  if (value === undefined) return `Cannot record ${name}: attribute "${key}" is missing`;
  if (typeof values !== 'string') return `Cannot record ${name}: "${key}" must be one of ${values.join(', ')}`;
  return `Cannot record ${name}: "${key}" has more than ${BOUNDED_VALUES_MAX} different values`;
}

/** Every combination of the closed attributes, so that a counter can start at 0; undefined when one is not closed. */
export function closedCombinations(name: InstrumentName): Labels[] | undefined {
  let combinations: Labels[] = [{}];
  for (const [key, values] of Object.entries(instrument(name).attributes)) {
    if (typeof values === 'string') return undefined;
    combinations = combinations.flatMap((labels) => values.map((value) => ({ ...labels, [key]: value })));
  }
  return combinations;
}
