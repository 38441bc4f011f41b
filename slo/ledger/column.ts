/**
 * Running sums at the borders of buckets, in half the memory: as whole distances of up to 2^32 above a base. That holds the
 * 29 days of a ledger at 1,700 events a second; where a sum is no whole number, or too far above the others, the column keeps
 * doubles from then on. Either way what is read is what was written, to the bit.
 */
export type Column = {
  /** Of doubles 0. */
  base: number;
  above: Uint32Array | Float64Array;
};

export const newColumn = (size: number): Column => ({ base: 0, above: new Uint32Array(size) });

/** As small as they fit. @param sums are copied. */
export function columnOf(sums: Float64Array): Column {
  const base = lowest(sums);
  const above = new Uint32Array(sums.length);
  for (let slot = 0; slot < sums.length; slot++) {
    const sum = sums[slot] as number;
    above[slot] = sum - base;
    if (base + (above[slot] as number) !== sum) return { base: 0, above: sums.slice() };
  }
  return { base, above };
}

export const readColumn = ({ base, above }: Column, slot: number): number => base + (above[slot] as number);

export function writeColumn(column: Column, slot: number, sum: number): void {
  column.above[slot] = sum - column.base;
  // What whole numbers cannot hold reads back as another.
  if (readColumn(column, slot) !== sum) refit(column, slot, sum);
}

/** Another base may do, once the oldest sums were written over; else it is doubles. */
function refit(column: Column, slot: number, sum: number): void {
  const sums = sumsOf(column);
  sums[slot] = sum;
  Object.assign(column, columnOf(sums));
}

export function sumsOf({ base, above }: Column): Float64Array {
  const sums = new Float64Array(above);
  if (base !== 0) for (let slot = 0; slot < sums.length; slot++) sums[slot] = base + (sums[slot] as number);
  return sums;
}

export const columnBytes = ({ above }: Column): number => above.byteLength;

function lowest(sums: Float64Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (const sum of sums) if (sum < least) least = sum;
  return least;
}
