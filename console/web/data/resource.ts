/**
 * Something of the router's that a page shows, kept fresh while it is shown: asked for at once, again when an event says
 * that it changed, again now and then, and at once when a stream or a page comes back. What was known stays on the page,
 * marked, when asking fails.
 */
import { type Signal, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Problem } from './api.ts';
import { type EventName, onEvent } from './stream.ts';

export type Loaded<T> =
  | { readonly kind: 'loading' }
  /** `problem`: it could not be asked for again since `at`. */
  | { readonly kind: 'ready'; readonly value: T; readonly at: number; readonly problem: Problem | undefined }
  | { readonly kind: 'failed'; readonly problem: Problem };

export type Options = {
  /** Milliseconds between two askings, where nothing else is a reason for one. */
  readonly every: number;
  readonly on?: readonly EventName[];
  readonly wanted?: boolean;
};
export type Resource<T> = {
  readonly state: Signal<Loaded<T>>;
  readonly reload: () => void;
};

type Entry = Resource<unknown> & { users: number; options: Options; start(): void; stop(): void };

/** Shown at once when a reader comes back to a page; asked for anew all the same. */
const entries = new Map<string, Entry>();
const KEPT_MOST = 60;
/** A storm of events is one reason to ask, not a thousand. */
const SETTLE = 150;

/** @param key what it is: two parts of a page that name the same share one asking. */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>, options: Options): Resource<T> {
  const entry = entries.get(key) ?? makeEntry(key, load, options);
  const wanted = options.wanted ?? true;
  useEffect(() => {
    if (!wanted) return;
    if (entry.users++ === 0) entry.start();
    return () => {
      if (--entry.users === 0) entry.stop();
    };
  }, [entry, wanted]);
  return entry as Resource<T>;
}

function makeEntry(key: string, load: (signal: AbortSignal) => Promise<unknown>, options: Options): Entry {
  const state = signal<Loaded<unknown>>({ kind: 'loading' });
  let [asking, timer, leave]: [AbortController | undefined, ReturnType<typeof setTimeout> | undefined, () => void] = [
    undefined,
    undefined,
    () => {},
  ];
  const later = (wait: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), wait);
  };
  const ask = async () => {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    try {
      const value = await load(mine.signal);
      if (!mine.signal.aborted) state.value = { kind: 'ready', value, at: Date.now(), problem: undefined };
    } catch (error) {
      if (mine.signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem(0, 'fault', String(error));
      const known = state.value;
      state.value = known.kind === 'ready' ? { ...known, problem } : { kind: 'failed', problem };
    }
    if (!mine.signal.aborted) later(document.hidden ? options.every * 6 : options.every);
  };
  const shown = () => {
    if (!document.hidden) later(0);
  };
  const entry: Entry = {
    state,
    users: 0,
    options,
    reload: () => later(0),
    start: () => {
      void ask();
      document.addEventListener('visibilitychange', shown);
      leave = onEvent((name) => {
        if (name === 'back' || name === 'gap' || options.on?.includes(name)) later(SETTLE);
      });
    },
    stop: () => {
      asking?.abort();
      clearTimeout(timer);
      leave();
      document.removeEventListener('visibilitychange', shown);
    },
  };
  entries.set(key, entry);
  for (const [old, { users }] of entries) {
    if (entries.size <= KEPT_MOST) break;
    if (users === 0 && old !== key) entries.delete(old);
  }
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
