/** What kind of screen it is, as it changes. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';

function matches(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query);
  const found = signal(list.matches);
  list.addEventListener('change', () => {
    found.value = list.matches;
  });
  return found;
}

export const isNarrow = matches('(max-width: 60rem)');

/** As the reader chose it for this page. */
export const theme = signal<'auto' | 'light' | 'dark'>('auto');
const systemIsDark = matches('(prefers-color-scheme: dark)');
export const isDark = computed(() => (theme.value === 'auto' ? systemIsDark.value : theme.value === 'dark'));
