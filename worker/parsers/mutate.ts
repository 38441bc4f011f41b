/** Damages documents for tests, the same way for the same seed. Pure. */
import type { Random } from '#kernel/random.ts';

type Change = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

/** A part of at most `share` of the bytes. */
function range(bytes: Buffer, random: Random, share: number): readonly [from: number, to: number] {
  const from = below(random, bytes.length);
  return [from, Math.min(bytes.length, from + 1 + below(random, Math.max(1, bytes.length * share)))];
}

/** What breaks readers: counts, offsets and lengths at their limits. */
const NUMBERS = ['0', '-1', '1', '65536', '2147483647', '4294967296', '99999999999999999999', '1e308', ''];

const CHANGES: Readonly<Record<string, Change>> = {
  flipBits(bytes, random) {
    const changed = Buffer.from(bytes);
    for (let i = 0; i <= below(random, 24); i++) {
      const at = below(random, changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << below(random, 8));
    }
    return changed;
  },
  cutOff: (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  remove(bytes, random) {
    const [from, to] = range(bytes, random, 0.2);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  repeat(bytes, random) {
    const [from, to] = range(bytes, random, 0.1);
    const times = 1 + below(random, 20);
    const piece = bytes.subarray(from, to);
    return Buffer.concat([bytes.subarray(0, to), ...Array.from({ length: times }, () => piece), bytes.subarray(to)]);
  },
  splice(bytes, random, other) {
    const [from, to] = range(bytes, random, 0.3);
    const [start, end] = range(other, random, 0.3);
    return Buffer.concat([bytes.subarray(0, from), other.subarray(start, end), bytes.subarray(to)]);
  },
  overwrite(bytes, random) {
    const changed = Buffer.from(bytes);
    const [from, to] = range(changed, random, 0.05);
    return changed.fill(below(random, 3) === 0 ? below(random, 256) : 0, from, to);
  },
  swap(bytes, random) {
    const [from, to] = range(bytes, random, 0.2);
    const middle = from + below(random, to - from);
    return Buffer.concat([
      bytes.subarray(0, from),
      bytes.subarray(middle, to),
      bytes.subarray(from, middle),
      bytes.subarray(to),
    ]);
  },
  number(bytes, random) {
    const text = bytes.toString('latin1');
    const found = [...text.matchAll(/\d+/g)];
    const number = found[below(random, found.length)];
    if (!number) return bytes;
    const value = NUMBERS[below(random, NUMBERS.length)] ?? '';
    return Buffer.from(text.slice(0, number.index) + value + text.slice(number.index + number[0].length), 'latin1');
  },
};

export type Mutation = { readonly bytes: Buffer; readonly changes: readonly string[] };

/** One to four changes. @param other where pieces of another document come from. */
export function mutate(bytes: Buffer, other: Buffer, random: Random): Mutation {
  const names = Object.keys(CHANGES);
  const changes = Array.from({ length: 1 + below(random, 4) }, () => names[below(random, names.length)] ?? 'flipBits');
  let changed = bytes;
  for (const name of changes) if (changed.length > 0) changed = CHANGES[name]?.(changed, random, other) ?? changed;
  return { bytes: changed, changes };
}
