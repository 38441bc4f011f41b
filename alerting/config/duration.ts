/**
 * The two ways in which the file writes durations.
 *
 * Source: prometheus/common model/time.go (ParseDuration); https://pkg.go.dev/time#ParseDuration
 */
import { days, hours, type Milliseconds, milliseconds, minutes, seconds, toMilliseconds } from '#kernel/units.ts';

const UNITS = [
  toMilliseconds(days(365)),
  toMilliseconds(days(7)),
  toMilliseconds(days(1)),
  toMilliseconds(hours(1)),
  toMilliseconds(minutes(1)),
  toMilliseconds(seconds(1)),
  milliseconds(1),
] as const;
const PROMETHEUS = /^(?=\d)(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Go counts nanoseconds in 63 bits: some 292 years. */
const MOST = 2 ** 63 / 1e6;

/** `1d12h`: from the largest unit to the smallest, each once. `0` needs none. */
export function prometheusDuration(text: string): Milliseconds | undefined {
  if (text === '0') return milliseconds(0);
  const match = PROMETHEUS.exec(text);
  if (match === null) return undefined;
  const total = UNITS.reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * unit, 0);
  return total < MOST ? milliseconds(total) : undefined;
}

const CLOCK = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, µs: 1e-3, μs: 1e-3, ns: 1e-6 } as const;

/** `1m30s`, `1.5h`: any units in any order, no days. */
export function clockDuration(text: string): Milliseconds | undefined {
  if (text === '0') return milliseconds(0);
  if (text.length > 100 || !/^(?:\d+(?:\.\d*)?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    total += Number(count) * CLOCK[unit as keyof typeof CLOCK];
  }
  return total < MOST ? milliseconds(total) : undefined;
}
