/** A small disk of its own, to be filled: a tmpfs, which only root may mount. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bytes, mebibytes } from '#kernel/units.ts';

export type Disk = Disposable & {
  readonly folder: string;
  /** To the last byte. */
  fill(): void;
  free(): void;
};

const PIECE = Buffer.alloc(mebibytes(1));
const SMALL = 4_096;

/** @throws with what mount said, where this machine does not allow it. */
export function mountDisk(size: Bytes): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'burnline-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=1777`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (cause) {
    rmSync(folder, { recursive: true });
    throw new Error('Cannot mount a tmpfs to be filled: it needs root and CAP_SYS_ADMIN', { cause });
  }
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill: () => {
      const file = openSync(ballast, 'a');
      try {
        for (let piece = PIECE; piece.length >= SMALL; piece = piece.subarray(0, piece.length / 2))
          writeAll(file, piece);
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]: () => {
      // Lazily: what is still open there ends with its process.
      execFileSync('umount', ['-l', folder], { stdio: 'pipe' });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Until no more fits. */
function writeAll(file: number, piece: Buffer): void {
  for (;;) {
    try {
      if (writeSync(file, piece) < piece.length) return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}
