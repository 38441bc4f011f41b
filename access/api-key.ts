/**
 * What an API key looks like, and whether one given is the one stored. Pure.
 *
 * `bl_<id>_<secret>`: the id finds the row and may be written down, the secret is 256 random bits, of which only a hash
 * is kept. Both are hexadecimal, so that a double click selects the whole and no shell needs quotes. The prefix lets
 * secret scanners find a leaked one.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '#kernel/random.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Role } from './roles.ts';

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const KEY = /^bl_([0-9a-f]{16})_([0-9a-f]{64})$/;

/** A stored key. The hash stays in this room. */
export type StoredKey = {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly secretHash: Uint8Array;
  readonly createdAt: Milliseconds;
  readonly createdBy: string;
  readonly expiresAt: Milliseconds | null;
  readonly revokedAt: Milliseconds | null;
  readonly lastUsedAt: Milliseconds | null;
};

export type GivenKey = { readonly id: string; readonly secret: Secret };

export function makeKey(random: Random): { readonly id: string; readonly key: Secret; readonly hash: Uint8Array } {
  const id = Buffer.from(random.bytes(ID_BYTES)).toString('hex');
  const hidden = Buffer.from(random.bytes(SECRET_BYTES)).toString('hex');
  return { id, key: secret(`bl_${id}_${hidden}`), hash: hashOf(hidden) };
}

export function parseKey(text: string): GivenKey | undefined {
  const [, id, hidden] = KEY.exec(text) ?? [];
  return id === undefined || hidden === undefined ? undefined : { id, secret: secret(hidden) };
}

export type KeyVerdict = 'valid' | 'unknown' | 'revoked' | 'expired';

/** What has become of a key is told only to who holds its secret; to others every key is unknown. */
export function judgeKey(given: GivenKey, stored: StoredKey | undefined, now: Milliseconds): KeyVerdict {
  const hash = hashOf(given.secret.reveal());
  // Compared even when there is nothing to compare with, so that time does not tell which ids exist.
  const same = timingSafeEqual(hash, stored === undefined ? hashOf('') : stored.secretHash);
  return stored === undefined || !same ? 'unknown' : standingOf(stored, now);
}

/** For whoever has shown its secret before. */
export function standingOf(stored: StoredKey, now: Milliseconds): Exclude<KeyVerdict, 'unknown'> {
  if (stored.revokedAt !== null) return 'revoked';
  if (stored.expiresAt !== null && stored.expiresAt <= now) return 'expired';
  return 'valid';
}

const hashOf = (text: string): Uint8Array => createHash('sha256').update(text).digest();
