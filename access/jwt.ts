/** Who a JSON Web Token speaks for, if it is one of ours. RFC 7519, with RFC 8725's advice. */
import { createHash, scryptSync } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Clock } from '#kernel/clock.ts';
import { milliseconds, type Seconds } from '#kernel/units.ts';
import type { JwtKey } from './jwt-keys.ts';
import { isRole, isTenant, type Principal } from './roles.ts';
import type { Grounds } from './sessions.ts';

export type JwtOptions = {
  readonly keys: readonly JwtKey[];
  /** Both are required: a token that another service accepts is not therefore ours. */
  readonly issuer: string;
  readonly audience: string;
};

export type JwtOutcome =
  | { readonly kind: 'valid'; readonly principal: Principal; readonly grounds: Grounds }
  | { readonly kind: 'refused'; readonly verdict: 'malformed' | 'expired' | 'invalid'; readonly because: string };

/** For clocks that differ a little. */
export const CLOCK_TOLERANCE = 30 as Seconds;
/** A header of 16 kB is the most that Node takes; no token of ours needs half. */
const TOKEN_CHARS_MAX = 8_192;
const SUBJECT_CHARS_MAX = 128;
const SHARED_PRINT_BYTES = 32;
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export function makeJwtVerifier(options: JwtOptions, clock: Clock): (token: string) => Promise<JwtOutcome> {
  const bases = basesOf(options);
  return async (token) => {
    const header = token.length <= TOKEN_CHARS_MAX && TOKEN.test(token) ? headerOf(token) : undefined;
    if (header === undefined) return refuse('malformed', 'it is not a JSON Web Token');
    const candidates = options.keys.filter(
      ({ algorithm, id }) =>
        algorithm === header.alg && (header.kid === undefined || id === undefined || id === header.kid),
    );
    if (candidates.length === 0) return refuse('invalid', 'no key here fits its algorithm and key id');
    let last: JwtOutcome = refuse('invalid', 'its signature is not ours');
    for (const candidate of candidates) {
      const { algorithm, key } = candidate;
      try {
        const { payload } = await jwtVerify(token, key, { ...claimRules(options, clock), algorithms: [algorithm] });
        const until = milliseconds((payload.exp ?? 0) * 1_000);
        return principalOf(payload, { basis: bases.get(candidate) ?? '', until });
      } catch (error) {
        last = refusalOf(error);
        // Only another key can make a wrong signature right.
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) return last;
      }
    }
    return last;
  };
}

/** What sessions rest on that were begun with a token: the key that it was verified with, believed for this issuer. */
export const jwtBases = (options: JwtOptions): ReadonlySet<string> => new Set(basesOf(options).values());

function basesOf({ keys, issuer, audience }: JwtOptions): ReadonlyMap<JwtKey, string> {
  return new Map(
    keys.map((one) => [
      one,
      createHash('sha256')
        .update(JSON.stringify([issuer, audience, printOf(one)]))
        .digest('hex'),
    ]),
  );
}

/** It is stored: a shared secret could be guessed from a fast hash. */
function printOf({ key }: JwtKey): string {
  if (key.type === 'secret') return scryptSync(key.export(), 'burnline session', SHARED_PRINT_BYTES).toString('hex');
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

const claimRules = ({ issuer, audience }: JwtOptions, clock: Clock): JWTVerifyOptions => ({
  issuer,
  audience,
  clockTolerance: CLOCK_TOLERANCE,
  currentDate: new Date(clock.now()),
  requiredClaims: ['sub', 'exp', 'tenant', 'roles'],
});

/** Only to choose a key by: nothing in it is believed. */
function headerOf(token: string): { readonly alg?: unknown; readonly kid?: unknown } | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
    return typeof header === 'object' && header !== null ? header : undefined;
  } catch {
    return undefined;
  }
}

function principalOf(payload: JWTPayload, grounds: Grounds): JwtOutcome {
  const { sub, tenant, roles } = payload;
  if (typeof sub !== 'string' || sub === '' || sub.length > SUBJECT_CHARS_MAX) {
    return refuse('invalid', `its claim "sub" must be 1 to ${SUBJECT_CHARS_MAX} characters`);
  }
  if (!isTenant(tenant)) return refuse('invalid', 'its claim "tenant" is not a tenant’s name');
  if (!Array.isArray(roles)) return refuse('invalid', 'its claim "roles" must be a list');
  // A role that this release does not know gives no right.
  const principal: Principal = { tenant, subject: `jwt:${sub}`, roles: roles.filter(isRole), via: 'jwt' };
  return { kind: 'valid', principal, grounds };
}

/** In our words: the library's may quote claims. */
function refusalOf(error: unknown): JwtOutcome {
  if (error instanceof errors.JWTExpired) return refuse('expired', 'it has expired');
  if (error instanceof errors.JWTClaimValidationFailed) return refuse('invalid', claimSentence(error));
  if (error instanceof errors.JWSSignatureVerificationFailed) return refuse('invalid', 'its signature is not ours');
  return refuse('invalid', 'it cannot be verified');
}

function claimSentence({ claim, reason }: errors.JWTClaimValidationFailed): string {
  if (reason === 'missing') return `its claim "${claim}" is missing`;
  if (claim === 'nbf') return 'it is not valid yet';
  return `its claim "${claim}" is not the one expected here`;
}

const refuse = (verdict: 'malformed' | 'expired' | 'invalid', because: string) =>
  ({ kind: 'refused', verdict, because }) as const;
