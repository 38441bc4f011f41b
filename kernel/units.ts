/** Units as types: a number that says what it counts. Erased at run time, so they cost nothing. */
declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]: Name };

/** A span of time in seconds, as Prometheus and the SLO literature count it. */
export type Seconds = Unit<'Seconds'>;
/** A span of time in milliseconds, as JavaScript timers count it. */
export type Milliseconds = Unit<'Milliseconds'>;
/** A share of a whole, 0 to 1. Never a percentage. */
export type Ratio = Unit<'Ratio'>;

/** Money in US dollars. */
export type Usd = Unit<'Usd'>;
/** A size in bytes. */
export type Bytes = Unit<'Bytes'>;

export const seconds = (n: number): Seconds => n as Seconds;
export const minutes = (n: number): Seconds => seconds(n * 60);
export const hours = (n: number): Seconds => minutes(n * 60);
export const days = (n: number): Seconds => hours(n * 24);
export const toMilliseconds = (s: Seconds): Milliseconds => (s * 1000) as Milliseconds;
export const toSeconds = (ms: Milliseconds): Seconds => (ms / 1000) as Seconds;
export const milliseconds = (n: number): Milliseconds => n as Milliseconds;
export const usd = (n: number): Usd => n as Usd;
export const kibibytes = (n: number): Bytes => (n * 1024) as Bytes;
export const mebibytes = (n: number): Bytes => kibibytes(n * 1024);

/** @throws {RangeError} when `n` is not in 0..1, so that 98 can not pass for 98 %. */
export function ratio(n: number): Ratio {
  if (!(n >= 0 && n <= 1)) throw new RangeError(`Ratio must be between 0 and 1, received ${n}`);
  return n as Ratio;
}
