/**
 * What happened, brought into a ledger moment by moment, as the live router sees it come. Rows of a file here; counters read
 * from a PromQL server in feed-counters.ts. Whoever replays them sees no difference.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Applied } from './ledger/corrections.ts';
import { add, bookAcross, correct, type Ledger, newLedger, observe } from './ledger/ledger.ts';
import { isHole, type Row } from './replay.ts';
import { moment } from './verdict.ts';

export type Feed = {
  readonly ledger: Ledger;
  /** When there is anything to know, and until when. */
  readonly begin: Seconds;
  readonly end: Seconds;
  /** Enters what came up to a moment, and says what is known of that moment. Moments do not go back. */
  upTo(now: Seconds): Fed;
};

export type Fed =
  | { readonly kind: 'fed' }
  /** The next data is not due yet. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'blind'; readonly because: string };

export type FeedOptions = {
  /** When the ledger begins: what lies between that and the first data is unknown. */
  readonly start: Seconds;
  readonly kept: Seconds;
  readonly corrections: readonly Omit<Applied, 'left'>[];
};

export type Replay = { readonly rows: readonly Row[]; readonly pace: Seconds | undefined };

/** From when on a file's rows say anything: each counts what happened since the row before it. */
export function beginOf({ rows, pace }: Replay): Seconds {
  return seconds(Math.max(0, (rows[0]?.at ?? 0) - (pace ?? 1)));
}

export function feedOfRows({ rows, pace }: Replay, begin: Seconds, options: FeedOptions): Feed {
  const last = rows.at(-1);
  if (last === undefined) throw new RangeError('Cannot replay no rows');
  const ledger = newLedger(options.start, options.kept);
  for (const one of options.corrections) correct(ledger, one);
  let next = 0;
  let seen = begin;
  const upTo = (now: Seconds): Fed => {
    const from = next;
    for (let row = rows[next]; row !== undefined && row.at <= now; row = rows[++next]) {
      if (isHole(row.at - seen, pace)) {
        // Whether the row counts the gap or only its own span is not told: its events are booked, and the time stays unknown.
        bookAcross(ledger, seen, row.good, row.bad);
      } else {
        observe(ledger, seen, row.at);
        add(ledger, row.at, row.good, row.bad);
      }
      seen = row.at;
    }
    if (pace === undefined) {
      // Uneven rows are events: there was none since.
      if (now > seen && next < rows.length) observe(ledger, seen, now);
      seen = now;
      return { kind: 'fed' };
    }
    if (next > from) return { kind: 'fed' };
    if (!isHole(now - seen, pace)) return { kind: 'waiting' };
    return { kind: 'blind', because: `no data since ${moment(seen)}` };
  };
  return { ledger, begin, end: last.at, upTo };
}
