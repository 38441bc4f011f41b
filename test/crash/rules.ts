/** What the rules of a verdict share. */
export type Failure = {
  /** The sentence that does not hold. */
  readonly rule: string;
  /** For which documents, or what was found instead. */
  readonly found: readonly string[];
};

/** No failure when nothing was found against the rule. */
export const fail = (rule: string, found: readonly string[]): Failure[] =>
  found.length === 0 ? [] : [{ rule, found }];

export function by<T>(rows: readonly T[], key: (row: T) => string): Map<string, T> {
  return new Map(rows.map((row) => [key(row), row]));
}

export const group = <T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> => Map.groupBy(rows, key);
