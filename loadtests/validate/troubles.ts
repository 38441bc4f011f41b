/** What must not happen in any validation, whatever the baseline holds. Pure. */
import type { FactDifference } from './compare.ts';
import type { CheckResult } from './facts.ts';

/** Answers of a fault, or none: they were asked for again, and what came then was looked at. */
export const ERRORS = 'requests that failed';
export const NOT_ACCEPTED = 'uploads that were not accepted';
export const NOT_COMPLETED = 'documents that were not completed';

/** A connection may be cut once while a target is rolled out. */
const ERRORS_MOST = 1;

export function troublesOf(results: readonly CheckResult[]): FactDifference[] {
  return results.flatMap(({ check, troubles }) =>
    Object.entries(troubles).map(([name, is]) => {
      const matters = name !== ERRORS || is > ERRORS_MOST;
      const because = matters ? 'a target that is well does not do that' : 'one may be chance';
      return { name: `${check}/${name}`, was: 0, is, matters, because };
    }),
  );
}
