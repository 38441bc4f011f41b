/** What the tab says: the page, and how many wait for an answer, so that it is seen among other tabs. */
import { computed, effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

const page = signal('');
/** Incidents that nobody has acknowledged. */
export const waiting = signal(0);

const title = computed(() => {
  const front = waiting.value > 0 ? `(${waiting.value}) ` : '';
  return `${front}${page.value === '' ? '' : `${page.value} · `}Burnline`;
});
effect(() => {
  document.title = title.value;
});

export function useTitle(name: string): void {
  useEffect(() => {
    page.value = name;
  }, [name]);
}
