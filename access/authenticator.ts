/**
 * From a request's headers and address to somebody known, or to a refusal with its reason.
 *
 * Without a credential there is `anonymous`, where the configuration allows it: on loopback a developer needs no key. A
 * credential that is given must be right all the same, so that a typing error is found on the laptop and not in
 * production. A browser can be made to speak to loopback by any page it has open, so there a request that names another
 * host (DNS rebinding) or comes from another site is nobody's.
 *
 * A session's cookie is sent by the browser whoever asked for it: it counts for the console's own pages alone, and one
 * that does not count, or is over, is as if there were none.
 */
import type { Clock } from '#kernel/clock.ts';
import type { Rate } from '#kernel/token-bucket.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type AddressList, isListed } from './addresses.ts';
import type { BasicUsers } from './basic-users.ts';
import type { JwtOutcome } from './jwt.ts';
import type { KeyFacts, Keys } from './keys.ts';
import { changeCounts, cookieCounts, type Headers } from './provenance.ts';
import { makeRateLimiter, type RateLimiter } from './rate-limit.ts';
import { DEFAULT_TENANT, type Principal, ROLES } from './roles.ts';
import type { Grounds, Sessions } from './sessions.ts';
import type { StoredSession } from './sessions-sql.ts';

/** Why a request is nobody's; also a metric's label. */
export const REFUSALS = [
  'missing',
  'malformed',
  'unknown',
  'revoked',
  'expired',
  'invalid',
  'address',
  'cross_site',
  'rate_limited',
] as const;
export type RefusalReason = (typeof REFUSALS)[number];

export type Refusal = {
  readonly kind: 'refused';
  readonly reason: RefusalReason;
  readonly status: 401 | 403 | 429;
  /** For whoever asks: says what is wrong and never what was given. */
  readonly message: string;
  /** For `Retry-After`. */
  readonly wait?: Milliseconds;
};
export type Known = {
  readonly kind: 'known';
  readonly principal: Principal;
  /** Of a credential that a session may be begun with. */
  readonly grounds?: Grounds;
};
export type Authentication = Known | Refusal;

export type AuthenticatorOptions = {
  readonly clock: Clock;
  readonly keys: Keys;
  readonly jwt?: (token: string) => Promise<JwtOutcome>;
  /** What sessions may rest on that were begun with a token. */
  readonly jwtBases?: ReadonlySet<string>;
  readonly sessions?: Sessions;
  /** With a name and a password; they may do everything. */
  readonly users?: BasicUsers;
  /** Who may come without a credential: `anyone` is `--insecure-no-auth`, `nobody` is a must off loopback. */
  readonly anonymous: 'nobody' | 'loopback' | 'anyone';
  /** Undefined: from everywhere. */
  readonly allowed?: AddressList;
};

export type Asking = {
  readonly headers: Headers;
  /** The peer's, as the server believes it (behind a proxy: the one it forwards). */
  readonly address: string;
  readonly method: string;
  /** `host:port` under which browsers reach this server. */
  readonly hosts: readonly string[];
  /** What stands in the cookie of the session. */
  readonly session?: string | undefined;
};
export type Authenticate = (asking: Asking) => Promise<Authentication>;

/** Wrong credentials from one address: a person errs a few times, a guesser is slowed before the database hears of it. */
const FAILURES: Rate = { perSecond: 1, burst: 20 };
const FAILING_ADDRESSES_MAX = 10_000;
const BUSY = 2_000 as Milliseconds;
/** Cookies of sessions that are not there: each is a look into the store. Those of a closed office are no guesses. */
const STRAYS: Rate = { perSecond: 20, burst: 200 };

const ANONYMOUS: Principal = { tenant: DEFAULT_TENANT, subject: 'anonymous', roles: ROLES, via: 'anonymous' };
const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

export function makeAuthenticator(options: AuthenticatorOptions): Authenticate {
  const failures = makeRateLimiter(options.clock, FAILURES, FAILING_ADDRESSES_MAX);
  const strays = makeRateLimiter(options.clock, STRAYS, FAILING_ADDRESSES_MAX);
  return async (asking) => {
    const { headers, address } = asking;
    if (options.allowed && !isListed(options.allowed, address)) return refusal('address');
    const given = credentialOf(headers);
    if (given.kind === 'none') {
      const signedIn = asking.session === undefined ? undefined : await bySession(options, asking, strays);
      if (signedIn?.kind === 'known' || signedIn?.reason === 'rate_limited') return signedIn;
      const nobody = withoutCredential(options.anonymous, asking);
      return nobody.kind === 'refused' && nobody.reason === 'missing' ? (signedIn ?? nobody) : nobody;
    }
    if (given.kind === 'malformed') return refusal('malformed');
    // A password that the browser remembers it adds to every site's requests.
    if (given.user !== undefined && !changeCounts(asking.method, headers, asking.hosts)) return refusal('cross_site');
    const room = failures.peek(address);
    if (room.kind === 'refused') return { ...refusal('rate_limited'), wait: room.wait };
    const answer = await judge(options, given);
    if (answer.kind === 'known') return answer;
    // Those that came at once all passed the look above: each is counted by itself, and beyond the burst told nothing.
    const taken = failures.take(address);
    return taken.kind === 'granted' ? answer : { ...refusal('rate_limited'), wait: taken.wait };
  };
}

async function judge({ keys, jwt, users }: AuthenticatorOptions, { text, user }: Given): Promise<Authentication> {
  if (users !== undefined && user !== undefined && (users.has(user) || !text.startsWith('bl_'))) {
    const verdict = await users.verify(user, text);
    if (verdict === 'busy') return { ...refusal('rate_limited'), wait: BUSY };
    if (verdict === 'wrong') return { ...refusal('invalid'), message: 'The name or the password is wrong.' };
    const principal: Principal = { tenant: DEFAULT_TENANT, subject: `basic:${user}`, roles: ROLES, via: 'basic' };
    const basis = users.basis(user);
    return { kind: 'known', principal, ...(basis === undefined ? {} : { grounds: { basis } }) };
  }
  if (text.startsWith('bl_')) {
    const outcome = await keys.verify(text);
    if (outcome.kind === 'refused') return refusal(outcome.verdict);
    const { id, expiresAt } = outcome.key;
    const until = expiresAt === null ? {} : { until: expiresAt };
    return { kind: 'known', principal: ofKey(outcome.key), grounds: { basis: id, ...until } };
  }
  if (jwt === undefined) return refusal('malformed');
  const outcome = await jwt(text);
  if (outcome.kind === 'valid') return { kind: 'known', principal: outcome.principal, grounds: outcome.grounds };
  return { ...refusal(outcome.verdict), message: `The token was refused: ${outcome.because}` };
}

const ofKey = ({ tenant, id, roles, name }: KeyFacts): Principal => ({
  tenant,
  subject: `key:${id}`,
  roles,
  via: 'key',
  name,
});

async function bySession(options: AuthenticatorOptions, asking: Asking, strays: RateLimiter): Promise<Authentication> {
  const { session: token = '', method, headers, hosts, address } = asking;
  if (!cookieCounts(method, headers, hosts)) return { ...refusal('cross_site'), message: NOT_OUR_PAGE };
  const room = strays.peek(address);
  if (room.kind === 'refused') return { ...refusal('rate_limited'), wait: room.wait };
  const found = await options.sessions?.find(token);
  const principal = found && (await standing(options, found));
  if (found === undefined || principal === undefined) {
    const taken = strays.take(address);
    if (taken.kind === 'refused') return { ...refusal('rate_limited'), wait: taken.wait };
    return { ...refusal('expired'), message: SESSION_OVER };
  }
  return { kind: 'known', principal: { ...principal, session: { id: found.id, until: found.expiresAt } } };
}

/** Whoever the session is of, as long as that with which it was begun is still good. */
async function standing(
  { keys, users, jwtBases }: AuthenticatorOptions,
  { via, basis, tenant, subject, roles, name }: StoredSession,
): Promise<Principal | undefined> {
  switch (via) {
    case 'key': {
      const outcome = await keys.standing(basis);
      return outcome.kind === 'valid' ? ofKey(outcome.key) : undefined;
    }
    case 'basic':
      if (users?.basis(subject.replace(/^basic:/, '')) !== basis) return undefined;
      break;
    case 'jwt':
      if (!jwtBases?.has(basis)) return undefined;
      break;
    default:
      return via satisfies never;
  }
  return { tenant, subject, roles, via, ...(name === null ? {} : { name }) };
}

function withoutCredential(anonymous: AuthenticatorOptions['anonymous'], asking: Asking): Authentication {
  const counts = changeCounts(asking.method, asking.headers, asking.hosts);
  switch (anonymous) {
    case 'nobody':
      return refusal('missing');
    case 'loopback':
      return counts && isSameSite(asking.headers) ? { kind: 'known', principal: ANONYMOUS } : refusal('cross_site');
    case 'anyone':
      return counts ? { kind: 'known', principal: ANONYMOUS } : { ...refusal('cross_site'), message: NOT_SAME_ORIGIN };
    default:
      return anonymous satisfies never;
  }
}

/** Browsers send Sec-Fetch-Site themselves and no page can change it; other programs send neither it nor Origin. */
function isSameSite(headers: Headers): boolean {
  const site = single(headers['sec-fetch-site']);
  if (site !== undefined && site !== 'same-origin' && site !== 'same-site' && site !== 'none') return false;
  const host = single(headers['host']) ?? single(headers[':authority']);
  if (host !== undefined && !LOOPBACK_NAME.test(host)) return false;
  const origin = single(headers['origin']);
  return origin === undefined || LOOPBACK_NAME.test(URL.parse(origin)?.host ?? '');
}

/** The name is that of basic authentication. */
type Given = { readonly text: string; readonly user?: string | undefined };
type Credential = { readonly kind: 'none' } | { readonly kind: 'malformed' } | ({ readonly kind: 'given' } & Given);

/** `Authorization: Bearer`, `Authorization: Basic` with the key as password (for tools that know no other), `X-API-Key`. */
export function credentialOf(headers: Headers): Credential {
  const authorization = headers['authorization'];
  const apiKey = headers['x-api-key'];
  if (authorization === undefined && apiKey === undefined) return { kind: 'none' };
  const authorized = authorization === undefined ? undefined : fromAuthorization(single(authorization) ?? '');
  const texts = [
    ...(authorization === undefined ? [] : [authorized?.text]),
    ...(apiKey === undefined ? [] : [single(apiKey)?.trim()]),
  ];
  const [text] = texts;
  if (text === undefined || text === '' || texts.some((other) => other !== text)) return { kind: 'malformed' };
  return { kind: 'given', text, ...(authorized?.user === undefined ? {} : { user: authorized.user }) };
}

function fromAuthorization(value: string): Given | undefined {
  const [, scheme = '', rest = ''] = /^(\S+) +(\S+)$/.exec(value.trim()) ?? [];
  if (/^bearer$/i.test(scheme)) return { text: rest };
  if (!/^basic$/i.test(scheme)) return undefined;
  const pair = Buffer.from(rest, 'base64').toString();
  const at = pair.indexOf(':');
  return at < 0 ? undefined : { user: pair.slice(0, at), text: pair.slice(at + 1) };
}

const single = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

const SESSION_OVER = 'The session is over: sign in again.';
const NOT_OUR_PAGE =
  'A session counts for the console’s own pages: same origin, and with the header X-Burnline-Console: 1 where something is changed. Behind a proxy, ROUTER_EXTERNAL_URL says what the origin is.';
const NOT_SAME_ORIGIN =
  'Pages of other web sites may change nothing here. ROUTER_EXTERNAL_URL says what the origin is.';

const MESSAGES: Record<RefusalReason, readonly [status: 401 | 403 | 429, message: string]> = {
  missing: [401, 'A key is needed here: send "Authorization: Bearer <key>". `burnline keys create` makes one.'],
  malformed: [401, 'The credential is of no known form: send "Authorization: Bearer <key or token>".'],
  unknown: [401, 'The key is not known here.'],
  revoked: [401, 'The key was revoked.'],
  expired: [401, 'The key or token has expired.'],
  invalid: [401, 'The token was refused.'],
  address: [403, 'Requests from this address are not allowed.'],
  cross_site: [403, 'Without a key, requests are taken only from this machine and not from other web sites.'],
  rate_limited: [429, 'Too many wrong credentials came from this address.'],
};

function refusal(reason: RefusalReason): Refusal {
  const [status, message] = MESSAGES[reason];
  return { kind: 'refused', reason, status, message };
}
