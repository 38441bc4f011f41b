/** API keys of a database: made, listed, revoked, verified. */
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe, Fault } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { Random } from '#kernel/random.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { judgeKey, type KeyVerdict, makeKey, parseKey, type StoredKey, standingOf } from './api-key.ts';
import { audit } from './audit.ts';
import { findKey, insertKey, keysOf, revoke, touchKey } from './keys-sql.ts';
import { isRole, isTenant, type Role } from './roles.ts';

/** How long a key that was looked up is believed: a revocation elsewhere takes hold within this. */
export const KEY_CACHE_TTL = 5_000 as Milliseconds;
/** Looked-up ids kept, known and unknown; the oldest goes first. About 0.5 kB each. */
export const KEY_CACHE_MAX = 1_000;
/** `last_used_at` is for finding forgotten keys: a write a minute and key is enough. */
const TOUCH_EVERY = 60_000 as Milliseconds;
const NAME_CHARS_MAX = 100;
/** Keys of one tenant that a list shows. */
const LIST_MAX = 500;

export type NewKey = {
  readonly tenant: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly expiresAt?: Milliseconds;
  /** Who makes it: a principal's subject, or `cli`. */
  readonly by: string;
  readonly correlationId?: string;
};

/** A key as it may be shown. */
export type KeyFacts = Omit<StoredKey, 'secretHash'>;
export type CreatedKey = {
  readonly facts: KeyFacts;
  /** Shown once; it cannot be found again. */
  readonly key: Secret;
};
export type KeyOutcome =
  | { readonly kind: 'valid'; readonly key: KeyFacts }
  | { readonly kind: 'refused'; readonly verdict: Exclude<KeyVerdict, 'valid'> | 'malformed' };

export interface Keys {
  /** @throws {Fault} `key_invalid` naming what is wrong with the wish. */
  create(wish: NewKey): Promise<CreatedKey>;
  /** Newest first. */
  list(tenant: string): Promise<KeyFacts[]>;
  /** False when the tenant has no such key. */
  revoke(tenant: string, id: string, by: string, correlationId?: string): Promise<boolean>;
  /** @throws {DatabaseFault} when the key is not in the cache and the database cannot say. */
  verify(text: string): Promise<KeyOutcome>;
  /** The same of a key that was shown before, by its id: a session rests on it. */
  standing(id: string): Promise<KeyOutcome>;
}

type Cached = { readonly found: Promise<StoredKey | undefined>; readonly until: Milliseconds };

export function makeKeys({ db, clock, random, log }: { db: Db; clock: Clock; random: Random; log: Log }): Keys {
  const cache = new Map<string, Cached>();
  const touched = new Map<string, Milliseconds>();

  const lookUp = (id: string): Promise<StoredKey | undefined> => {
    const cached = cache.get(id);
    if (cached && clock.steady() < cached.until) return cached.found;
    cache.delete(id);
    const found = findKey(db, id);
    cache.set(id, { found, until: (clock.steady() + KEY_CACHE_TTL) as Milliseconds });
    // A failure is no answer: the next request asks again.
    found.catch(() => cache.delete(id));
    dropOldest(cache, KEY_CACHE_MAX);
    return found;
  };
  const touch = (id: string) => {
    const now = clock.now();
    const before = touched.get(id);
    if (before !== undefined && now - before < TOUCH_EVERY) return;
    touched.delete(id);
    touched.set(id, now);
    dropOldest(touched, KEY_CACHE_MAX);
    // Nobody waits for it, and nobody fails for it.
    touchKey(db, id, now).catch((error: unknown) => {
      log.warn({ keyId: id, reason: describe(error) }, 'Cannot note that a key was used');
    });
  };
  const used = (stored: StoredKey | undefined, verdict: KeyVerdict): KeyOutcome => {
    if (stored === undefined) return { kind: 'refused', verdict: 'unknown' };
    if (verdict !== 'valid') return { kind: 'refused', verdict };
    touch(stored.id);
    return { kind: 'valid', key: factsOf(stored) };
  };

  return {
    create: async (wish) => {
      checkWish(wish, clock.now());
      const { id, key, hash } = makeKey(random);
      const stored = storedFrom(wish, id, hash, clock.now());
      await db.tx(async (q) => {
        await insertKey(q, stored);
        await audit(q, entry(clock, wish.tenant, wish.by, 'keys:create', id, wish.correlationId));
      });
      return { facts: factsOf(stored), key };
    },
    list: async (tenant) => (await keysOf(db, tenant, LIST_MAX)).map(factsOf),
    revoke: async (tenant, id, by, correlationId) => {
      const done = await db.tx(async (q) => {
        const known = await revoke(q, tenant, id, clock.now());
        if (known) await audit(q, entry(clock, tenant, by, 'keys:revoke', id, correlationId));
        return known;
      });
      cache.delete(id);
      return done;
    },
    verify: async (text) => {
      const given = parseKey(text);
      if (given === undefined) return { kind: 'refused', verdict: 'malformed' };
      const stored = await lookUp(given.id);
      return used(stored, judgeKey(given, stored, clock.now()));
    },
    standing: async (id) => {
      const stored = await lookUp(id);
      return used(stored, stored === undefined ? 'unknown' : standingOf(stored, clock.now()));
    },
  };
}

function checkWish(wish: NewKey, now: Milliseconds): void {
  const refuse = (what: string) => {
    throw new Fault('key_invalid', `Cannot make a key: ${what}`);
  };
  if (!isTenant(wish.tenant)) refuse('the tenant must be 1 to 63 letters, digits, dots, dashes or underscores');
  if (wish.name.trim() === '' || wish.name.length > NAME_CHARS_MAX) {
    refuse(`the name must have 1 to ${NAME_CHARS_MAX} characters`);
  }
  if (wish.roles.length === 0 || !wish.roles.every(isRole)) refuse('it needs at least one role that exists');
  if (wish.expiresAt !== undefined && wish.expiresAt <= now) refuse('it would have expired already');
}

function storedFrom(wish: NewKey, id: string, secretHash: Uint8Array, now: Milliseconds): StoredKey {
  return {
    id,
    tenant: wish.tenant,
    name: wish.name.trim(),
    roles: [...new Set(wish.roles)],
    secretHash,
    createdAt: now,
    createdBy: wish.by,
    expiresAt: wish.expiresAt ?? null,
    revokedAt: null,
    lastUsedAt: null,
  };
}

function entry(clock: Clock, tenant: string, subject: string, action: string, target: string, correlationId?: string) {
  const shared = { at: clock.now(), tenant, subject, action, target, outcome: 'done' } as const;
  return correlationId === undefined ? shared : { ...shared, correlationId };
}

const factsOf = ({ secretHash: _, ...facts }: StoredKey): KeyFacts => facts;

/** A Map keeps the order of insertion. */
function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
