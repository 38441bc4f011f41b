/** In which order objectives stand, and which are looked for. Pure. */
import type { Slo } from '#console/web/data/wire.ts';

const SEVERITY = { critical: 0, warning: 1, info: 2 } as const;

function rank({ verdict, severity }: Slo): number {
  if (verdict === 'burning') return severity === null ? 1 : SEVERITY[severity];
  return verdict === 'unknown' ? 1.5 : 3;
}

/** The worst first: by what burns, then by what is left of the budget. */
export const worstFirst = (all: readonly Slo[]): Slo[] =>
  all.toSorted((a, b) => rank(a) - rank(b) || a.budgetRemaining - b.budgetRemaining || a.id.localeCompare(b.id));

/** @param wanted words, each of which must stand in its name, its service or its state */
export function found(all: readonly Slo[], wanted: string): readonly Slo[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return all;
  return all.filter(({ id, service, displayName, verdict, severity }) => {
    const text = `${id} ${service} ${displayName} ${verdict} ${severity ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
