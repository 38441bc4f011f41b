/** Which rows of a long list are seen. Pure. */

export type Seen = { readonly first: number; readonly end: number };

/** Some more than are seen, so that a quick thumb meets no empty rows. */
const MARGIN = 8;

/**
 * @param top pixels between the list's own top and the window's; negative while the list begins below it
 * @param height of the window and of a row, in pixels
 */
export function rowsSeen(top: number, height: number, row: number, count: number): Seen {
  const first = Math.max(0, Math.floor(top / row) - MARGIN);
  const end = Math.min(count, Math.ceil((top + height) / row) + MARGIN);
  return { first: Math.min(first, count), end: Math.max(end, Math.min(first, count)) };
}
