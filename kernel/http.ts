/**
 * The one door out to HTTP. Every call has a limit in time and in bytes, and follows no redirect unless told.
 * `guardedPost` is for addresses that strangers gave us: it resolves the name itself and connects to the address it
 * judged, so that a name which changes its answer between the check and the call cannot lead inside.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { lookup as resolve } from 'node:dns/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Fault } from './errors.ts';
import type { Bytes, Milliseconds } from './units.ts';

export type HttpRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData;
  readonly timeout: Milliseconds;
  readonly signal?: AbortSignal;
  /** `begun` when it waits for a connection, `sent` when its first byte is written: after that the other side may know. */
  readonly onProgress?: (at: Progress) => void;
};
export type Progress = 'begun' | 'sent';

export type Http = (url: string, request: HttpRequest) => Promise<Response>;

export const http: Http = async (url, request) => {
  const { timeout, signal, onProgress, ...rest } = request;
  const limit = AbortSignal.timeout(timeout);
  const call = () =>
    fetch(url, { redirect: 'manual', ...rest, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  return await (onProgress === undefined ? call() : watched.run(onProgress, call));
};

/** Every address that a name has now, IPv6 in brackets. @throws {Fault} `no_address`: it has none, or nobody says in time. */
export async function addressesOf(host: string, timeout: Milliseconds): Promise<string[]> {
  const late = Promise.withResolvers<never>();
  const limit = AbortSignal.timeout(timeout);
  limit.addEventListener('abort', () => late.reject(limit.reason), { once: true });
  try {
    const found = await Promise.race([resolve(host, { all: true }), late.promise]);
    return [...new Set(found.map(({ address, family }) => (family === 6 ? `[${address}]` : address)))].sort();
  } catch (cause) {
    throw new Fault('no_address', `Cannot find an address of ${host}`, { cause, retryable: true });
  }
}

/** `fetch` does not say how far a request came; the client under it tells it to whoever listens to its channels. */
const watched = new AsyncLocalStorage<(at: Progress) => void>();
const watchers = new WeakMap<object, (at: Progress) => void>();
subscribe('undici:request:create', (message) => {
  const watcher = watched.getStore();
  if (watcher === undefined) return;
  watchers.set((message as { request: object }).request, watcher);
  watcher('begun');
});
subscribe('undici:client:sendHeaders', (message) => watchers.get((message as { request: object }).request)?.('sent'));

/** For vendor clients that take a `fetch` of their own; they set timeout and signal themselves. */
export const vendorFetch: typeof fetch = (input, init) => fetch(input, init);

/** @throws {Fault} `response_too_large` as soon as more than `most` bytes have come. */
export async function readLimited(response: Response, most: Bytes): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.byteLength;
    if (size > most) throw new Fault('response_too_large', `Cannot read the answer: it has more than ${most} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

export type GuardedAnswer = { readonly status: number; readonly retryAfter: string | undefined };
export type GuardedOptions = {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: Milliseconds;
  readonly signal?: AbortSignal;
  /** Hosts that may be private: an operator's own list, exact names. */
  readonly allowedPrivateHosts: readonly string[];
};

/** Posts to a stranger's address. Only http(s), no credentials in the URL, only public unicast addresses. */
export async function guardedPost(url: string, body: string, options: GuardedOptions): Promise<GuardedAnswer> {
  const target = new URL(url);
  const address = await permittedAddress(target, options.allowedPrivateHosts);
  const limit = AbortSignal.timeout(options.timeout);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  const send = target.protocol === 'https:' ? requestHttps : requestHttp;
  return await new Promise<GuardedAnswer>((done, fail) => {
    const outgoing = send(target, {
      method: 'POST',
      signal,
      agent: false,
      headers: { ...options.headers, 'content-length': Buffer.byteLength(body) },
      lookup: (_name, how, answer) => {
        const family = isIP(address);
        if (how.all) answer(null, [{ address, family }]);
        else answer(null, address, family);
      },
    });
    outgoing.on('response', (incoming) => {
      incoming.resume(); // the body is a stranger's: not kept
      done({ status: incoming.statusCode ?? 0, retryAfter: incoming.headers['retry-after'] });
      incoming.on('error', () => {});
      incoming.destroy();
    });
    outgoing.on('error', fail);
    outgoing.end(body);
  });
}

/** @throws {Fault} `target_forbidden` with the reason; the address that may be connected to otherwise. */
async function permittedAddress(target: URL, allowedPrivateHosts: readonly string[]): Promise<string> {
  checkTargetShape(target);
  const name = target.hostname.replace(/^\[|\]$/g, '');
  const found = await resolve(name, { all: true }).catch((cause: unknown) => {
    throw new Fault('target_unresolved', `Cannot resolve "${name}"`, { retryable: true, cause });
  });
  const allowed = allowedPrivateHosts.includes(name);
  const refused = found.find(({ address }) => !allowed && !isPublicAddress(address));
  if (refused) {
    // Without the address: whoever may name a target could look up the network's names by it.
    throw new Fault('target_forbidden', `Cannot post to "${name}": it leads to an address that is not public`);
  }
  const first = found[0];
  if (!first) throw new Fault('target_unresolved', `Cannot resolve "${name}"`, { retryable: true });
  return first.address;
}

/** What can be said of a target before its name is resolved. @throws {Fault} `target_forbidden`. */
export function checkTargetShape(target: URL): void {
  if (target.protocol !== 'http:' && target.protocol !== 'https:') {
    throw new Fault('target_forbidden', `Cannot post to a ${target.protocol} address: only http and https are allowed`);
  }
  if (target.username !== '' || target.password !== '') {
    throw new Fault('target_forbidden', 'Cannot post to an address with a user name or password in it');
  }
}

/** Public unicast only; an IPv4 address inside IPv6 (mapped, 6to4, NAT64, Teredo) is not believed. */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}
