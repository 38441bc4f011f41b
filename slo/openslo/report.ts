/** What is said about files: each with its place, gathered until all files are read. */
import type { Place } from '#slo/objective.ts';

export type Finding = Place & { readonly message: string };

export type Report = {
  /** Wrong in both verdicts. */
  fault(place: Place, message: string): void;
  /** Against the specification's own SDK, and done by its README or in published examples: a fault in the strict verdict. */
  strictly(place: Place, message: string): void;
  /** Right, and worth knowing. */
  warn(place: Place, message: string): void;
  /** Queries that were broken so far: mending one to read on costs as much as reading a hundred. */
  readonly queries: { broken: number };
};

export type Findings = { readonly faults: readonly Finding[]; readonly warnings: readonly Finding[] };

/** Nobody reads more at once; a file of the wrong kind would otherwise say the same on every line. */
export const FINDINGS_MAX = 1_000;

export function makeReport(strict: boolean): { readonly report: Report; findings(): Findings } {
  const faults = makeList();
  const warnings = makeList();
  const report: Report = {
    fault: faults.add,
    strictly: strict ? faults.add : warnings.add,
    warn: warnings.add,
    queries: { broken: 0 },
  };
  return { report, findings: () => ({ faults: faults.sorted(), warnings: warnings.sorted() }) };
}

function makeList(): { add(place: Place, message: string): void; sorted(): Finding[] } {
  const list: Finding[] = [];
  const seen = new Set<string>();
  return {
    add({ file, line, column }, message) {
      // An indicator that many objectives refer to is read for each of them, and is wrong once.
      const key = `${file}\n${line}\n${column}\n${message}`;
      if (seen.has(key) || list.length > FINDINGS_MAX) return;
      seen.add(key);
      const more = `more than ${FINDINGS_MAX} findings: the rest is not shown`;
      list.push({ file, line, column, message: list.length === FINDINGS_MAX ? more : message });
    },
    sorted: () => list.toSorted(byPlace),
  };
}

const byPlace = (a: Finding, b: Finding): number =>
  a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1;
