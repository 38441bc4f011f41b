/** The path of a sparkline in a box of 100 by 28. Pure. */

const [WIDTH, HEIGHT, EDGE] = [100, 28, 2];
/** A line at what is allowed stands in the middle of a quiet picture. */
const LEAST_TOP = 2;

export type SparkPath = {
  readonly path: string;
  /** Where a burn rate of 1 is. */
  readonly allowed: number;
  readonly last: number | undefined;
};

/** @param values burn rates, the oldest first; null where nothing was seen: the line has a gap there. */
export function sparkPath(values: readonly (number | null)[]): SparkPath {
  const known = values.filter((value) => value !== null);
  const top = Math.max(LEAST_TOP, ...known);
  const y = (value: number) => HEIGHT - EDGE - (value / top) * (HEIGHT - 2 * EDGE);
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
  let isDown = false;
  const parts = values.map((value, i) => {
    if (value === null) {
      isDown = false;
      return '';
    }
    // One that stands alone is a dot: a line of no length has round ends.
    const isAlone = !isDown && (values[i + 1] ?? null) === null;
    const part = `${isDown ? 'L' : 'M'}${short(i * step)} ${short(y(value))}${isAlone ? 'h0' : ''}`;
    isDown = true;
    return part;
  });
  return { path: parts.join(''), allowed: short(y(1)), last: known.at(-1) };
}

const short = (value: number): number => Math.round(value * 10) / 10;
