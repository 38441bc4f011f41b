/**
 * Sessions of people at the console: a credential is shown once, and a cookie stands for it until it is over. Each look is
 * a look into the store, with no memory between: what was ended at one router is ended at all of them at once.
 */
import { createHash } from 'node:crypto';
import type { Db } from '#kernel/database.ts';
import type { Random } from '#kernel/random.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { hours, type Milliseconds, milliseconds, toMilliseconds } from '#kernel/units.ts';
import { audit } from './audit.ts';
import type { Principal } from './roles.ts';
import {
  deleteExpiredSessions,
  deleteOldestSessions,
  deleteSession,
  findSession,
  insertSession,
  type StoredSession,
} from './sessions-sql.ts';

/** What a credential rests on, and until when it is good: no session outlives either. */
export type Grounds = { readonly basis: string; readonly until?: Milliseconds };

/** A shift; whoever is still there signs in again. */
export const SESSION_LASTS: Milliseconds = toMilliseconds(hours(12));
/** Of one subject at once, such as browsers that share a key: the oldest ends. */
export const SESSIONS_MOST = 100;
const TOKEN_BYTES = 32;
const ID_BYTES = 8;
const TOKEN = /^[0-9a-f]{64}$/;

export type Begun = { readonly token: Secret; readonly principal: Principal };

export interface Sessions {
  /** @param before the cookie that the browser had: it is over, whoever's it was. */
  begin(who: Principal, grounds: Grounds, before: string | undefined, correlationId: string): Promise<Begun>;
  /** @throws {DatabaseFault} when the store cannot say. */
  find(token: string): Promise<StoredSession | undefined>;
  /** What is over already stays so. */
  end(token: string, correlationId: string): Promise<void>;
}

export type SessionOptions = { readonly db: Db; readonly now: () => Milliseconds; readonly random: Random };

export function makeSessions({ db, now, random }: SessionOptions): Sessions {
  const hex = (bytes: number) => Buffer.from(random.bytes(bytes)).toString('hex');
  return {
    begin: async (who, { basis, until }, before, correlationId) => {
      if (who.via === 'anonymous') throw new TypeError('nobody has no session');
      const at = now();
      const expiresAt = milliseconds(Math.min(at + SESSION_LASTS, until ?? Number.POSITIVE_INFINITY));
      const { tenant, subject, name = null, roles, via } = who;
      const session: StoredSession = { id: hex(ID_BYTES), tenant, subject, name, roles, via, basis, expiresAt };
      const token = hex(TOKEN_BYTES);
      await db.tx(async (q) => {
        await deleteExpiredSessions(q, at);
        if (before !== undefined && TOKEN.test(before)) await deleteSession(q, hashOf(before));
        await insertSession(q, hashOf(token), session, at);
        await deleteOldestSessions(q, tenant, subject, SESSIONS_MOST);
        await audit(q, { ...deed(session, at, correlationId), action: 'sessions:begin' });
      });
      return { token: secret(token), principal: { ...who, session: { id: session.id, until: expiresAt } } };
    },
    find: async (token) => (TOKEN.test(token) ? await findSession(db, hashOf(token), now()) : undefined),
    end: async (token, correlationId) => {
      if (!TOKEN.test(token)) return;
      await db.tx(async (q) => {
        const session = await deleteSession(q, hashOf(token));
        if (session !== undefined) await audit(q, { ...deed(session, now(), correlationId), action: 'sessions:end' });
      });
    },
  };
}

const hashOf = (token: string): Uint8Array => createHash('sha256').update(token).digest();

const deed = ({ id, tenant, subject }: StoredSession, at: Milliseconds, correlationId: string) =>
  ({ at, tenant, subject, target: id, outcome: 'done', correlationId }) as const;
