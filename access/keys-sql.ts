/** The statements about API keys, one function each. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { StoredKey } from './api-key.ts';
import { isRole } from './roles.ts';

type KeyRow = {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly roles: string;
  readonly secret_hash: Uint8Array;
  readonly created_at: Milliseconds;
  readonly created_by: string;
  readonly expires_at: Milliseconds | null;
  readonly revoked_at: Milliseconds | null;
  readonly last_used_at: Milliseconds | null;
};

const COLUMNS = 'id, tenant, name, roles, secret_hash, created_at, created_by, expires_at, revoked_at, last_used_at';

export async function insertKey(q: Queryable, key: StoredKey): Promise<void> {
  await q.query(
    `insert into access.api_keys (id, tenant, name, roles, secret_hash, created_at, created_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      key.id,
      key.tenant,
      key.name,
      key.roles.join(','),
      key.secretHash,
      instant(key.createdAt),
      key.createdBy,
      key.expiresAt === null ? null : instant(key.expiresAt),
    ],
  );
}

export async function findKey(q: Queryable, id: string): Promise<StoredKey | undefined> {
  const rows = await q.query<KeyRow>(`select ${COLUMNS} from access.api_keys where id = $1`, [id]);
  return rows[0] && storedKey(rows[0]);
}

export async function keysOf(q: Queryable, tenant: string, most: number): Promise<StoredKey[]> {
  const rows = await q.query<KeyRow>(
    `select ${COLUMNS} from access.api_keys where tenant = $1 order by created_at desc, id limit $2`,
    [tenant, most],
  );
  return rows.map(storedKey);
}

/** The first revocation stands. Answers whether the tenant has such a key. */
export async function revoke(q: Queryable, tenant: string, id: string, now: Milliseconds): Promise<boolean> {
  const rows = await q.query(
    `update access.api_keys set revoked_at = coalesce(revoked_at, $3) where tenant = $1 and id = $2 returning id`,
    [tenant, id, instant(now)],
  );
  return rows.length > 0;
}

export async function touchKey(q: Queryable, id: string, now: Milliseconds): Promise<void> {
  await q.query('update access.api_keys set last_used_at = greatest(last_used_at, $2) where id = $1', [
    id,
    instant(now),
  ]);
}

function storedKey(row: KeyRow): StoredKey {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    // A role that this release does not know gives no right.
    roles: row.roles.split(',').filter(isRole),
    secretHash: row.secret_hash,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
