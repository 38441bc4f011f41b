/**
 * The sender's own count: what became of each document as far as it knows, by idempotency key. A load test fills it from
 * k6's records; whoever sends documents in another way (faults on purpose) enters them himself.
 *
 * Pure. A document is in exactly one state, and moves on only:
 *   sent → refused | unanswered | accepted → completed | rejected | failed | missing | left
 * `left` and `accepted` are not at an end: the settlement asks the database, and enters what it says.
 */
import { z } from 'zod';
import type { DocumentRecord } from './k6/record.ts';

export type Outcome = 'sent' | 'refused' | 'unanswered' | 'accepted' | 'left' | 'missing' | Ended;
export type Ended = 'completed' | 'rejected' | 'failed';

export type Entry = {
  readonly key: string;
  readonly file: string;
  /** `completed`, `any`, or `rejected CODE`. */
  readonly expected: string;
  readonly phase: string;
  readonly sentAt: number;
  readonly outcome: Outcome;
  /** Since it was accepted. */
  readonly id: string;
  /** Why it was rejected or refused; empty otherwise. */
  readonly code: string;
  /** Milliseconds from sent to ended, as whoever says it saw it. */
  readonly ms: number | undefined;
  /** Who saw its end: the sender, or afterwards the settlement. */
  readonly seenBy: 'sender' | 'settlement' | undefined;
};

export type Book = {
  readonly entries: ReadonlyMap<string, Entry>;
  add(record: DocumentRecord): void;
  /** The database's word on what the sender did not see the end of. */
  settle(key: string, ended: Ended, code: string, ms: number): void;
};

/** The states that the sender leaves open. */
const OPEN: readonly Outcome[] = ['accepted', 'left'];
export const isOpen = ({ outcome }: Entry): boolean => OPEN.includes(outcome);

export function makeBook(): Book {
  const entries = new Map<string, Entry>();
  const change = (key: string, what: Partial<Entry>) => {
    const entry = entries.get(key);
    if (entry !== undefined) entries.set(key, { ...entry, ...what });
  };
  return {
    entries,
    add(record) {
      const { key, at } = record;
      switch (record.kind) {
        case 'sent': {
          const { file, expected, phase } = record;
          entries.set(key, { ...NEW, key, file, expected, phase, sentAt: at });
          return;
        }
        case 'accepted':
          return change(key, { outcome: 'accepted', id: record.id });
        case 'refused':
          return change(key, { outcome: 'refused', code: record.code });
        case 'unanswered':
          return change(key, { outcome: 'unanswered' });
        case 'ended':
          return change(key, { outcome: endedOf(record.status), code: record.code, ms: record.ms, seenBy: 'sender' });
        case 'missing':
          return change(key, { outcome: 'missing' });
        case 'left':
          return change(key, { outcome: 'left' });
        default:
          return record satisfies never;
      }
    },
    settle: (key, outcome, code, ms) => change(key, { outcome, code, ms, seenBy: 'settlement' }),
  };
}

const NEW = { outcome: 'sent', id: '', code: '', ms: undefined, seenBy: undefined } as const;

const endedOf = (status: string): Ended => ended.parse(status);
const ended = z.enum(['completed', 'rejected', 'failed']);
export const isEnd = (status: string): status is Ended => ended.safeParse(status).success;

const common = { key: z.string(), at: z.number() };
const wire: z.ZodType<DocumentRecord> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sent'), ...common, file: z.string(), expected: z.string(), phase: z.string() }),
  z.object({ kind: z.literal('accepted'), ...common, id: z.string(), tries: z.number() }),
  z.object({ kind: z.literal('refused'), ...common, status: z.number(), code: z.string() }),
  z.object({ kind: z.literal('unanswered'), ...common, status: z.number() }),
  z.object({ kind: z.literal('ended'), ...common, status: ended, code: z.string(), ms: z.number() }),
  z.object({ kind: z.literal('missing'), ...common }),
  z.object({ kind: z.literal('left'), ...common, status: z.string() }),
]);

/** A line of k6's; undefined where it is something else (a warning of k6's own). */
export function readRecord(line: string): DocumentRecord | undefined {
  if (!line.startsWith('{"kind":')) return undefined;
  return wire.parse(JSON.parse(line));
}

export type Tally = Readonly<Record<Outcome, number>>;

export function tallyOf(entries: Iterable<Entry>): Tally {
  const tally: Record<Outcome, number> = {
    sent: 0,
    refused: 0,
    unanswered: 0,
    accepted: 0,
    left: 0,
    missing: 0,
    completed: 0,
    rejected: 0,
    failed: 0,
  };
  for (const { outcome } of entries) tally[outcome]++;
  return tally;
}

/** That there is no room, or too much was asked for: the only reasons not to take a document, whatever is in it. */
const NO_ROOM: readonly string[] = ['overloaded', 'rate_limited'];

/** It ended otherwise than such a document must. What failed is not that: it has a count of its own. */
export function isUnexpected({ outcome, expected, code }: Entry): boolean {
  if (expected === 'any') return false;
  if (outcome === 'refused') return !NO_ROOM.includes(code);
  if (outcome === 'completed') return expected !== 'completed';
  return outcome === 'rejected' && expected !== `rejected ${code}`;
}
