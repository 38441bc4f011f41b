/**
 * People and programs with a name and a password, as Prometheus' web configuration has them: hashes of bcrypt. A right
 * password is remembered by its digest, since each look at the hash costs a tenth of a second; wrong ones stand in a short
 * line, so that nobody keeps the process busy by guessing.
 *
 * Source: prometheus/exporter-toolkit web/handler.go.
 */
import { createHash } from 'node:crypto';
import bcrypt from 'bcryptjs';

export interface BasicUsers {
  has(name: string): boolean;
  verify(name: string, password: string): Promise<'right' | 'wrong' | 'busy'>;
  /** What a session of that user rests on; another password is another. */
  basis(name: string): string | undefined;
}

/** bcrypt reads no further. */
const PASSWORD_BYTES_MAX = 72;
const WAITING_MOST = 20;
const REMEMBERED_MOST = 1_000;
const HASH = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** Of bcrypt: 2^14 rounds are more than a second for each first request. */
const COST_MAX = 14;

/** @returns why it cannot be used. */
export function hashFault(hash: string): string | undefined {
  const cost = HASH.exec(hash)?.[1];
  if (cost === undefined) return 'is no hash of bcrypt, which begins with $2a$, $2b$ or $2y$';
  return Number(cost) > COST_MAX ? `has a cost of ${Number(cost)}, the most is ${COST_MAX}` : undefined;
}

export function makeBasicUsers(hashes: ReadonlyMap<string, string>): BasicUsers {
  // A name that nobody has takes as long as one that somebody has.
  const [nobody = ''] = hashes.values();
  const remembered = new Set<string>();
  let line: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    has: (name) => hashes.has(name),
    basis: (name) => {
      const hash = hashes.get(name);
      return hash === undefined
        ? undefined
        : createHash('sha256')
            .update(JSON.stringify([name, hash]))
            .digest('hex');
    },
    verify: async (name, password) => {
      const known = hashes.get(name);
      const digest = createHash('sha256')
        .update(JSON.stringify([name, known, password]))
        .digest('base64');
      if (remembered.has(digest)) return 'right';
      if (waiting >= WAITING_MOST) return 'busy';
      waiting++;
      const compared = line.then(async () => await bcrypt.compare(password, known ?? nobody));
      line = compared.catch(() => {});
      try {
        const right = (await compared) && known !== undefined && Buffer.byteLength(password) <= PASSWORD_BYTES_MAX;
        if (!right) return 'wrong';
        if (remembered.size >= REMEMBERED_MOST) remembered.clear();
        remembered.add(digest);
        return 'right';
      } finally {
        waiting--;
      }
    },
  };
}
