/**
 * One process per folder. PGlite takes no lock of its own, and two openers lose rows without a word.
 *
 * The lock is a file that names the holder's pid and when that process started: a pid alone comes round again. It is
 * stale when no living process matches both. It is made by a hard link from a file that is already written, so that
 * nobody ever reads half of it.
 */
import { execFile } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from './clock.ts';
import { Fault } from './errors.ts';
import type { Milliseconds } from './units.ts';

export type FolderLock = { release(): Promise<void> };
type Holder = { readonly pid: number; readonly started: string };

/** A holder that is on its way out may take this long. */
const PATIENCE = 5_000 as Milliseconds;
const POLL = 100 as Milliseconds;
/** The guard is held for two system calls. */
const GUARD_MOST = 2_000 as Milliseconds;

/** @throws {Fault} `folder_locked` with the holder's pid. */
export async function lockFolder(folder: string, clock: Clock): Promise<FolderLock> {
  const file = `${resolve(folder)}.lock`;
  mkdirSync(dirname(file), { recursive: true });
  const deadline = clock.steady() + PATIENCE;
  const mine: Holder = { pid: process.pid, started: await startOf(process.pid) };
  for (;;) {
    if (tryLock(file, mine)) return { release: async () => releaseLock(file, mine) };
    const holder = readHolder(file);
    if (holder && !(await isAlive(holder)) && breakLock(file, holder, clock)) continue;
    if (clock.steady() >= deadline) {
      throw new Fault(
        'folder_locked',
        `Cannot open ${folder}: process ${holder?.pid ?? '?'} has it open. Stop that process, or use another folder`,
      );
    }
    await clock.sleep(POLL);
  }
}

function tryLock(file: string, mine: Holder): boolean {
  const draft = `${file}.${mine.pid}`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

/**
 * Two that find the same stale lock must not both remove it: the second would remove the first's new one.
 * @returns false when another one is at it: look again later.
 */
function breakLock(file: string, stale: Holder, clock: Clock): boolean {
  const guard = `${file}.break`;
  try {
    linkSync(file, guard);
  } catch {
    // A process that was killed while it had the guard has left it behind. Making a link is what sets ctime.
    const age = clock.now() - (statSync(guard, { throwIfNoEntry: false })?.ctimeMs ?? clock.now());
    if (age > GUARD_MOST) rmSync(guard, { force: true });
    return false;
  }
  try {
    const now = readHolder(file);
    if (now?.pid === stale.pid && now.started === stale.started) rmSync(file, { force: true });
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

function releaseLock(file: string, mine: Holder): void {
  const holder = readHolder(file);
  if (holder?.pid === mine.pid && holder.started === mine.started) rmSync(file, { force: true });
}

/** Of a lock whose name survived a power cut and whose content did not: the process is gone with the rest. */
const NOBODY: Holder = { pid: 0, started: '' };

function readHolder(file: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return NOBODY;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.pid === NOBODY.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return (await startOf(holder.pid)) === holder.started;
}

/** When a process started, as text that is only compared. Linux counts ticks since boot; elsewhere `ps` knows. */
export async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold anything: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    // A zombie holds nothing open any more.
    return fields[0] === 'Z' ? 'ended' : `${boot.trim()}:${fields[19]}`;
  } catch {
    if (process.platform === 'linux') return 'ended';
    const run = promisify(execFile);
    const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: 'ended' }));
    return stdout.trim();
  }
}
