/** A key in a file, for a program that reads it from there. Made once: whoever runs it again finds it made. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseKey } from '#access/api-key.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { KeysClient, KeyWish } from './keys-client.ts';

export type KeyPlace = { readonly file: string; readonly mode: number };
export type KeptKey = { readonly id: string; readonly kept: boolean };

/**
 * Leaves the file alone while the store knows its key, by that name and those roles; else writes a new one in its place,
 * whole. @throws {Fault} when the store cannot be asked.
 */
export async function keepKey(
  client: KeysClient,
  wish: KeyWish,
  { file, mode }: KeyPlace,
  now: Milliseconds,
): Promise<KeptKey> {
  const there = parseKey(contentOf(file).trim());
  const known = there && (await client.list()).find(({ id }) => id === there.id);
  if (
    known?.revokedAt === null &&
    (known.expiresAt === null || Date.parse(known.expiresAt) > now) &&
    known.name === wish.name &&
    known.roles.toSorted().join() === wish.roles.toSorted().join()
  ) {
    return { id: known.id, kept: true };
  }
  const { id, key } = await client.create(wish);
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, key, { mode: 0o600 });
  // Not at its making: what the process masks out would be missing.
  chmodSync(draft, mode);
  renameSync(draft, file);
  return { id, kept: false };
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
