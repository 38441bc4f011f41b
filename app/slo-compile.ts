/**
 * Writes compiled rules. Everything is written beside its place first and moved there when all of it is done, so that
 * Prometheus never reads half of it.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bytes, kibibytes } from '#kernel/units.ts';
import type { Links } from '#prometheus/alerts.ts';
import { compileRules, HEAD, type LeftOut } from '#prometheus/compile.ts';
import type { Objective } from '#slo/objective.ts';

export type Outcome = {
  readonly files: readonly string[];
  /** That differ from what stands in the folder, or, of `stale`, stand there without an objective. */
  readonly changed: readonly string[];
  readonly stale: readonly string[];
  readonly leftOut: readonly LeftOut[];
};

export type Way = {
  readonly write: boolean;
  /** These are all objectives there are: what stands there of others is removed. */
  readonly removes: boolean;
};

/** @throws what the file system throws; the folder is then as it was, but for files already moved. */
export function compileInto(
  out: string,
  objectives: Iterable<Objective>,
  links: Links,
  { write, removes }: Way,
): Outcome {
  if (write) mkdirSync(out, { recursive: true });
  // In the folder itself, so that moving is one step; a checker leaves the folder alone.
  const draft = mkdtempSync(write ? join(out, '.draft-') : join(tmpdir(), 'burnline-rules-'));
  try {
    const files = new Set<string>();
    const leftOut: LeftOut[] = [];
    for (const piece of compileRules(objectives, links)) {
      if (piece.kind === 'left out') leftOut.push(piece.leftOut);
      else {
        files.add(piece.file);
        appendFileSync(join(draft, piece.file), piece.text);
      }
    }
    const changed = [...files].filter((file) => !isSame(join(draft, file), join(out, file)));
    const stale = removes ? ours(out).filter((file) => !files.has(file)) : [];
    if (write) {
      for (const file of changed) renameSync(join(draft, file), join(out, file));
      for (const file of stale) rmSync(join(out, file));
    }
    return { files: [...files].sort(), changed: changed.sort(), stale, leftOut };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const PIECE: Bytes = kibibytes(64);

/** Piece by piece: a file of thousands of objectives is 100 MB. */
function isSame(a: string, b: string): boolean {
  if (!existsSync(b) || statSync(a).size !== statSync(b).size) return false;
  const [one, other] = [openSync(a, 'r'), openSync(b, 'r')];
  try {
    const [left, right] = [Buffer.alloc(PIECE), Buffer.alloc(PIECE)];
    for (;;) {
      const length = readSync(one, left);
      readSync(other, right);
      if (length === 0) return true;
      if (left.compare(right, 0, length, 0, length) !== 0) return false;
    }
  } finally {
    closeSync(one);
    closeSync(other);
  }
}

function startOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(HEAD.length);
    return bytes.toString('utf8', 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

/** Files that an earlier run wrote: an objective that is gone must not go on paging. Others' files are not touched. */
function ours(out: string): string[] {
  if (!existsSync(out)) return [];
  return readdirSync(out)
    .filter((file) => file.endsWith('.yaml') && startOf(join(out, file)) === HEAD)
    .sort();
}
