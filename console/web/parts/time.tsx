/** Moments: in the reader's own zone, with the whole of it, and UTC, on hover. */
import { now } from '#console/web/data/now.ts';
import { clock, span } from '#console/web/text/format.ts';

const SECOND = { second: '2-digit' } as const;
const TIME = { hour: '2-digit', minute: '2-digit' } as const;
const DATE = { weekday: 'short', day: 'numeric', month: 'short' } as const;
const SHORT = new Intl.DateTimeFormat(undefined, { ...TIME, ...SECOND });
const WITH_DAY = new Intl.DateTimeFormat(undefined, { ...DATE, ...TIME });
const WITH_DAY_SECONDS = new Intl.DateTimeFormat(undefined, { ...DATE, ...TIME, ...SECOND });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
export const READER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const DAY = 86_400_000;

/** @param at RFC 3339, or milliseconds. */
const momentOf = (at: string | number): number => (typeof at === 'number' ? at : Date.parse(at));

export const whole = (at: string | number): string => {
  const moment = momentOf(at);
  return `${WHOLE.format(moment)} (${READER_ZONE})\n${new Date(moment).toISOString()}`;
};

/** At what time: the day too, unless it is near. @param seconds also of what is not near, as in a timeline */
export function At({ at, seconds = false }: { readonly at: string | number; readonly seconds?: boolean }) {
  const moment = momentOf(at);
  const isNear = Math.abs(now.peek() - moment) < DAY / 2;
  return (
    <time dateTime={new Date(moment).toISOString()} title={whole(at)}>
      {(isNear ? SHORT : seconds ? WITH_DAY_SECONDS : WITH_DAY).format(moment)}
    </time>
  );
}

/** How long ago, going on by itself: a screen reader that hears of what is around it is not told each second. */
export function Ago({ at, after = ' ago' }: { readonly at: string | number; readonly after?: string }) {
  return (
    <time dateTime={new Date(momentOf(at)).toISOString()} title={whole(at)} aria-live="off">
      {span(now.value - momentOf(at))}
      {after}
    </time>
  );
}

/** Until something happens, second by second; a screen reader is told the moment, not each second. */
export function Countdown({ at, past }: { readonly at: string; readonly past: string }) {
  const left = Date.parse(at) - now.value;
  return (
    <time dateTime={at} title={whole(at)} role="timer" aria-live="off">
      {left > 0 ? clock(left) : past}
    </time>
  );
}

/** How long until a moment that is days away, or has been. */
export function Until({ at }: { readonly at: string }) {
  const left = Date.parse(at) - now.value;
  return (
    <time dateTime={at} title={whole(at)} aria-live="off">
      {left >= 0 ? `in ${span(left)}` : `${span(-left)} ago`}
    </time>
  );
}
