/** The corrections that are in force, brought into an engine: what is new is applied, and what was taken back counts again. */
import type { Seconds } from '#kernel/units.ts';
import { type Engine, enterCorrected, rebaseOne } from './engine.ts';
import { type Correction, concerns } from './ledger/corrections.ts';
import { correct, type Ledger } from './ledger/ledger.ts';

/**
 * Asking twice is asking once: a ledger knows by their ids which it has. One that is taken back makes its ledger apply all
 * others anew, to the bucket of their age (`docs/ledger.md`).
 * @param inForce all of them, in the order in which they were entered.
 */
export function settleCorrections(engine: Engine, inForce: readonly Correction[], now: Seconds): void {
  const known = new Set(inForce.map(({ id }) => id));
  for (const [id, { judged }] of engine.counted) {
    const ledger = engine.book.accounts.get(id)?.ledger;
    if (ledger === undefined || ledger.corrections.every((one) => known.has(one.id))) continue;
    applyAnew(
      ledger,
      inForce.filter((one) => concerns(one, judged.objective)),
    );
    rebaseOne(engine, id);
  }
  for (const one of inForce) if (!isApplied(engine, one)) enterCorrected(engine, one, now);
}

/** It concerns nobody who is watched, or those whom it concerns have it. */
function isApplied({ book, counted }: Engine, correction: Correction): boolean {
  for (const [id, { judged }] of counted) {
    if (!concerns(correction, judged.objective)) continue;
    const applied = book.accounts.get(id)?.ledger.corrections.some((one) => one.id === correction.id);
    if (applied === false) return false;
  }
  return true;
}

function applyAnew(ledger: Ledger, wanted: readonly Correction[]): void {
  ledger.corrected = undefined;
  ledger.corrections.length = 0;
  for (const { id, spans, how } of wanted) for (const span of spans) correct(ledger, { id, ...span, how });
}
