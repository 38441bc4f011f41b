/**
 * A long list of which only what is seen is in the page. The window scrolls, not a box in it: a thumb has one thing to
 * scroll. Rows are of one height, so that where each is needs no measuring.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { rowsSeen, type Seen } from '#console/web/text/window.ts';

type Props<T> = {
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  /** Of a row, in pixels. */
  readonly height: number;
  readonly label: string;
  readonly children: (item: T) => ComponentChildren;
  /** Told which are seen, so that what they show can be asked for. */
  readonly onSeen?: (items: readonly T[]) => void;
};

const FIRST: Seen = { first: 0, end: 30 };

export function Rows<T>({ items, keyOf, height, label, children, onSeen }: Props<T>) {
  const box = useRef<HTMLUListElement>(null);
  const [{ first, end }, setSeen] = useState(FIRST);
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      const top = -(box.current?.getBoundingClientRect().top ?? 0);
      const seen = rowsSeen(top, window.innerHeight, height, items.length);
      setSeen((before) => (before.first === seen.first && before.end === seen.end ? before : seen));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    window.addEventListener('scroll', soon, { passive: true });
    window.addEventListener('resize', soon);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener('scroll', soon);
      window.removeEventListener('resize', soon);
    };
  }, [items.length, height]);
  const shown = items.slice(first, end);
  const names = shown.map(keyOf).join('\n');
  // The names say which are seen; the array is new each time.
  useEffect(() => onSeen?.(shown), [names]);
  return (
    <ul
      class="rows"
      ref={box}
      aria-label={label}
      style={{ height: `${items.length * height}px`, margin: 0, padding: 0 }}
    >
      {shown.map((item, i) => (
        <li
          key={keyOf(item)}
          class="one"
          aria-setsize={items.length}
          aria-posinset={first + i + 1}
          style={{ height: `${height}px`, transform: `translateY(${(first + i) * height}px)`, listStyle: 'none' }}
        >
          {children(item)}
        </li>
      ))}
    </ul>
  );
}
