/**
 * Which elements are open: ends the ones whose end tags are left out, as HTML allows, and ignores end tags of nothing.
 * Source: WHATWG HTML §13.2.6 Tree construction; shortened by what makes no difference for text.
 */
type Open = { readonly tag: string; readonly leave: () => void };

/** Browsers stop at 512. Deeper elements count as their parent's content. */
const DEPTH_MAX = 512;

const list = (names: string): ReadonlySet<string> => new Set(names.split(' '));
const TABLE_PARTS = list('table caption thead tbody tfoot tr td th');
const CELL = list('table caption td th');
const IN_LIST = list('ul ol menu table caption td th');
const IN_DEFINITIONS = list('dl table caption td th');
const IN_TABLE = list('table');
const NONE: ReadonlySet<string> = new Set();

/** A start tag ends these elements, if one is open on this side of the barrier. */
const ENDS: Readonly<Record<string, readonly [tags: ReadonlySet<string>, barrier: ReadonlySet<string>]>> = {
  li: [list('li'), IN_LIST],
  dt: [list('dt dd'), IN_DEFINITIONS],
  dd: [list('dt dd'), IN_DEFINITIONS],
  td: [list('td th caption'), IN_TABLE],
  th: [list('td th caption'), IN_TABLE],
  tr: [list('tr caption'), IN_TABLE],
  tbody: [list('thead tbody tfoot caption'), IN_TABLE],
  thead: [list('thead tbody tfoot caption'), IN_TABLE],
  tfoot: [list('thead tbody tfoot caption'), IN_TABLE],
};
const ENDS_PARAGRAPH = list(
  'address article aside blockquote center details dialog dir div dl dt dd fieldset figcaption figure footer form h1 h2 ' +
    'h3 h4 h5 h6 header hgroup hr li main menu nav ol p pre section summary table ul',
);
const PARAGRAPH = list('p');

export function makeElementStack() {
  const open: Open[] = [];
  /** So that an end tag without a start costs no search. */
  const counts = new Map<string, number>();
  let tooDeep = 0;

  const isOpen = (tag: string) => (counts.get(tag) ?? 0) > 0;

  function popTo(length: number): void {
    while (open.length > length) {
      const element = open.pop();
      if (!element) return;
      counts.set(element.tag, (counts.get(element.tag) ?? 1) - 1);
      element.leave();
    }
  }

  function end(tags: ReadonlySet<string>, barrier: ReadonlySet<string>): void {
    for (let at = open.length - 1; at >= 0; at--) {
      const tag = open[at]?.tag ?? '';
      if (tags.has(tag)) popTo(at);
      if (tags.has(tag) || barrier.has(tag)) return;
    }
  }

  return {
    /** @param enter does what the element does and answers how to undo it; called when its place is clear. */
    open(tag: string, enter: () => () => void): void {
      if (ENDS_PARAGRAPH.has(tag) && isOpen('p')) end(PARAGRAPH, CELL);
      const ends = ENDS[tag];
      if (ends) end(...ends);
      if (open.length >= DEPTH_MAX) {
        tooDeep++;
        return;
      }
      counts.set(tag, (counts.get(tag) ?? 0) + 1);
      open.push({ tag, leave: enter() });
    },
    close(tag: string): void {
      if (tooDeep > 0) tooDeep--;
      else if (isOpen(tag)) end(new Set([tag]), tag === 'table' ? NONE : TABLE_PARTS.has(tag) ? IN_TABLE : CELL);
    },
    closeAll: () => popTo(0),
  };
}
