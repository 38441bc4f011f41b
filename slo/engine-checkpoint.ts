/**
 * An engine as bytes and back: the book, what the detector believes, and what was said last, sealed as one. It says the
 * same afterwards as before. One that is damaged, cut or of another version is refused as a whole, with the reason.
 *
 * Objectives are not part of it: they come from their files, and find what is theirs by id.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Sight } from './blindness.ts';
import { type Engine, emptyEngine, modelKey, reconfigure } from './engine.ts';
import { skipEvidence } from './evidence.ts';
import { type makeJudged, newStanding, type Standing } from './judge.ts';
import { putBook, type Restored, readSealed, takeBook } from './ledger/checkpoint.ts';
import { newWriter, putJson, seal, takeJson, written } from './ledger/codec.ts';
import { planOf } from './ledger/plan.ts';
import type { Objective } from './objective.ts';
import type { Verdict } from './verdict.ts';

/** Apart from those of a book alone. */
const VERSION = 101;

type Head = {
  readonly now: Seconds;
  readonly targets: readonly (readonly [string, Seconds])[];
  readonly left: readonly (readonly [string, Seconds])[];
  readonly said: readonly (readonly [id: string, verdict: Verdict | null, since: Seconds])[];
  readonly counted: readonly CountedRecord[];
};

type CountedRecord = {
  readonly id: string;
  /** The terms in which the evidence is. */
  readonly model: string;
  readonly standing: Standing;
  readonly awaitedSince: Seconds;
  readonly sight: Sight;
  readonly moved: boolean;
};

export function checkpoint(engine: Engine, now: Seconds): Uint8Array {
  const head: Head = {
    now,
    targets: [...engine.targets],
    left: [...engine.left],
    said: [...engine.watched.values()].map(({ objective, verdict, since }) => [objective.id, verdict ?? null, since]),
    counted: [...engine.counted].map(([id, { judged, standing, awaitedSince, sight, moved }]) => ({
      id,
      model: modelKey(judged.objective),
      standing,
      awaitedSince,
      sight,
      moved,
    })),
  };
  const writer = newWriter();
  putJson(writer, head);
  putBook(writer, engine.book, now);
  return seal(VERSION, written(writer));
}

/** @param now until which the router was away: no target's fault, and nothing to believe by. */
export function restore(bytes: Uint8Array, objectives: readonly Objective[], now: Seconds): Restored<Engine> {
  return readSealed(VERSION, bytes, (reader) => {
    const head = takeJson(reader) as Head;
    const engine = emptyEngine(takeBook(reader, planOf(objectives).plan, now));
    const away = seconds(Math.max(0, now - head.now));
    if (away > 0) engine.away = { from: head.now, to: now };
    for (const [id, interval] of head.targets) engine.targets.set(id, interval);
    for (const [id, since] of head.left) engine.left.set(id, since);
    reconfigure(engine, objectives, now);
    for (const record of head.counted) takeCounted(engine, record, away);
    for (const [id, verdict, since] of head.said) {
      const watched = engine.watched.get(id);
      if (watched === undefined || verdict === null) continue;
      watched.verdict = finite(verdict);
      watched.since = since;
    }
    return engine;
  });
}

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
