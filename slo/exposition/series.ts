/**
 * The left side of a sample line, `name{label="value"}` or `{"name.with.dots",label="value"}`: where its name and labels
 * stand, without cutting a string for any of them. A scrape names thousands of series and a ledger reads a few of them, so
 * every line is checked and only the wanted ones are taken apart (`seriesOf`).
 *
 * Pure. Sources: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format,
 * https://prometheus.io/docs/specs/om/open_metrics_spec/#abnf
 */

/** Prometheus sets no limit; its largest exporters stay below 30. What has more is broken or hostile. */
export const LABELS_MAX = 64;

export type Series = { readonly name: string; readonly labels: ReadonlyMap<string, string> };

/**
 * How the two formats differ inside a line: 0.0.4 lets blanks stand between tokens and knows three escapes, OpenMetrics
 * has no blanks there and lets any character follow a backslash.
 */
export type Dialect = { readonly blanks: boolean; readonly anyEscape: boolean };
export const TEXT_DIALECT: Dialect = { blanks: true, anyEscape: false };
export const OPENMETRICS_DIALECT: Dialect = { blanks: false, anyEscape: true };
/** For series that were checked already. */
const LOOSE: Dialect = { blanks: true, anyEscape: true };

/** Places in a line, made once and written over for each line. */
export type Spans = {
  nameFrom: number;
  nameTo: number;
  labels: number;
  /** For each label four places: name from, name to, value from, value to. */
  readonly places: Int32Array;
  reason: string;
};

export const newSpans = (): Spans => ({
  nameFrom: -1,
  nameTo: -1,
  labels: 0,
  places: new Int32Array(4 * LABELS_MAX),
  reason: '',
});

const NAME_START = 1;
const NAME = 2;
const LABEL_START = 4;
const LABEL = 8;
const KINDS = new Uint8Array(128);
for (const char of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_') {
  KINDS[char.charCodeAt(0)] = NAME_START | NAME | LABEL_START | LABEL;
}
for (const char of '0123456789') KINDS[char.charCodeAt(0)] = NAME | LABEL;
KINDS[0x3a] = NAME_START | NAME;

const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const LOWER_N = 0x6e;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const is = (code: number, kind: number): boolean => code < 128 && ((KINDS[code] ?? 0) & kind) !== 0;
export const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

export function skipBlanks(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** @returns the place after the series, or −1 and a reason in `spans`. */
export function scanSeries(text: string, from: number, to: number, dialect: Dialect, spans: Spans): number {
  spans.labels = 0;
  spans.nameFrom = -1;
  let at = from;
  if (at < to && is(text.charCodeAt(at), NAME_START)) {
    while (at < to && is(text.charCodeAt(at), NAME)) at++;
    spans.nameFrom = from;
    spans.nameTo = at;
    const brace = dialect.blanks ? skipBlanks(text, at, to) : at;
    if (brace >= to || text.charCodeAt(brace) !== OPEN) return at;
    at = brace;
  }
  if (at >= to || text.charCodeAt(at) !== OPEN) return refuse(spans, 'a metric name', text, at, to);
  const end = scanLabels(text, at + 1, to, dialect, spans);
  if (end >= 0 && spans.nameFrom < 0) spans.reason = 'expected a metric name before or inside the braces, found none';
  return spans.nameFrom < 0 ? -1 : end;
}

/** The name of a `# HELP`, `# TYPE` or `# UNIT` line, quoted or not. @returns as `scanSeries` */
export function scanName(text: string, from: number, to: number, dialect: Dialect, spans: Spans): number {
  let at = from;
  if (at < to && text.charCodeAt(at) === QUOTE) {
    const end = quotedEnd(text, at, to, dialect, spans);
    spans.nameFrom = from + 1;
    spans.nameTo = end - 1;
    return end;
  }
  if (at >= to || !is(text.charCodeAt(at), NAME_START)) return refuse(spans, 'a metric name', text, at, to);
  while (at < to && is(text.charCodeAt(at), NAME)) at++;
  spans.nameFrom = from;
  spans.nameTo = at;
  return at;
}

/** After the opening brace, to the place after the closing one. A quoted name without a value is the metric's. */
export function scanLabels(text: string, from: number, to: number, dialect: Dialect, spans: Spans): number {
  const skip = (place: number) => (dialect.blanks ? skipBlanks(text, place, to) : place);
  let at = skip(from);
  while (at < to && text.charCodeAt(at) !== CLOSE) {
    const quoted = text.charCodeAt(at) === QUOTE;
    const end = quoted ? quotedEnd(text, at, to, dialect, spans) : labelEnd(text, at, to, spans);
    if (end < 0) return -1;
    const inside = quoted ? 1 : 0;
    const next = skip(end);
    const code = next < to ? text.charCodeAt(next) : 0;
    if (quoted && (code === COMMA || code === CLOSE)) {
      if (spans.nameFrom >= 0)
        return refuse(spans, 'a label with its value (the metric is named already)', text, at, to);
      spans.nameFrom = at + 1;
      spans.nameTo = end - 1;
      at = next;
    } else {
      if (code !== EQUALS) return refuse(spans, '"=" after the label name', text, next, to);
      const value = skip(next + 1);
      if (value >= to || text.charCodeAt(value) !== QUOTE) return refuse(spans, 'a quoted value', text, value, to);
      const valueEnd = quotedEnd(text, value, to, dialect, spans);
      if (valueEnd < 0 || !note(text, at + inside, end - inside, value + 1, valueEnd - 1, spans)) return -1;
      at = skip(valueEnd);
    }
    if (at < to && text.charCodeAt(at) === COMMA) at = skip(at + 1);
    else if (at < to && text.charCodeAt(at) !== CLOSE) return refuse(spans, '"," or "}" after a label', text, at, to);
  }
  return at < to ? at + 1 : refuse(spans, '"}" at the end of the labels', text, at, to);
}

function labelEnd(text: string, from: number, to: number, spans: Spans): number {
  if (!is(text.charCodeAt(from), LABEL_START)) return refuse(spans, 'a label name', text, from, to);
  let at = from;
  while (at < to && is(text.charCodeAt(at), LABEL)) at++;
  return at;
}

/** The place after the closing quote. */
function quotedEnd(text: string, from: number, to: number, { anyEscape }: Dialect, spans: Spans): number {
  for (let at = from + 1; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code !== BACKSLASH) continue;
    at++;
    const escaped = at < to ? text.charCodeAt(at) : 0;
    const known = escaped === BACKSLASH || escaped === QUOTE || escaped === LOWER_N;
    if (!known && !anyEscape) return refuse(spans, 'one of \\\\, \\" and \\n', text, at - 1, to);
  }
  return refuse(spans, 'a closing quote', text, to, to);
}

/** Remembers a label; false when it may not stand here. Quadratic, but in at most LABELS_MAX short names. */
function note(text: string, from: number, to: number, valueFrom: number, valueTo: number, spans: Spans): boolean {
  const { places, labels } = spans;
  const length = to - from;
  for (let i = 0; i < labels; i++) {
    const other = places[4 * i] ?? 0;
    if ((places[4 * i + 1] ?? 0) - other !== length || !sameText(text, other, from, length)) continue;
    spans.reason = `label ${quote(text, from, to)} stands twice`;
    return false;
  }
  if (length === 8 && text.startsWith('__name__', from)) {
    spans.reason = 'label "__name__" is reserved for the metric name';
    return false;
  }
  if (labels === LABELS_MAX) {
    spans.reason = `more than ${LABELS_MAX} labels`;
    return false;
  }
  places[4 * labels] = from;
  places[4 * labels + 1] = to;
  places[4 * labels + 2] = valueFrom;
  places[4 * labels + 3] = valueTo;
  spans.labels = labels + 1;
  return true;
}

function sameText(text: string, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (text.charCodeAt(a + i) !== text.charCodeAt(b + i)) return false;
  return true;
}

function refuse(spans: Spans, expected: string, text: string, at: number, to: number): -1 {
  spans.reason = `expected ${expected}, found ${at < to ? quote(text, at, to) : 'the end of the line'}`;
  return -1;
}

const SHOWN = 20;
/** A bit of the text for a message. It is somebody else's: short, and with its control characters visible. */
export function quote(text: string, from: number, to: number): string {
  const shown = text.slice(from, Math.min(to, from + SHOWN));
  return JSON.stringify(to - from > SHOWN ? `${shown}…` : shown);
}

/** Takes apart a series that `scanSeries` has checked. */
export function seriesOf(series: string): Series {
  const spans = newSpans();
  scanSeries(series, 0, series.length, LOOSE, spans);
  const labels = new Map<string, string>();
  const cut = (i: number) => unescaped(series.slice(spans.places[i], spans.places[i + 1]));
  for (let i = 0; i < spans.labels; i++) labels.set(cut(4 * i), cut(4 * i + 2));
  return { name: unescaped(series.slice(spans.nameFrom, spans.nameTo)), labels };
}

const unescaped = (text: string): string =>
  text.includes('\\') ? text.replace(/\\([\\"n])/g, (_, char) => (char === 'n' ? '\n' : char)) : text;
