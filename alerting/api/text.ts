/** Text from outside that a store can keep as it is. */
import { z } from 'zod';

/** Postgres keeps no NUL; half a surrogate pair would become another character on its way. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

export const storable = (most: number) =>
  z.string().max(most).refine(isStorable, 'holds a NUL, or half of a character');

/** As Alertmanager's clients write moments: RFC 3339, with what Go's parser takes beside it. */
const MOMENT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|z|[+-]\d\d:?\d\d)?$/;

/** @returns milliseconds; undefined where it is no moment. */
export function readMoment(text: string): number | undefined {
  const found = MOMENT.exec(text);
  if (found === null) return undefined;
  const at = Date.parse(found[1] === undefined ? `${text}Z` : text);
  return Number.isNaN(at) ? undefined : Math.floor(at);
}
