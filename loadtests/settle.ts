/**
 * Follows every document of a run to its end, and asks the platform for its own count. Needs a book of what was sent and the
 * correlation ID it was sent under; who sent it, and how, is no matter.
 */

import { z } from 'zod';
import { Fault } from '#kernel/errors.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { formatOf, readSamples, wantedNames } from '#slo/exposition/read-samples.ts';
import { seriesOf } from '#slo/exposition/series.ts';
import type { Counts } from '#slo/objective.ts';
import type { Finished, Row } from './accounts.ts';
import { type Book, isEnd, isOpen } from './book.ts';
import { type Asking, type DocumentsAt, get, getJson, listRows } from './documents-api.ts';

/** In the order of their way: what moves on between two questions is seen by the second. */
const UNFINISHED = ['queued', 'parsing', 'chunking', 'embedding', 'storing'] as const;
const LOOK_FIRST = milliseconds(500);
const LOOK_MOST = milliseconds(5_000);
const LOOKS_GROW = 1.5;

export type Patience = {
  /** So long without any document coming to its end is a standstill. */
  readonly standstill: Milliseconds;
  /** And so long it takes at most. */
  readonly most: Milliseconds;
};
export const PATIENCE: Patience = { standstill: milliseconds(120_000), most: milliseconds(1_800_000) };

/** @returns once all have ended, or none goes on any more: what is unfinished then is a difference. */
export async function untilEnded(
  at: DocumentsAt,
  correlationId: string,
  { standstill, most }: Patience = PATIENCE,
  tell: (unfinished: number) => void = () => {},
): Promise<void> {
  const { clock, signal } = at;
  const begun = clock.steady();
  let [moved, before, look] = [begun, '', LOOK_FIRST];
  for (;;) {
    const left: Row[] = [];
    for (const status of UNFINISHED) left.push(...(await listRows(at, correlationId, status)));
    tell(left.length);
    const now = clock.steady();
    const seen = left.map(({ id, status }) => `${id} ${status}`).join();
    if (seen !== before) [moved, before] = [now, seen];
    if (left.length === 0 || now - moved > standstill || now - begun > most) return;
    await clock.sleep(look, signal);
    look = Math.min(look * LOOKS_GROW, LOOK_MOST) as Milliseconds;
  }
}

/** Enters what the sender did not see the end of. @returns the rows, for the comparison. */
export async function settleBook(at: DocumentsAt, correlationId: string, book: Book): Promise<readonly Row[]> {
  const rows = await listRows(at, correlationId);
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const entry of book.entries.values()) {
    const row = byId.get(entry.id);
    if (!isOpen(entry) || row?.ms === undefined) continue;
    const { status, code, ms } = row;
    if (isEnd(status)) book.settle(entry.key, status, code, ms);
  }
  return rows;
}

/** Of all targets together. @throws {Fault} `unanswered` */
export async function readFinished(asking: Asking, urls: readonly string[]): Promise<Finished> {
  const sum = { completed: 0, rejected: 0, failed: 0 };
  for (const url of urls) {
    const answer = await get(asking, `${url.replace(/\/metrics$/, '')}/metrics`);
    const format = formatOf(answer.headers.get('content-type') ?? '') ?? 'text';
    const read = readSamples(await answer.text(), format, WANTED);
    if (read.kind === 'fault') throw new Fault('unanswered', `${url}/metrics, line ${read.line}: ${read.reason}`);
    for (const { series, value } of read.samples) {
      const outcome = seriesOf(series).labels.get('outcome');
      if (outcome === 'completed' || outcome === 'rejected' || outcome === 'failed') sum[outcome] += value;
    }
  }
  return sum;
}

const WANTED = wantedNames(['documents_finished_total']);

export const grown = (before: Finished, after: Finished): Finished => ({
  completed: after.completed - before.completed,
  rejected: after.rejected - before.rejected,
  failed: after.failed - before.failed,
});

export type RouterAt = Asking & { readonly url: string; readonly key: string | undefined };

const objectives = z.array(
  z.object({
    id: z.string(),
    verdict: z.string(),
    good: z.number(),
    total: z.number(),
    budgetRemaining: z.number(),
  }),
);
export type Watched = z.infer<typeof objectives>[number];

/** An objective as the router's ledger has it now; undefined: it watches none of this id. */
export async function readWatched(at: RouterAt, id: string): Promise<Watched | undefined> {
  return (await getJson(at, `${at.url}/api/v1/slos`, objectives, at.key)).find((one) => one.id === id);
}

const history = z.array(z.object({ good: z.number(), total: z.number() }));
const STEP_LEAST = 60;
const STEPS_MOST = 4_000;

/** What the ledger counted between two times (wall, in milliseconds). Others' events are in it too. */
async function readLedger(at: RouterAt, id: string, from: Milliseconds, to: Milliseconds): Promise<Counts> {
  const step = Math.max(STEP_LEAST, Math.ceil((to - from) / 1_000 / STEPS_MOST));
  const times = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), step: String(step) };
  const url = `${at.url}/api/v1/slos/${encodeURIComponent(id)}/history?${new URLSearchParams(times)}`;
  const steps = await getJson(at, url, history, at.key);
  const sum = (of: (one: (typeof steps)[number]) => number) => steps.reduce((total, one) => total + of(one), 0);
  return { good: sum(({ good }) => good), bad: sum(({ good, total }) => total - good) };
}

const LEDGER_EVERY = milliseconds(1_000);
/** The ledger is one scrape behind; two may be missed. */
const LEDGER_WITHIN = milliseconds(30_000);
/** Between two scrapes, with something to spare. */
const SCRAPE = milliseconds(6_000);
/** Buckets of every age have a border at its multiples, so that no event moves across it as they grow old (docs/ledger.md). */
const BORDER = 900_000;

export type LedgerCount = {
  /** Since it was begun: waits until it holds so many events, and no longer than some scrapes. */
  grown(events: number): Promise<Counts>;
};

/** @returns undefined when it does not see its targets. */
export async function beginLedger(at: RouterAt, id: string, alone: boolean): Promise<LedgerCount | undefined> {
  const { clock, signal } = at;
  if (!(await isWatched(at, id))) return undefined;
  // What ended just now is booked by the next scrape. Where others send too, that makes no difference.
  if (alone) await clock.sleep(SCRAPE, signal);
  const from = milliseconds(Math.floor(clock.now() / BORDER) * BORDER);
  const before = await readLedger(at, id, from, clock.now());
  return {
    async grown(events) {
      const begun = clock.steady();
      for (;;) {
        const now = await readLedger(at, id, from, clock.now());
        const counts = { good: now.good - before.good, bad: now.bad - before.bad };
        if (counts.good + counts.bad >= events || clock.steady() - begun > LEDGER_WITHIN) return counts;
        await clock.sleep(LEDGER_EVERY, signal);
      }
    },
  };
}

/** A ledger that has not seen its targets yet would not see the first documents either. */
async function isWatched(at: RouterAt, id: string): Promise<boolean> {
  const { clock, signal } = at;
  const begun = clock.steady();
  for (;;) {
    const watched = await readWatched(at, id);
    if (watched !== undefined && watched.verdict !== 'unknown') return true;
    if (watched === undefined || clock.steady() - begun > LEDGER_WITHIN) return false;
    await clock.sleep(LEDGER_EVERY, signal);
  }
}
