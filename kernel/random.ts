/** The only source of chance: ids, jitter, simulators' faults. A seed makes a run repeatable. */
import { randomFillSync } from 'node:crypto';
import type { Milliseconds } from './units.ts';

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  bytes(count: number): Uint8Array;
}

/** Asking the system costs the same for sixteen bytes as for some thousand, and each request wants an id. */
const POOL = 4_096;
const pool = new Uint8Array(POOL);
let used = POOL;

function fromPool(count: number): Uint8Array {
  if (count > POOL / 8) return randomFillSync(new Uint8Array(count));
  if (used + count > POOL) {
    randomFillSync(pool);
    used = 0;
  }
  const taken = pool.slice(used, used + count);
  // What was given out is nowhere else.
  pool.fill(0, used, used + count);
  used += count;
  return taken;
}

export const systemRandom: Random = {
  next: () => readUint32(systemRandom.bytes(4)) / 2 ** 32,
  bytes: fromPool,
};

/** xoshiro128**, seeded by splitmix32. Source: Blackman and Vigna, https://prng.di.unimi.it/. Not for secrets. */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0;
  const state = Uint32Array.from({ length: 4 }, () => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  });
  const uint32 = (): number => {
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    state.set([a ^ d ^ b, b ^ c ^ a, c ^ a ^ (b << 9), rotl(d ^ b, 11)]);
    return result;
  };
  return {
    next: () => uint32() / 2 ** 32,
    bytes: (count) => Uint8Array.from({ length: count }, () => uint32() & 0xff),
  };
}

/** A time-ordered UUID (RFC 9562, version 7): 48 bits of `now`, then chance. Sorts by creation in an index. */
export function uuidv7(now: Milliseconds, random: Random): string {
  const bytes = random.bytes(16);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now >>> 0);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** No id of that time or later sorts before it. */
export function uuidv7From(at: Milliseconds): string {
  const hex = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** Time-ordered ids of one process, each above the one before it, also within a millisecond. */
export function increasingIds(now: () => Milliseconds, random: Random): () => string {
  let last = 0;
  return () => {
    last = Math.max(last + 1, Math.floor(now()));
    return uuidv7(last as Milliseconds, random);
  };
}

const rotl = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0;
const readUint32 = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
