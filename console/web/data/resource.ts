/**
 * Something of the router's that a page shows, kept fresh while it is shown: asked for at once, again when an event says
 * that it changed, again now and then, and at once when a stream or a page comes back. What was known stays on the page,
 * marked, when asking fails.
 */
import { type Signal, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { asProblem, type Problem } from './api.ts';
import { routerNow } from './now.ts';
import { type EventName, onEvent } from './stream.ts';

export type Loaded<T> =
  | { readonly kind: 'loading' }
  /** `problem`: it could not be asked for again since `at`, by the router's clock. */
  | { readonly kind: 'ready'; readonly value: T; readonly at: number; readonly problem: Problem | undefined }
  | { readonly kind: 'failed'; readonly problem: Problem };

export type Options = {
  /** Milliseconds between two askings, where nothing else is a reason for one. */
  readonly every: number;
  readonly on?: readonly EventName[];
};
export type Resource<T> = {
  readonly state: Signal<Loaded<T>>;
  readonly reload: () => void;
};

type Entry = Resource<unknown> & { users: number; start(): void; stop(): void };
/** What is asked for, and how: made anew wherever it is named, since the first one is kept. */
export type Wanted<T> = {
  /** What it is: two parts of a page that name the same share one asking. */
  readonly key: string;
  readonly load: (signal: AbortSignal) => Promise<T>;
  readonly options: Options;
};

/** Shown at once when a reader comes back to a page; asked for anew all the same. */
const entries = new Map<string, Entry>();
const KEPT_MOST = 60;
/** A storm of events is one reason to ask, not a thousand. */
const SETTLE = 200;

export function useResource<T>(wanted: Wanted<T>, isWanted = true): Resource<T> {
  const entry = entryOf(wanted);
  useEffect(() => {
    if (!isWanted) return;
    if (entry.users++ === 0) entry.start();
    return () => {
      if (--entry.users === 0) entry.stop();
    };
  }, [entry, isWanted]);
  return entry as Resource<T>;
}

/** Asks once, before anybody shows it: what the first page needs is on its way while it is still found out who is here. */
export const warm = (...all: readonly Wanted<unknown>[]): void => {
  for (const wanted of all) entryOf(wanted).reload();
};

function entryOf({ key, load, options }: Wanted<unknown>): Entry {
  const known = entries.get(key);
  if (known !== undefined) return known;
  const made = makeEntry(load, options);
  entries.set(key, made);
  for (const [old, { users }] of entries) {
    if (entries.size <= KEPT_MOST) break;
    if (users === 0 && old !== key) entries.delete(old);
  }
  return made;
}

function makeEntry(load: (signal: AbortSignal) => Promise<unknown>, options: Options): Entry {
  const state = signal<Loaded<unknown>>({ kind: 'loading' });
  let [asking, timer, due, leave]: [
    AbortController | undefined,
    ReturnType<typeof setTimeout> | undefined,
    number,
    () => void,
  ] = [undefined, undefined, Number.POSITIVE_INFINITY, () => {}];
  /** The earliest that was wished for. */
  const within = (wait: number) => {
    const at = performance.now() + wait;
    if (at >= due) return;
    due = at;
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), wait);
  };
  const ask = async () => {
    due = Number.POSITIVE_INFINITY;
    // What is on its way is waited for: a storm of events would never let one arrive.
    if (asking !== undefined) return within(SETTLE);
    const mine = new AbortController();
    asking = mine;
    const known = state.value;
    const found = await load(mine.signal).then(
      (value): Loaded<unknown> => ({ kind: 'ready', value, at: routerNow(), problem: undefined }),
      (error: unknown): Loaded<unknown> => {
        const problem = asProblem(error);
        return known.kind === 'ready' ? { ...known, problem } : { kind: 'failed', problem };
      },
    );
    if (mine.signal.aborted) return;
    asking = undefined;
    state.value = found;
    if (entry.users > 0) within(document.hidden ? options.every * 6 : options.every);
  };
  const shown = () => {
    if (!document.hidden) within(0);
  };
  const entry: Entry = {
    state,
    users: 0,
    reload: () => within(0),
    start: () => {
      // What was asked for ahead is on its way: it need not be asked for twice.
      if (asking === undefined) within(0);
      document.addEventListener('visibilitychange', shown);
      leave = onEvent((name) => {
        if (name === 'back' || name === 'gap' || options.on?.includes(name)) within(SETTLE);
      });
    },
    stop: () => {
      asking?.abort();
      asking = undefined;
      clearTimeout(timer);
      due = Number.POSITIVE_INFINITY;
      leave();
      document.removeEventListener('visibilitychange', shown);
    },
  };
  return entry;
}

/** After one's own act: what it changed is asked for at once. @param prefixes of the keys. */
export function reload(...prefixes: readonly string[]): void {
  for (const [key, entry] of entries) {
    if (entry.users > 0 && prefixes.some((prefix) => key.startsWith(prefix))) entry.reload();
  }
}

/** Somebody else has signed in: nothing of the one before may be seen. */
export const forget = (): void => entries.clear();
