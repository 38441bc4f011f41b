/**
 * Vectors in which similar texts are near, without a model: signed feature hashing of words, word pairs and character
 * trigrams. Lexical, not semantic: "car" and "automobile" are strangers. Deterministic on every machine.
 *
 * Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.
 */

/** Words carry the meaning, pairs their order, trigrams survive inflection, misspelling and scripts without spaces. */
const WORD_WEIGHT = 1;
const PAIR_WEIGHT = 0.5;
const TRIGRAM_WEIGHT = 0.2;
/** Articles and prepositions are short in most European scripts; they say little about a text. */
const SHORT_WORD = 3;
const SHORT_WORD_WEIGHT = 0.3;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Keeps features of different kinds apart, as "ion" the word and "ion" the trigram. */
const KIND_WORD = 1;
const KIND_PAIR = 2;
const KIND_TRIGRAM = 3;

export function embed(text: string, dimensions: number): Float32Array {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const sums = new Map<number, { weight: number; times: number }>();
  const add = (hash: number, weight: number) => {
    const seen = sums.get(hash);
    if (seen) seen.times++;
    else sums.set(hash, { weight, times: 1 });
  };
  let before = 0;
  for (const word of words) {
    const hash = hashText(word, 0, word.length, KIND_WORD);
    add(hash, word.length <= SHORT_WORD ? SHORT_WORD_WEIGHT : WORD_WEIGHT);
    if (before !== 0) add(mix(before, hash), PAIR_WEIGHT);
    before = hash;
    for (let at = 0; at + 3 <= word.length; at++) add(hashText(word, at, at + 3, KIND_TRIGRAM), TRIGRAM_WEIGHT);
  }
  // A text of punctuation alone still needs a direction: its own hash.
  if (sums.size === 0) add(hashText(text, 0, text.length, KIND_WORD), WORD_WEIGHT);
  const vector = new Float32Array(dimensions);
  for (const [hash, { weight, times }] of sums) {
    // The root tames a word that is said a hundred times; the lowest bit is the sign, so that collisions cancel.
    const at = (hash >>> 1) % dimensions;
    vector[at] = (vector[at] ?? 0) + (hash & 1 ? 1 : -1) * weight * Math.sqrt(times);
  }
  return toUnitLength(vector);
}

/** Cuts a vector and makes it a unit vector again, as the vendor's `dimensions` does. */
export function shorten(vector: Float32Array, dimensions: number): Float32Array {
  return dimensions >= vector.length ? vector : toUnitLength(vector.slice(0, dimensions));
}

function toUnitLength(vector: Float32Array): Float32Array {
  let square = 0;
  for (const value of vector) square += value * value;
  // Signed sums can cancel out altogether; such a text points along the first axis.
  if (square === 0) vector[0] = 1;
  const scale = square === 0 ? 1 : 1 / Math.sqrt(square);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) * scale;
  return vector;
}

function hashText(text: string, from: number, to: number, kind: number): number {
  let hash = Math.imul(FNV_OFFSET ^ kind, FNV_PRIME);
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return avalanche(hash);
}

const mix = (a: number, b: number): number => avalanche(Math.imul(a ^ KIND_PAIR, FNV_PRIME) ^ b);

/** FNV's low bits are weak and the sign is taken from one: murmur3's finaliser spreads every bit. */
function avalanche(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
