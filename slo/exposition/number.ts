/**
 * Numbers as the formats write them, which is as Go reads them and not as JavaScript does: `0x10`, `1_000` and an empty
 * text are none, `+Inf` and `nan` are, and what overflows is refused rather than infinite.
 *
 * Source: https://pkg.go.dev/strconv#ParseFloat (without the forms added in Go 1.13)
 */

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const INTEGER = /^[+-]?\d{1,19}$/;
/** Fifteen digits are exact in a double whatever they are. */
const EXACT_DIGITS = 15;

/** @returns undefined when text[from..to) is no number. Counters are whole nearly always: those cut no string. */
export function readNumber(text: string, from: number, to: number): number | undefined {
  if (to - from <= EXACT_DIGITS && to > from) {
    let value = 0;
    let at = from;
    for (; at < to; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === to) return value;
  }
  return parseNumber(text.slice(from, to));
}

function parseNumber(token: string): number | undefined {
  if (DECIMAL.test(token)) {
    const value = Number(token);
    return Number.isFinite(value) ? value : undefined;
  }
  if (/^nan$/i.test(token)) return Number.NaN;
  const sign = INFINITE.exec(token)?.[1];
  if (sign === undefined) return undefined;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

const INT64_MAX = 2n ** 63n - 1n;

/** 0.0.4 stamps in whole milliseconds of 64 bits. @returns seconds */
export function readMillisecondStamp(token: string): number | undefined {
  if (!INTEGER.test(token)) return undefined;
  const value = BigInt(token.replace('+', ''));
  return value > INT64_MAX || value < -INT64_MAX - 1n ? undefined : Number(value) / 1000;
}

/** OpenMetrics stamps in seconds, with a fraction. */
export function readSecondStamp(token: string): number | undefined {
  const value = parseNumber(token);
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}
