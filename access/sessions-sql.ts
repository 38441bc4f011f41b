/** The statements about sessions, one function each. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { isRole, type Principal } from './roles.ts';

export type StoredSession = {
  readonly id: string;
  readonly tenant: string;
  readonly subject: string;
  readonly name: string | null;
  readonly roles: Principal['roles'];
  readonly via: 'key' | 'jwt' | 'basic';
  readonly basis: string;
  readonly expiresAt: Milliseconds;
};
type Row = Omit<StoredSession, 'roles'> & { readonly roles: string };

const COLUMNS = 'id, tenant, subject, name, roles, via, basis, expires_at as "expiresAt"';

export async function insertSession(
  q: Queryable,
  hash: Uint8Array,
  session: StoredSession,
  now: Milliseconds,
): Promise<void> {
  await q.query(
    `insert into access.sessions (token_hash, id, tenant, subject, name, roles, via, basis, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      hash,
      session.id,
      session.tenant,
      session.subject,
      session.name,
      session.roles.join(','),
      session.via,
      session.basis,
      instant(now),
      instant(session.expiresAt),
    ],
  );
}

/** One that is not over. */
export async function findSession(
  q: Queryable,
  hash: Uint8Array,
  now: Milliseconds,
): Promise<StoredSession | undefined> {
  const rows = await q.query<Row>(`select ${COLUMNS} from access.sessions where token_hash = $1 and expires_at > $2`, [
    hash,
    instant(now),
  ]);
  return rows[0] && stored(rows[0]);
}

export async function deleteSession(q: Queryable, hash: Uint8Array): Promise<StoredSession | undefined> {
  const rows = await q.query<Row>(`delete from access.sessions where token_hash = $1 returning ${COLUMNS}`, [hash]);
  return rows[0] && stored(rows[0]);
}

export async function deleteExpiredSessions(q: Queryable, now: Milliseconds): Promise<void> {
  await q.query('delete from access.sessions where expires_at <= $1', [instant(now)]);
}

/** The newest stay. */
export async function deleteOldestSessions(q: Queryable, tenant: string, subject: string, most: number): Promise<void> {
  await q.query(
    `delete from access.sessions where token_hash in (
       select token_hash from access.sessions where tenant = $1 and subject = $2
       order by created_at desc, token_hash offset $3)`,
    [tenant, subject, most],
  );
}

// A role that this release does not know gives no right.
const stored = (row: Row): StoredSession => ({ ...row, roles: row.roles.split(',').filter(isRole) });
