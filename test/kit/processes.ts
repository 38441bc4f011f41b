/** What processes take, from /proc; each with all that are below it. */
import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from './stack.ts';

function tree(pid: number): number[] {
  try {
    return [pid, ...childrenOf(pid).flatMap((child) => tree(child.pid))];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

const total = (pid: number, of: (one: number) => number): number =>
  tree(pid).reduce((sum, one) => {
    try {
      return sum + of(one);
    } catch {
      return sum;
    }
  }, 0);

/** It and all that are below it. */
export const countProcesses = (pid: number): number => tree(pid).length;

/** CPU so far, in seconds, with that of children that have ended; Linux counts in hundredths. */
export const cpuSeconds = (pid: number): number =>
  total(pid, (one) => {
    const stat = readFileSync(`/proc/${one}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) / 100;
  });

const megabytes = (field: string, pid: number): number =>
  total(pid, (one) => {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${one}/status`, 'utf8'));
    return Number(found?.[1] ?? 0) / 1024;
  });

/** What several share counts for each. */
export const residentMegabytes = (pid: number): number => megabytes('VmRSS', pid);

/** Without files and shared memory. */
export const privateMegabytes = (pid: number): number => megabytes('RssAnon', pid);

/** Open files and sockets. */
export const descriptors = (pid: number): number => total(pid, (one) => readdirSync(`/proc/${one}/fd`).length);
