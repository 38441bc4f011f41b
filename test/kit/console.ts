/** The console's server on a real socket and a real store, and requests as a browser writes them. */
import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AuthenticatorOptions, makeAuthenticator } from '#access/authenticator.ts';
import { type Keys, makeKeys } from '#access/keys.ts';
import type { Role } from '#access/roles.ts';
import { makeSessions } from '#access/sessions.ts';
import type { Setup } from '#alerting/setup.ts';
import { silentTelemetry } from '#collector/silent.ts';
import { besideRouter, type ConsoleOptions, consoleRoutes } from '#console/console.ts';
import { type Clock, systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import { systemRandom } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import { makeApp } from '#serving/app.ts';
import { keyRoutes } from '#serving/keys.ts';

/** Real time, which can be told that more of it has gone by. */
export function shiftedClock(): Clock & { shift(span: number): void } {
  let offset = 0;
  return {
    now: () => milliseconds(systemClock.now() + offset),
    steady: () => milliseconds(systemClock.steady() + offset),
    sleep: systemClock.sleep,
    shift: (span) => {
      offset += span;
    },
  };
}

export type ConsoleWish = Partial<Omit<AuthenticatorOptions, 'keys' | 'sessions'>> & {
  readonly prefix?: string;
  readonly external?: string;
  readonly trustProxy?: boolean;
  readonly more?: Partial<ConsoleOptions>;
};
export type ServedConsole = { readonly url: string; readonly keys: Keys; close(): Promise<void> };

export const SESSION = '/api/v1/session';
/** Answered by the same server: something to change. */
export const KEYS = '/api/v1/keys';
export const NEW_KEY = { name: 'x', roles: ['viewer'] };

/** Beside the console's routes, those of keys, which an admin may use: reading them, and changing something. */
export async function serveConsole(db: Db, wish: ConsoleWish = {}): Promise<ServedConsole> {
  const { prefix = '', external, trustProxy = false, more = {}, clock = systemClock, ...access } = wish;
  const around = { db, clock, random: systemRandom, log: silentLog };
  const keys = makeKeys(around);
  const sessions = makeSessions({ ...around, now: clock.now });
  const authenticate = makeAuthenticator({ anonymous: 'nobody', ...access, clock, keys, sessions });
  const site = { prefix, external };
  const app = await makeApp({
    ...around,
    ...besideRouter(prefix),
    telemetry: silentTelemetry,
    described: { title: 't', description: 't', version: '0' },
    authenticate,
    site,
    keyNeeded: true,
    rate: { perSecond: 10_000, burst: 10_000 },
    trustProxy,
  });
  keyRoutes(app, keys, `${prefix}/api/v1`);
  const people = new Map([['ada', { name: 'ada', displayName: 'Ada Lovelace', contacts: [] }]]);
  consoleRoutes(app, prefix, {
    site,
    sessions,
    authenticate,
    now: clock.now,
    setup: () => ({ oncall: { people } }) as unknown as Setup,
    version: '1.2.3',
    embedded: false,
    dist: '/nowhere',
    ...{ db, documents: undefined, simulators: undefined },
    links: { grafana: null, traces: null },
    ...more,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${prefix}`, keys, close: async () => void (await app.close()) };
}

export const makeKeyFor = async (keys: Keys, roles: readonly Role[], more: { expiresAt?: number } = {}) => {
  const expiry = more.expiresAt === undefined ? {} : { expiresAt: milliseconds(more.expiresAt) };
  return await keys.create({ tenant: 'default', name: 'Ann’s phone', roles, by: 'test', ...expiry });
};

export type Said = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Record<string, unknown>;
  /** The first cookie that is set, `name=value`, and its attributes. */
  readonly cookie: { readonly pair: string; readonly attributes: readonly string[] } | undefined;
};

/** `fetch` writes some headers itself and forbids others. */
export async function say(
  method: string,
  url: string,
  headers: Readonly<Record<string, string | undefined>> = {},
  body?: unknown,
): Promise<Said> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  const type =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return await new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers: { ...type, ...given } as Record<string, string>, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', async (answer) => {
      const pieces: Buffer[] = [];
      for await (const piece of answer) pieces.push(piece as Buffer);
      resolve(readSaid(answer.statusCode ?? 0, answer.headers, Buffer.concat(pieces).toString()));
    });
    outgoing.end(text);
  });
}

function readSaid(status: number, headers: IncomingHttpHeaders, text: string): Said {
  const [first] = headers['set-cookie'] ?? [];
  const [pair = '', ...attributes] = first?.split('; ') ?? [];
  const isJson = /json/.test(headers['content-type'] ?? '');
  return {
    status,
    headers,
    text,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
    cookie: first === undefined ? undefined : { pair, attributes },
  };
}

/** What the console's page sends with a change. */
export const OWN = { 'sec-fetch-site': 'same-origin', 'x-burnline-console': '1' } as const;

/** Signs in as the console's page does. */
export const signIn = async (at: Pick<ServedConsole, 'url'>, credential: object, headers = {}): Promise<Said> =>
  await say('POST', `${at.url}${SESSION}`, { ...OWN, ...headers }, credential);

/** The cookie of whoever has just signed in. */
export function cookieOf({ status, cookie, text }: Said): string {
  if (status !== 200 || cookie === undefined) throw new Error(`not signed in: ${status} ${text}`);
  return cookie.pair;
}

/** @returns the status: 200, or why not. */
export const isIn = async (at: Pick<ServedConsole, 'url'>, cookie: string, headers = {}): Promise<number> =>
  (await say('GET', `${at.url}${SESSION}`, { cookie, ...headers })).status;
