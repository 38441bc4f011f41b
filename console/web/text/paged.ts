/** A list of which the first page is asked for again while further ones stand below it. Pure. */

/**
 * What stands below the first page. While new ones come, its last ones are pushed off it, and must not be lost between the
 * two; what a later page has, the first one may reach by now, and must not stand twice.
 * @param first as it is now, in the order of the list
 * @param known the first page as it was when more was asked for, and all that was asked for since
 */
export function below<T>(first: readonly T[], known: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const keys = new Set(first.map(keyOf));
  const end = known.findLastIndex((item) => keys.has(keyOf(item)));
  return known.slice(end + 1);
}
