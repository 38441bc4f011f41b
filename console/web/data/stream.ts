/**
 * The router's events. Each only says that something changed: pages list anew what they show, so that a missed event, a
 * repeated one and one out of order all end the same. Whether the stream is alive is known, and shown.
 */
import { signal } from '@preact/signals';
import { BASE } from './api.ts';
import { routerNow, setClock } from './now.ts';

export const EVENTS = ['incident', 'notification', 'verdict', 'silence', 'oncall', 'gap'] as const;
export type EventName = (typeof EVENTS)[number];

export type StreamState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Nothing has come for longer than the router lets pass: what is shown may be old. `since` by the router's clock. */
  | { readonly kind: 'stale'; readonly since: number };
export const stream = signal<StreamState>({ kind: 'connecting' });

/** The router says that it is there every 5 s. */
const STALE_AFTER = 12_000;
const LOOK_EVERY = 1_000;
/** A browser gives up on an answer that is no stream, such as a proxy's error: then we ask again ourselves. */
const AGAIN_AFTER = 2_000;

type Heard = (name: EventName | 'back', data: unknown) => void;
const listeners = new Set<Heard>();

export function onEvent(hear: Heard): () => void {
  listeners.add(hear);
  return () => void listeners.delete(hear);
}

const tell: Heard = (name, data) => {
  for (const hear of listeners) hear(name, data);
};

let source: EventSource | undefined;
let heardAt = 0;
let refused = (): void => {};
let again: ReturnType<typeof setTimeout> | undefined;

/** @param onRefused the router answered, but not with a stream: why, an `EventSource` does not say. */
export function openStream(onRefused: () => void): void {
  closeStream();
  refused = onRefused;
  heardAt = Date.now();
  const opened = new EventSource(`${BASE}api/v1/events`);
  source = opened;
  opened.onopen = () => {
    const wasAway = stream.value.kind === 'stale';
    alive();
    // The events of the time without a stream went by: whoever shows something asks for all of it.
    if (wasAway) tell('back', undefined);
  };
  opened.onerror = () => {
    stale();
    if (opened.readyState !== EventSource.CLOSED) return;
    again ??= setTimeout(reopen, AGAIN_AFTER);
    refused();
  };
  opened.addEventListener('here', (event) => {
    const { at } = JSON.parse(event.data) as { at: string };
    setClock(Date.parse(at));
    alive();
  });
  for (const name of EVENTS) {
    opened.addEventListener(name, (event) => {
      alive();
      tell(name, JSON.parse(event.data));
    });
  }
}

const reopen = (): void => openStream(refused);

export function closeStream(): void {
  source?.close();
  source = undefined;
  clearTimeout(again);
  again = undefined;
}

function alive(): void {
  heardAt = Date.now();
  if (stream.value.kind !== 'live') stream.value = { kind: 'live' };
}

function stale(): void {
  if (stream.value.kind !== 'stale') stream.value = { kind: 'stale', since: routerNow() - (Date.now() - heardAt) };
}

setInterval(() => {
  if (source === undefined || Date.now() - heardAt <= STALE_AFTER) return;
  stale();
  // A way that broke without a word (a phone that changed its network) would be waited on for ever.
  reopen();
}, LOOK_EVERY);
