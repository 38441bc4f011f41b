/**
 * An engine as bytes and back: the book, what the detector believes, and what was said last, sealed as one. It says the
 * same afterwards as before. One that is damaged, cut or of another version is refused as a whole, with the reason.
 *
 * Objectives are not part of it: they come from their files, and find what is theirs by id.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Away, Sight } from './blindness.ts';
import { type Counted, type Engine, emptyEngine, modelKey, reconfigure } from './engine.ts';
import { skipEvidence } from './evidence.ts';
import { type makeJudged, newStanding, type Standing } from './judge.ts';
import { putBook, type Restored, readSealed, takeBook } from './ledger/checkpoint.ts';
import { newWriter, putCount, putJson, type Reader, seal, takeCount, takeJson } from './ledger/codec.ts';
import { planOf } from './ledger/plan.ts';
import type { Objective } from './objective.ts';
import type { Verdict } from './verdict.ts';

/** Apart from those of a book alone. */
const VERSION = 101;
/** A checkpoint is a little larger than the one before. */
const MARGIN = 1.1;
/** Less than this between two restarts is no time to have heard of every target: the grace of one that was never seen. */
const AWAKE = seconds(60);
/** Of a busy objective with 28 days; memory that is not written to is not taken. */
const ACCOUNT_BYTES = 17 * 1024;

type Head = {
  readonly now: Seconds;
  readonly away: Away | null;
  readonly targets: readonly (readonly [string, Seconds])[];
  readonly left: readonly (readonly [string, Seconds])[];
};
type SaidRecord = readonly [id: string, verdict: Verdict | null, since: Seconds];

type CountedRecord = {
  readonly id: string;
  /** The terms in which the evidence is. */
  readonly model: string;
  readonly standing: Standing;
  readonly awaitedSince: Seconds;
  readonly sight: Sight;
  readonly moved: boolean;
};

/**
 * @param reuse what an earlier one answered, once it is stored: at a thousand objectives, 15 MB that are not left to the
 * garbage collector each minute. It is written over.
 */
export function checkpoint(engine: Engine, now: Seconds, reuse?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const writer = newWriter(engine.expectedBytes ?? ACCOUNT_BYTES * engine.book.accounts.size, reuse);
  const { away = null, targets, left } = engine;
  putJson(writer, { now, away, targets: [...targets], left: [...left] } satisfies Head);
  // One by one: thousands of them in one text would be copied whole, several times.
  putCount(writer, engine.watched.size);
  for (const { objective, verdict, since } of engine.watched.values()) {
    putJson(writer, [objective.id, verdict ?? null, since] satisfies SaidRecord);
  }
  putCount(writer, engine.counted.size);
  for (const [id, { judged, ...counted }] of engine.counted) {
    putJson(writer, countedRecord(id, modelKey(judged.objective), counted));
  }
  putBook(writer, engine.book, now);
  const bytes = seal(VERSION, writer) as Uint8Array<ArrayBuffer>;
  engine.expectedBytes = Math.ceil(bytes.length * MARGIN);
  return bytes;
}

const countedRecord = (
  id: string,
  model: string,
  { standing, awaitedSince, sight, moved }: Omit<Counted, 'judged'>,
): CountedRecord => ({ id, model, standing, awaitedSince, sight, moved });

/** @param now until which the router was away: no target's fault, and nothing to believe by. */
export function restore(bytes: Uint8Array, objectives: readonly Objective[], now: Seconds): Restored<Engine> {
  return readSealed(VERSION, bytes, (reader) => {
    const head = takeJson(reader) as Head;
    const said = takeAll<SaidRecord>(reader);
    const counted = takeAll<CountedRecord>(reader);
    const engine = emptyEngine(takeBook(reader, planOf(objectives).plan, now));
    const away = seconds(Math.max(0, now - head.now));
    // It may have been up for too short a time, between two restarts, to hear of any target.
    const again = head.away !== null && head.now - head.away.to < AWAKE;
    const from = again ? head.away.from : head.now;
    engine.away = away > 0 || again ? { from, to: now } : undefined;
    for (const [id, interval] of head.targets) engine.targets.set(id, interval);
    for (const [id, since] of head.left) engine.left.set(id, since);
    reconfigure(engine, objectives, now);
    for (const record of counted) takeCounted(engine, record, away);
    for (const [id, verdict, since] of said) {
      const watched = engine.watched.get(id);
      if (watched === undefined) continue;
      watched.verdict = verdict === null ? undefined : finite(verdict);
      watched.since = since;
    }
    return engine;
  });
}

const takeAll = <T>(reader: Reader): T[] => Array.from({ length: takeCount(reader) }, () => takeJson(reader) as T);

function takeCounted(engine: Engine, record: CountedRecord, away: Seconds): void {
  const counted = engine.counted.get(record.id);
  if (counted === undefined) return;
  const { judged } = counted;
  const same = record.model === modelKey(judged.objective) && fits(record.standing, judged);
  const standing = same ? record.standing : { ...record.standing, evidence: counted.standing.evidence };
  if (away > 0 && standing.at !== undefined) {
    standing.at = seconds(standing.at + away);
    skipEvidence(judged.model, standing.evidence, away, standing.at);
  }
  engine.counted.set(record.id, {
    ...counted,
    standing,
    awaitedSince: seconds(record.awaitedSince + away),
    sight: record.sight,
    moved: record.moved || !same,
  });
}

/** A newer program may weigh other outages against each other, in the same terms. */
function fits({ evidence }: Standing, judged: ReturnType<typeof makeJudged>): boolean {
  const fresh = newStanding(judged).evidence;
  return (
    evidence.outages.length === fresh.outages.length &&
    evidence.calm.ages.length === fresh.calm.ages.length &&
    evidence.calm.ages.every((ages, i) => ages.length === fresh.calm.ages[i]?.length)
  );
}

/** JSON has no infinity. */
function finite(verdict: Verdict): Verdict {
  if (verdict.kind !== 'burning') return verdict;
  const budgetLasts = (verdict.budgetLasts as Seconds | null) ?? seconds(Number.POSITIVE_INFINITY);
  return { ...verdict, budgetLasts };
}
