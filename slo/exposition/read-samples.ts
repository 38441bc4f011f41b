/**
 * Reads one scrape: Prometheus text 0.0.4 or OpenMetrics 1.0. Every line is checked; samples are made only of the metrics
 * somebody asked for. One line that cannot be read spoils the scrape: half of a service's counters would look like a
 * restart of the other half. So the answer is all samples, or the first fault with its line, and never an exception.
 *
 * As strict as the formats' texts: where Prometheus' own readers let more pass, promtool.test.ts says which and why.
 * Work is linear in the text, and everything that grows with it has a limit.
 *
 * Sources: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format,
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import { readMillisecondStamp, readNumber, readSecondStamp } from './number.ts';
import {
  type Dialect,
  newSpans,
  OPENMETRICS_DIALECT,
  quote,
  type Spans,
  scanLabels,
  scanName,
  scanSeries,
  skipBlanks,
  TEXT_DIALECT,
} from './series.ts';

export type Format = 'text' | 'openmetrics';

export type Sample = {
  /** Name and labels as they were written: the same text at each scrape, so a cheap key. `seriesOf` takes it apart. */
  readonly series: string;
  readonly name: string;
  readonly value: number;
  /** Seconds since the epoch, where the line has a stamp. */
  readonly timestamp: number | undefined;
};

export type Exposition =
  | {
      readonly kind: 'samples';
      readonly samples: readonly Sample[];
      /** Wanted metrics that the target names, with samples or in a TYPE or HELP line alone: there, and idle. */
      readonly declared: ReadonlySet<string>;
    }
  /** Line 0: the text as a whole. */
  | { readonly kind: 'fault'; readonly line: number; readonly reason: string };

/** In UTF-16 units. 10,000 objectives of three series each with their help texts are about 5 million. */
export const TEXT_LENGTH_MAX = 32 * 1024 * 1024;
export const LINES_MAX = 500_000;
/** Label values may hold a query or a path; a line beyond this is a page that is no exposition. */
export const LINE_LENGTH_MAX = 64 * 1024;
/** Samples that are wanted, not all there are. */
export const SAMPLES_MAX = 200_000;

/** The names of metrics as they stand on sample lines (`x_total`, `x_bucket`), and the families they belong to. */
export type Wanted = { readonly names: ReadonlySet<string>; readonly families: ReadonlyMap<string, readonly string[]> };

const SUFFIX = /_(?:total|count|sum|bucket|created|info)$/;

export function wantedNames(names: Iterable<string>): Wanted {
  const set = new Set(names);
  const families = new Map<string, string[]>();
  for (const name of set) {
    for (const family of new Set([name, name.replace(SUFFIX, '')])) {
      families.set(family, [...(families.get(family) ?? []), name]);
    }
  }
  return { names: set, families };
}

/** By the answer's Content-Type; undefined when it is neither (Prometheus 3 refuses such a scrape too). */
export function formatOf(contentType: string): Format | undefined {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/openmetrics-text') return 'openmetrics';
  return type === 'text/plain' ? 'text' : undefined;
}

type Reading = {
  readonly text: string;
  readonly wanted: Wanted;
  readonly format: Format;
  readonly dialect: Dialect;
  readonly spans: Spans;
  readonly samples: Sample[];
  readonly declared: Set<string>;
  /** Which metadata each family has had, and whether a sample came. */
  readonly families: Map<string, number>;
  /** The last sample's name: exporters print a family in one piece, so it is usually this line's too. */
  lastName: string;
  lastWanted: boolean;
  ended: boolean;
};

/** Bits; 4 is for UNIT. */
const HAD_HELP = 1;
const HAD_TYPE = 2;
const HAD_SAMPLE = 8;
const HASH = 0x23;

/** @param wanted of what samples are made; the rest is checked all the same. */
export function readSamples(text: string, format: Format, wanted: Wanted): Exposition {
  if (text.length > TEXT_LENGTH_MAX) return fault(0, `${text.length} characters; the most is ${TEXT_LENGTH_MAX}`);
  const reading: Reading = {
    text,
    wanted,
    format,
    dialect: format === 'text' ? TEXT_DIALECT : OPENMETRICS_DIALECT,
    spans: newSpans(),
    samples: [],
    declared: new Set(),
    families: new Map(),
    lastName: '',
    lastWanted: false,
    ended: false,
  };
  const readLine = format === 'text' ? readTextLine : readOpenMetricsLine;
  let line = 0;
  for (let from = 0; from < text.length; ) {
    line++;
    if (line > LINES_MAX) return fault(line, `more than ${LINES_MAX} lines`);
    const feed = text.indexOf('\n', from);
    const to = feed < 0 ? text.length : feed;
    if (to - from > LINE_LENGTH_MAX) return fault(line, `${to - from} characters; the most is ${LINE_LENGTH_MAX}`);
    if (feed < 0 && !(format === 'openmetrics' && text.startsWith('# EOF', from) && to - from === 5)) {
      return fault(line, 'the text breaks off: its last line has no line feed');
    }
    const reason = reading.ended ? 'text after # EOF' : readLine(reading, from, to);
    if (reason !== undefined) return fault(line, reason);
    from = to + 1;
  }
  if (format === 'openmetrics' && !reading.ended) return fault(line, 'the text breaks off: no # EOF at its end');
  return { kind: 'samples', samples: reading.samples, declared: reading.declared };
}

const fault = (line: number, reason: string): Exposition => ({ kind: 'fault', line, reason });

function readTextLine(reading: Reading, from: number, to: number): string | undefined {
  const { text } = reading;
  const at = skipBlanks(text, from, to);
  if (at === to) return undefined;
  return text.charCodeAt(at) === HASH ? readTextComment(reading, at + 1, to) : readSample(reading, at, to);
}

/** `# HELP name text`, `# TYPE name type`; anything else behind a hash is for people. */
function readTextComment(reading: Reading, from: number, to: number): string | undefined {
  const { text, spans } = reading;
  const at = skipBlanks(text, from, to);
  const had = text.startsWith('HELP', at) ? HAD_HELP : text.startsWith('TYPE', at) ? HAD_TYPE : 0;
  const after = skipBlanks(text, at + 4, to);
  if (had === 0 || after === at + 4 || after >= to) return undefined;
  const end = scanName(text, after, to, reading.dialect, spans);
  if (end < 0) return spans.reason;
  const rest = skipBlanks(text, end, to);
  if (end < to && rest === end) return `expected a blank after the metric name, found ${quote(text, end, to)}`;
  if (rest === to) return undefined;
  if (had === HAD_TYPE && !TEXT_TYPES.has(text.slice(rest, to).trimEnd())) {
    return `expected a type (${[...TEXT_TYPES].join(', ')}), found ${quote(text, rest, to)}`;
  }
  return noteFamily(reading, had);
}

const TEXT_TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const OPENMETRICS_TYPES: ReadonlySet<string> = new Set([
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
  'unknown',
]);

function noteFamily({ text, spans, families, format, wanted, declared }: Reading, had: number): string | undefined {
  const name = text.slice(spans.nameFrom, spans.nameTo);
  for (const one of wanted.families.get(name) ?? []) declared.add(one);
  const before = families.get(name) ?? 0;
  families.set(name, before | had);
  const keyword = had === HAD_HELP ? 'HELP' : had === HAD_TYPE ? 'TYPE' : 'UNIT';
  if (before & had) return `a second ${keyword} of ${name}`;
  if (format === 'text' && had === HAD_TYPE && before & HAD_SAMPLE) return `TYPE of ${name} after its first sample`;
  return undefined;
}

function readOpenMetricsLine(reading: Reading, from: number, to: number): string | undefined {
  const { text, spans, dialect } = reading;
  if (text.charCodeAt(from) !== HASH || to === from) return readSample(reading, from, to);
  if (to - from === 5 && text.startsWith('# EOF', from)) {
    reading.ended = true;
    return undefined;
  }
  const had = KEYWORDS.findIndex((keyword) => text.startsWith(keyword, from));
  if (had < 0) return `expected # HELP, # TYPE, # UNIT or # EOF, found ${quote(text, from, to)}`;
  const end = scanName(text, from + 7, to, dialect, spans);
  if (end < 0) return spans.reason;
  if (end >= to || text.charCodeAt(end) !== 0x20)
    return `expected a space after the name, found ${quote(text, end, to)}`;
  const rest = text.slice(end + 1, to);
  if (had === 1 && !OPENMETRICS_TYPES.has(rest)) {
    return `expected a type (${[...OPENMETRICS_TYPES].join(', ')}), found ${quote(rest, 0, rest.length)}`;
  }
  const name = text.slice(spans.nameFrom, spans.nameTo);
  if (had === 2 && rest !== '' && !name.endsWith(`_${rest}`)) return `unit ${rest} is no suffix of ${name}`;
  return noteFamily(reading, 1 << had);
}

/** In the order of the HAD_ bits. */
const KEYWORDS = ['# HELP ', '# TYPE ', '# UNIT '];

function readSample(reading: Reading, from: number, to: number): string | undefined {
  const { text, spans, dialect } = reading;
  const end = scanSeries(text, from, to, dialect, spans);
  if (end < 0) return spans.reason;
  noteName(reading);
  const valueFrom = dialect.blanks ? skipBlanks(text, end, to) : end + 1;
  if (!dialect.blanks && (end >= to || text.charCodeAt(end) !== 0x20)) {
    return `expected a space and a value after the series, found ${quote(text, end, to)}`;
  }
  const valueTo = tokenEnd(text, valueFrom, to);
  const value = readNumber(text, valueFrom, valueTo);
  if (value === undefined) return `expected a number as value, found ${quote(text, valueFrom, valueTo)}`;
  const timestamp = reading.format === 'text' ? textStamp(reading, valueTo, to) : suffix(reading, valueTo, to);
  if (typeof timestamp === 'string') return timestamp;
  if (!reading.lastWanted) return undefined;
  if (reading.samples.length === SAMPLES_MAX) return `more than ${SAMPLES_MAX} samples that are wanted`;
  reading.samples.push({ series: text.slice(from, end), name: reading.lastName, value, timestamp });
  return undefined;
}

/** Is this metric wanted? Asked once for a run of lines with the same name. */
function noteName(reading: Reading): void {
  const { text, spans, lastName, families } = reading;
  if (spans.nameTo - spans.nameFrom === lastName.length && text.startsWith(lastName, spans.nameFrom)) return;
  const name = text.slice(spans.nameFrom, spans.nameTo);
  reading.lastName = name;
  reading.lastWanted = reading.wanted.names.has(name);
  if (reading.lastWanted) reading.declared.add(name);
  if (reading.format === 'text') families.set(name, (families.get(name) ?? 0) | HAD_SAMPLE);
}

function tokenEnd(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && text.charCodeAt(at) !== 0x20 && text.charCodeAt(at) !== 0x09) at++;
  return at;
}

/** @returns the stamp, or what is wrong. */
function textStamp({ text }: Reading, from: number, to: number): number | undefined | string {
  const at = skipBlanks(text, from, to);
  if (at === to) return undefined;
  const end = tokenEnd(text, at, to);
  const stamp = readMillisecondStamp(text.slice(at, end));
  if (stamp === undefined) return `expected a timestamp in whole milliseconds, found ${quote(text, at, end)}`;
  const rest = skipBlanks(text, end, to);
  return rest === to ? stamp : `expected the end of the line after the timestamp, found ${quote(text, rest, to)}`;
}

/** ` timestamp`, ` # {exemplar} value timestamp`, both or neither. The exemplar is checked and dropped. */
function suffix(reading: Reading, from: number, to: number): number | undefined | string {
  const { text } = reading;
  if (from === to) return undefined;
  if (text.startsWith(' # {', from)) return exemplar(reading, from + 4, to);
  const end = text.charCodeAt(from) === 0x20 ? tokenEnd(text, from + 1, to) : from;
  const stamp = readSecondStamp(text.slice(from + 1, end));
  if (stamp === undefined) return `expected a timestamp in seconds, found ${quote(text, from, to)}`;
  if (end === to) return stamp;
  if (!text.startsWith(' # {', end)) return `expected an exemplar or the end, found ${quote(text, end, to)}`;
  return exemplar(reading, end + 4, to) ?? stamp;
}

/** @returns what is wrong with it. */
function exemplar({ text, spans, dialect }: Reading, from: number, to: number): string | undefined {
  spans.labels = 0;
  spans.nameFrom = 0; // No name may stand in an exemplar: as if there were one already.
  const end = scanLabels(text, from, to, dialect, spans);
  if (end < 0) return `exemplar: ${spans.reason}`;
  if (end >= to || text.charCodeAt(end) !== 0x20) return 'expected a space and a value after the exemplar';
  const valueTo = tokenEnd(text, end + 1, to);
  if (readNumber(text, end + 1, valueTo) === undefined) {
    return `expected a number as the exemplar's value, found ${quote(text, end + 1, to)}`;
  }
  if (valueTo === to) return undefined;
  const stamp = text.charCodeAt(valueTo) === 0x20 ? readSecondStamp(text.slice(valueTo + 1, to)) : undefined;
  return stamp === undefined ? `expected the exemplar's timestamp, found ${quote(text, valueTo, to)}` : undefined;
}
