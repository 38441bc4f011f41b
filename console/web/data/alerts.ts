/** All alerts that fire: by Alertmanager's own API, page by page, as the reader comes near their end. */
import { signal } from '@preact/signals';
import { asProblem, getLinked, type Problem } from './api.ts';
import type { ListedAlert } from './wire.ts';

export type AlertList =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly problem: Problem }
  | {
      readonly kind: 'ready';
      readonly items: readonly ListedAlert[];
      readonly hasMore: boolean;
      /** Why the next ones could not be asked for; those before stay. */
      readonly problem: Problem | undefined;
    };

const LIMIT = 500;

/** @param filters matchers as Alertmanager writes them, such as `severity="critical"` */
export function makeAlertList(filters: readonly string[]) {
  const list = signal<AlertList>({ kind: 'loading' });
  let [next, asking]: [string | undefined, boolean] = [
    `api/v2/alerts?${new URLSearchParams([['limit', String(LIMIT)], ...filters.map((one) => ['filter', one])])}`,
    false,
  ];
  const more = async () => {
    if (next === undefined || asking) return;
    asking = true;
    const before = list.value.kind === 'ready' ? list.value.items : [];
    try {
      const page = await getLinked<ListedAlert[]>(next);
      next = page.next;
      list.value = {
        kind: 'ready',
        items: [...before, ...page.value],
        hasMore: next !== undefined,
        problem: undefined,
      };
    } catch (error) {
      const problem = asProblem(error);
      const known = list.value;
      list.value = known.kind === 'ready' ? { ...known, problem } : { kind: 'failed', problem };
    } finally {
      asking = false;
    }
  };
  return { list, more };
}
