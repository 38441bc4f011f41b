/**
 * A file as it may be shown: without secrets, without comments, in which old ones are left, and with its aliases written
 * out. Alertmanager's own parser takes it.
 */
import { stringify } from 'yaml';
import type { Tree } from '#slo/openslo/tree.ts';

/** A long text with many aliases is printed many times. */
export const ORIGINAL_CHARS_MAX = 4 * 1024 * 1024;

/** @returns undefined when it would be too long. */
export function printOriginal(tree: Tree, printed: ReadonlyMap<Tree, string | boolean>): string | undefined {
  let room = ORIGINAL_CHARS_MAX;
  const copy = (one: Tree): unknown => {
    if (room < 0) return undefined;
    switch (one.kind) {
      case 'scalar': {
        const value = printed.get(one) ?? one.value;
        room -= String(value).length + 1;
        // Alertmanager takes a number for text as it is written, say 007.
        return typeof value === 'number' && String(value) !== one.raw ? one.raw : value;
      }
      case 'list':
        return one.items.map(copy);
      case 'map':
        return Object.fromEntries(
          Array.from(one.entries, ([key, { value }]) => {
            room -= key.length;
            return [key, copy(value)];
          }),
        );
      default:
        return one satisfies never;
    }
  };
  const value = copy(tree);
  return room < 0 ? undefined : stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}
