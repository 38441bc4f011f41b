/** A list that goes on: the first page is kept fresh, further ones are asked for by the reader. */
import { useState } from 'preact/hooks';
import { below } from '#console/web/text/paged.ts';
import { tellFault } from './acts.ts';
import { get, type Query } from './api.ts';
import { type Options, type Resource, useResource } from './resource.ts';
import type { Page } from './wire.ts';

export type Paged<T> = {
  readonly first: Resource<Page<T>>;
  /** Beyond the first page, as they were when they were asked for. */
  readonly rest: readonly T[];
  readonly more: (() => Promise<void>) | undefined;
};

const NONE = { items: [], nextCursor: null };

/** @param query part of what it is: another one is another list, from its beginning. */
export function usePaged<T extends { readonly id: string | number }>(
  path: string,
  query: Query,
  options: Options,
): Paged<T> {
  const key = `${path}?${JSON.stringify(query)}`;
  const first = useResource<Page<T>>({ key, load: (signal) => get(path, query, signal), options });
  const [beyond, setBeyond] = useState<{ key: string; items: readonly T[]; cursor: string | null }>();
  const mine = beyond?.key === key ? beyond : undefined;
  const state = first.state.value;
  const fresh = state.kind === 'ready' ? state.value : NONE;
  const cursor = mine === undefined || fresh.nextCursor === null ? fresh.nextCursor : mine.cursor;
  const rest = fresh.nextCursor === null ? [] : below(fresh.items, mine?.items ?? [], ({ id }) => String(id));
  const more = async () => {
    try {
      const page = await get<Page<T>>(path, { ...query, cursor: cursor ?? undefined });
      setBeyond({ key, items: [...(mine?.items ?? fresh.items), ...page.items], cursor: page.nextCursor });
    } catch (error) {
      tellFault(error);
    }
  };
  return { first, rest, more: cursor === null ? undefined : more };
}
