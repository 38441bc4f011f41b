/** What kind of screen it is, as it changes. */
import { type ReadonlySignal, signal } from '@preact/signals';

function matches(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query);
  const found = signal(list.matches);
  list.addEventListener('change', () => {
    found.value = list.matches;
  });
  return found;
}

export const isNarrow = matches('(max-width: 60rem)');
export const isDark = matches('(prefers-color-scheme: dark)');
