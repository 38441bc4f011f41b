/** Vectors and token counts of texts seen before: a load test sends the same documents again and again. */
import { hash } from 'node:crypto';
import { countTokens } from 'gpt-tokenizer/encoding/cl100k_base';
import { embed } from '#simulators/embedding.ts';

/** 6 KB a vector: some 30 MB when full. */
const MOST_REMEMBERED = 5_000;
/** Markers such as <|endoftext|> are plain text to the embeddings endpoint. */
const PLAIN = { disallowedSpecial: new Set<string>() };

export type Embedded = { readonly hash: string; readonly tokens: number; vector(): Float32Array };
export type EmbeddingMemory = {
  /** Counts tokens at once; the vector is made when asked for, so that a refused request costs none. */
  recall(text: string, dimensions: number): Embedded;
};

export function makeEmbeddingMemory(most = MOST_REMEMBERED): EmbeddingMemory {
  const known = new Map<string, { tokens: number; vector?: Float32Array }>();
  return {
    recall: (text, dimensions) => {
      const key = `${hash('sha256', text)}/${dimensions}`;
      const entry = known.get(key) ?? { tokens: countTokens(text, PLAIN) };
      known.delete(key); // and back at the end: the map's order is the order of use
      known.set(key, entry);
      if (known.size > most) for (const oldest of known.keys()) if (known.delete(oldest)) break;
      return {
        hash: key,
        tokens: entry.tokens,
        vector: () => {
          entry.vector ??= embed(text, dimensions);
          return entry.vector;
        },
      };
    },
  };
}
