/** The memory of another process, as Linux tells it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export const NO_PROC = !existsSync('/proc/self/status') && 'there is no /proc here to read the memory from';
const MIB = 1024;

function field(pid: number, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) / MIB;
}

/** In MiB, with all of its threads and without its children. */
export const residentMemory = (pid: number): number => field(pid, 'VmRSS');

/** The most since `forgetPeak`, in MiB. */
export const peakMemory = (pid: number): number => field(pid, 'VmHWM');

export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');
