/** Who a JSON Web Token speaks for, if it is one of ours. RFC 7519, with RFC 8725's advice. */
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Clock } from '#kernel/clock.ts';
import type { Seconds } from '#kernel/units.ts';
import type { JwtKey } from './jwt-keys.ts';
import { isRole, isTenant, type Principal } from './roles.ts';

export type JwtOptions = {
  readonly keys: readonly JwtKey[];
  /** Both are required: a token that another service accepts is not therefore ours. */
  readonly issuer: string;
  readonly audience: string;
};

export type JwtOutcome =
  | { readonly kind: 'valid'; readonly principal: Principal }
  | { readonly kind: 'refused'; readonly verdict: 'malformed' | 'expired' | 'invalid'; readonly because: string };

/** For clocks that differ a little. */
export const CLOCK_TOLERANCE = 30 as Seconds;
/** A header of 16 kB is the most that Node takes; no token of ours needs half. */
const TOKEN_CHARS_MAX = 8_192;
const SUBJECT_CHARS_MAX = 128;
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export function makeJwtVerifier(options: JwtOptions, clock: Clock): (token: string) => Promise<JwtOutcome> {
  return async (token) => {
    const header = token.length <= TOKEN_CHARS_MAX && TOKEN.test(token) ? headerOf(token) : undefined;
    if (header === undefined) return refuse('malformed', 'it is not a JSON Web Token');
    const candidates = options.keys.filter(
      ({ algorithm, id }) =>
        algorithm === header.alg && (header.kid === undefined || id === undefined || id === header.kid),
    );
    if (candidates.length === 0) return refuse('invalid', 'no key here fits its algorithm and key id');
    let last: JwtOutcome = refuse('invalid', 'its signature is not ours');
    for (const { algorithm, key } of candidates) {
      try {
        const { payload } = await jwtVerify(token, key, { ...claimRules(options, clock), algorithms: [algorithm] });
        return principalOf(payload);
      } catch (error) {
        last = refusalOf(error);
        // Only another key can make a wrong signature right.
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) return last;
      }
    }
    return last;
  };
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

function principalOf(payload: JWTPayload): JwtOutcome {
  const { sub, tenant, roles } = payload;
  if (typeof sub !== 'string' || sub === '' || sub.length > SUBJECT_CHARS_MAX) {
    return refuse('invalid', `its claim "sub" must be 1 to ${SUBJECT_CHARS_MAX} characters`);
  }
  if (!isTenant(tenant)) return refuse('invalid', 'its claim "tenant" is not a tenant’s name');
  if (!Array.isArray(roles)) return refuse('invalid', 'its claim "roles" must be a list');
  // A role that this release does not know gives no right.
  return { kind: 'valid', principal: { tenant, subject: `jwt:${sub}`, roles: roles.filter(isRole), via: 'jwt' } };
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
