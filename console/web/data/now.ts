/** The router's clock, in the reader's browser: what is shown as "for 3 min" must not hang on a laptop that is wrong. */
import { signal } from '@preact/signals';

let offset = 0;
/** Milliseconds; moves once a second while the page is seen. */
export const now = signal(Date.now());

export const routerNow = (): number => Date.now() + offset;

/** @param at the router's own time just now. */
export function setClock(at: number): void {
  const found = at - Date.now();
  // The way here takes some milliseconds: only what is more than that is a clock that is wrong.
  if (Math.abs(found - offset) > 1_500) offset = found;
  now.value = routerNow();
}

setInterval(() => {
  if (!document.hidden) now.value = routerNow();
}, 1_000);
document.addEventListener('visibilitychange', () => {
  now.value = routerNow();
});
