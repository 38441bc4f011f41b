/** Numbers and times as a person reads them; each with its unit. Pure. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @param ms a length of time. 4,200 → "4 s", 200,000 → "3 min 20 s", 9,000,000 → "2 h 30 min", 10 days → "10 d". */
export function span(ms: number): string {
  if (!Number.isFinite(ms)) return 'for ever';
  const whole = Math.max(0, ms);
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)} s`;
  if (whole < HOUR) return two(whole, MINUTE, 'min', SECOND, 's');
  if (whole < DAY) return two(whole, HOUR, 'h', MINUTE, 'min');
  return whole < 10 * DAY ? two(whole, DAY, 'd', HOUR, 'h') : `${Math.floor(whole / DAY)} d`;
}

function two(ms: number, unit: number, name: string, smaller: number, smallerName: string): string {
  const [many, rest] = [Math.floor(ms / unit), Math.floor((ms % unit) / smaller)];
  return rest === 0 ? `${many} ${name}` : `${many} ${name} ${rest} ${smallerName}`;
}

/** How long something took: 0.0042 → "4 ms", 1.26 → "1.3 s", 90 → "1 min 30 s". @param seconds */
export function took(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  return seconds < 60 ? `${tidy(seconds, 2)} s` : span(seconds * 1_000);
}

/** A countdown: 65,000 → "1:05". */
export function clock(ms: number): string {
  const all = Math.max(0, Math.ceil(ms / SECOND));
  const [hours, minutes, seconds] = [Math.floor(all / 3_600), Math.floor((all % 3_600) / 60), all % 60];
  const pad = (part: number) => String(part).padStart(2, '0');
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds)}` : `${minutes}:${pad(seconds)}`;
}

/**
 * A share as a percentage that never rounds a miss into a hit: 0.97996 of a target of 0.98 is "97.996 %", not "98 %".
 * @param share 0 to 1, or more, or less than nothing @param against a share that it must not be mistaken for
 */
export function percent(share: number, against?: number): string {
  for (let digits = 3; digits <= 8; digits++) {
    const shown = Number((share * 100).toPrecision(digits));
    const isTrue = against === undefined || share === against || shown !== Number((against * 100).toPrecision(digits));
    if (isTrue && (share === 1 || shown !== 100)) return `${shown} %`;
  }
  return `${share * 100} %`;
}

/** 1,234,567 → "1.2 M"; what is small stays whole. */
export function count(value: number): string {
  if (value < 10_000) return String(Math.round(value));
  const [size, unit] = value < 1e6 ? [1e3, 'k'] : value < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  return `${tidy(value / size, 2)} ${unit}`;
}

/** With at most so many digits that mean something, and no zeros behind. */
export const tidy = (value: number, digits = 3): string => {
  const big = Math.abs(value) >= 10 ** digits;
  return String(big ? Math.round(value) : Number(value.toPrecision(digits)));
};

export const times = (factor: number): string => `${tidy(factor, 3)} ×`;

export function bytes(size: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'] as const;
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, size)) / 10));
  return `${tidy(size / 1_024 ** step)} ${units[step]}`;
}

export function dollars(amount: number): string {
  if (amount === 0) return '0 USD';
  return `${amount < 0.01 ? tidy(amount, 2) : amount.toFixed(2)} USD`;
}

export const plural = (many: number, one: string, more = `${one}s`): string =>
  `${count(many)} ${many === 1 ? one : more}`;

/** "critical" → "Critical". */
export const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);
