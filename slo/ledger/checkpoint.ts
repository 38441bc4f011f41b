/**
 * A book as bytes and back: the same numbers to the event, and counting goes on from the same last values. One that is
 * damaged or of another version is refused as a whole, with the reason; nothing is half read.
 *
 * Accounts and targets can be written one by one (`writeAccount`), so that a store may keep a row for each, or all in one
 * (`writeBook`). Schedules of a running book are not part of it: `restoreBook` takes the present plan, and accounts whose
 * objective is in it no more are kept as they are.
 */
import type { Seconds } from '#kernel/units.ts';
import { seriesOf } from '#slo/exposition/series.ts';
import type { Account } from './account.ts';
import { type Book, newBook, replan } from './book.ts';
import {
  newReader,
  newWriter,
  open,
  putColumn,
  putCount,
  putJson,
  putSums,
  type Reader,
  seal,
  takeColumn,
  takeCount,
  takeJson,
  takeSums,
  type Writer,
} from './codec.ts';
import { type Counter, newTarget, type Target } from './counting.ts';
import { type Plan, usesOf } from './plan.ts';
import type { Level, Ring } from './ring.ts';

const VERSION = 1;

export type Restored<T> =
  | { readonly kind: 'restored'; readonly value: T }
  | { readonly kind: 'refused'; readonly reason: string };

export function writeBook(book: Book, now: Seconds): Uint8Array {
  const writer = newWriter();
  putBook(writer, book, now);
  return seal(VERSION, writer);
}

/** As a part of a larger checkpoint. */
export function putBook(writer: Writer, book: Book, now: Seconds): void {
  putJson(writer, { now, kept: book.kept });
  putCount(writer, book.accounts.size);
  for (const account of book.accounts.values()) putAccount(writer, account);
  putCount(writer, book.targets.size);
  for (const target of book.targets.values()) putJson(writer, targetRecord(target));
}

/** @param now for objectives that the checkpoint does not know. */
export function restoreBook(bytes: Uint8Array, plan: Plan, now: Seconds): Restored<Book> {
  return readSealed(VERSION, bytes, (reader) => takeBook(reader, plan, now));
}

export function takeBook(reader: Reader, plan: Plan, now: Seconds): Book {
  const head = takeJson(reader) as { now: Seconds; kept: Seconds };
  const book = newBook({ ...plan, objectives: [] }, head.now, head.kept);
  for (let left = takeCount(reader); left > 0; left--) {
    const account = takeAccount(reader);
    book.accounts.set(account.id, account);
  }
  for (let left = takeCount(reader); left > 0; left--) {
    const target = targetOf(takeJson(reader) as TargetRecord, plan);
    book.targets.set(target.id, target);
  }
  replan(book, plan, now);
  return book;
}

export function writeAccount(account: Account): Uint8Array {
  const writer = newWriter();
  putAccount(writer, account);
  return seal(VERSION, writer);
}

export const restoreAccount = (bytes: Uint8Array): Restored<Account> => readSealed(VERSION, bytes, takeAccount);

/** All of it, or the reason why none. */
export function readSealed<T>(version: number, bytes: Uint8Array, take: (reader: Reader) => T): Restored<T> {
  const body = open(version, bytes);
  if (typeof body === 'string') return { kind: 'refused', reason: body };
  try {
    const reader = newReader(body);
    const value = take(reader);
    if (reader.at === body.length) return { kind: 'restored', value };
    return { kind: 'refused', reason: `${body.length - reader.at} bytes are left over` };
  } catch (error) {
    // The checksum fits, so somebody else's program wrote it, or ours has a fault: either way it is not read.
    return { kind: 'refused', reason: `the checkpoint cannot be read: ${error}` };
  }
}

function putAccount(writer: Writer, { id, ledger, slicer, served, frontier }: Account): void {
  const { counted, corrected, corrections, bridges, across } = ledger;
  const kept = counted.levels.map(({ width, size }) => [width, size]);
  putJson(writer, {
    id,
    frontier,
    start: counted.start,
    kept,
    corrections,
    bridges,
    across,
    served: [...served],
    pending: [...slicer.pending],
    rings: (corrected === undefined ? [counted] : [counted, corrected]).map(scalars),
  });
  putRing(writer, counted);
  if (corrected !== undefined) putRing(writer, corrected);
}

type Scalars = Pick<Ring, 'head' | 'good' | 'bad' | 'observed'> & { readonly lasts: readonly number[] };

const scalars = ({ head, good, bad, observed, levels }: Ring): Scalars => ({
  head,
  good,
  bad,
  observed,
  lasts: levels.map(({ last }) => last),
});

function putRing(writer: Writer, ring: Ring): void {
  for (const { good, bad, observed, last, size } of ring.levels) {
    const first = (last + 1) % size;
    putColumn(writer, good, first);
    putColumn(writer, bad, first);
    putSums(writer, observed, first);
  }
}

type AccountRecord = {
  readonly id: string;
  readonly frontier?: Seconds;
  readonly start: Seconds;
  readonly kept: readonly (readonly [width: Seconds, size: number])[];
  readonly corrections: Account['ledger']['corrections'];
  readonly bridges: Account['ledger']['bridges'];
  readonly across: Account['ledger']['across'];
  readonly served: readonly (readonly [string, Account['served'] extends Map<string, infer S> ? S : never])[];
  readonly pending: readonly (readonly [number, { good: number; bad: number; watched: number }])[];
  readonly rings: readonly Scalars[];
};

function takeAccount(reader: Reader): Account {
  const record = takeJson(reader) as AccountRecord;
  const [counted, corrected] = record.rings.map((one) => takeRing(reader, record, one));
  if (counted === undefined) throw new RangeError(`account ${record.id} has no ring`);
  return {
    id: record.id,
    ledger: {
      counted,
      corrected,
      corrections: [...record.corrections],
      bridges: [...record.bridges],
      across: record.across,
    },
    slicer: { pending: new Map(record.pending) },
    served: new Map(record.served),
    frontier: record.frontier,
  };
}

function takeRing(reader: Reader, { start, kept }: AccountRecord, { lasts, ...sums }: Scalars): Ring {
  const levels = kept.map(([width, size], i): Level => {
    const last = lasts[i] ?? 0;
    const first = (last + 1) % size;
    const scratch = new Float64Array(size);
    const [good, bad] = [takeColumn(reader, first, scratch), takeColumn(reader, first, scratch)];
    const observed = new Uint32Array(size);
    takeSums(reader, observed, first);
    return { width, size, good, bad, observed, last };
  });
  return { start, ...sums, levels };
}

type TargetRecord = {
  readonly id: string;
  readonly at?: Seconds;
  readonly processStart?: number;
  readonly asked: readonly string[];
  readonly created: readonly (readonly [string, number])[];
  readonly counters: readonly (readonly [series: string, value: number | null, at: Seconds, created: number | null])[];
};

/** JSON keeps a double to its last bit. */
const targetRecord = ({ id, at, processStart, asked, created, counters }: Target) => ({
  id,
  at,
  processStart,
  asked: [...asked],
  created: [...created],
  counters: [...counters].map(([series, counter]) => [series, counter.value, counter.at, counter.created ?? null]),
});

function targetOf(record: TargetRecord, plan: Plan): Target {
  const counters = record.counters.map(([text, value, at, created]): [string, Counter] => {
    const series = seriesOf(text);
    const uses = usesOf(plan, series);
    const counts = uses.some(({ role }) => role !== 'value');
    // An infinite gauge is null in JSON; of a gauge the last value does not matter.
    return [text, { series, value: value ?? 0, at, created: created ?? undefined, uses, counts, plan }];
  });
  return {
    ...newTarget(record.id),
    at: record.at,
    processStart: record.processStart,
    asked: new Set(record.asked),
    created: new Map(record.created),
    counters: new Map(counters),
  };
}
