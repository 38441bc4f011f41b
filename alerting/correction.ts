/** Corrections as the router keeps them: one span of one objective each, with who entered it and why. Pure. */
import { type Milliseconds, ratio, toSeconds } from '#kernel/units.ts';
import type { Correction, How } from '#slo/ledger/corrections.ts';

export const CORRECTION_KINDS = ['all', 'share', 'events'] as const;

export type CorrectionRow = {
  readonly id: string;
  readonly objective: string;
  readonly from: Milliseconds;
  readonly to: Milliseconds;
  /** Nothing of that time counts; or a share of its bad events does not; or so many of them. */
  readonly kind: (typeof CORRECTION_KINDS)[number];
  readonly amount: number | undefined;
  readonly author: string;
  readonly reason: string;
  readonly enteredAt: Milliseconds;
  readonly withdrawnAt?: Milliseconds | undefined;
  readonly withdrawnBy?: string | undefined;
};

export const correctionOf = (row: CorrectionRow): Correction => ({
  id: row.id,
  author: row.author,
  reason: row.reason,
  enteredAt: toSeconds(row.enteredAt),
  spans: [{ from: toSeconds(row.from), to: toSeconds(row.to) }],
  of: { kind: 'ids', ids: [row.objective] },
  how: howOf(row),
});

function howOf({ kind, amount = 1 }: CorrectionRow): How {
  if (kind === 'all') return { kind };
  return kind === 'share' ? { kind: 'bad', share: ratio(amount) } : { kind: 'events', bad: amount };
}
