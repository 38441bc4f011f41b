/** What is dear to find and may be a little old: found once for all who ask meanwhile. A failure is not remembered. */
import type { Milliseconds } from '#kernel/units.ts';

export function remembered<T>(now: () => Milliseconds, length: Milliseconds, find: () => Promise<T>): () => Promise<T> {
  let known: { readonly at: Milliseconds; readonly found: Promise<T> } | undefined;
  return async () => {
    const at = now();
    // Also when the clock was put back.
    if (known === undefined || Math.abs(at - known.at) >= length) known = { at, found: find() };
    const asked = known;
    try {
      return await asked.found;
    } catch (error) {
      if (known === asked) known = undefined;
      throw error;
    }
  };
}
