/** Looks at the processes of a stack while it is tested, and at its stores before and after. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mebibytes, milliseconds } from '#kernel/units.ts';
import type { Sample, Sizes, Use, Watch } from '#loadtests/resources.ts';
import { NO_PROC } from '#test/kit/memory.ts';
import { countProcesses, cpuSeconds, descriptors, privateMegabytes } from '#test/kit/processes.ts';
import { childrenOf } from '#test/kit/stack.ts';
import { collectGarbage } from './inspector.ts';
import type { Stack } from './stack.ts';

const LOOK_EVERY = 5_000;
/** Of its looks, one at processes that have just collected their garbage. */
const LOOKS_A_COLLECTION = 24;

/**
 * @param inspected whether its processes were started with `INSPECTED`: their garbage is then collected every two minutes.
 * @returns undefined where there is no /proc.
 */
export function watchStack(
  stack: Pick<Stack, 'processes' | 'state' | 'tables'>,
  inspected = false,
): (Watch & AsyncDisposable) | undefined {
  if (NO_PROC) return undefined;
  const samples: Sample[] = [];
  let [begun, before]: [number, Sizes] = [performance.now(), {}];
  const done = new AbortController();
  const look = async (collected: boolean) => {
    const processes = stack.processes();
    const settled = collected ? await settle(processes) : new Set<string>();
    samples.push({ at: milliseconds(performance.now() - begun), uses: usesOf(processes, settled) });
  };
  const loop = async () => {
    for (let looks = 1; !done.signal.aborted; looks++) {
      await look(inspected && looks % LOOKS_A_COLLECTION === 0);
      await sleep(LOOK_EVERY, undefined, { signal: done.signal }).catch(() => {});
    }
  };
  let looping = Promise.resolve();
  const stop = async () => {
    done.abort();
    await looping;
  };
  return {
    begin: async () => {
      before = await sizesOf(stack);
      begun = performance.now();
      looping = loop();
    },
    end: async () => {
      await stop();
      await look(false);
      return { samples, before, after: await sizesOf(stack) };
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** @returns the names of those that collected their garbage. */
async function settle(processes: ReadonlyMap<string, number>): Promise<ReadonlySet<string>> {
  const asked = [...processes].map(async ([name, pid]) => ((await collectGarbage(pid)) ? [name] : []));
  return new Set((await Promise.all(asked)).flat());
}

function usesOf(processes: ReadonlyMap<string, number>, settled: ReadonlySet<string>): Record<string, Use> {
  const theirs = new Set(processes.values());
  const all = new Map<string, readonly number[]>([...processes].map(([name, pid]) => [name, [pid]]));
  // A supervisor of theirs is none of ours either.
  const isTheirs = (pid: number) => theirs.has(pid) || childrenOf(pid).some((child) => theirs.has(child.pid));
  const k6 = childrenOf(process.pid).flatMap(({ pid }) => (isTheirs(pid) ? [] : [pid]));
  all.set('k6', k6);
  return Object.fromEntries(
    [...all].map(([name, pids]) => {
      const use = useOf(pids);
      return [name, settled.has(name) ? { ...use, settledBytes: use.privateBytes } : use];
    }),
  );
}

const useOf = (pids: readonly number[]): Use => {
  const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0);
  return {
    cpuSeconds: sum(cpuSeconds),
    privateBytes: sum((pid) => mebibytes(privateMegabytes(pid))),
    descriptors: sum(descriptors),
    processes: sum(countProcesses),
  };
};

async function sizesOf({ state, tables }: Pick<Stack, 'state' | 'tables'>): Promise<Sizes> {
  const folders = readdirSync(state, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const stores = folders.map(({ name }) => [`folder ${name}`, bytesIn(join(state, name))] as const);
  return Object.fromEntries([...stores, ...(await tables())]);
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).reduce((sum, entry) => {
    const found = entry.isFile() ? statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false }) : undefined;
    return sum + (found?.size ?? 0);
  }, 0);
}
