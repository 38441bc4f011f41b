/** The main thread of a parser child: passes jobs to the thread that parses, and ends the process when it must end. */
import { Worker } from 'node:worker_threads';
import { systemClock } from '#kernel/clock.ts';
import { type Bytes, mebibytes, milliseconds } from '#kernel/units.ts';
import type { ChildSettings, Job, Reply } from './child-protocol.ts';

/** Between two looks a library can fill some 50 MiB: measured with zero-filled buffers, the fastest there is. */
const LOOK_EVERY = milliseconds(20);
/** Deep nesting costs stack, not heap. Node's default is 4. */
const STACK_MIB = 8;

const settings = JSON.parse(process.argv[2] ?? '{}') as ChildSettings;
let busy = 0;
/** Whether the reason for the end is on its way to the parent: nothing may overtake it. */
let ending = false;

/** Nothing that runs in the other thread can hold this up. */
const end = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

function tell(reply: Reply, then?: () => void): void {
  process.send?.(reply, undefined, undefined, () => then?.());
}

function outOfMemory(): void {
  ending = true;
  tell({ kind: 'memory', used: process.memoryUsage.rss() as Bytes }, end);
}

async function watchMemory(): Promise<void> {
  for (;;) {
    await systemClock.sleep(LOOK_EVERY);
    if (busy > 0 && process.memoryUsage.rss() > settings.memory) return outOfMemory();
  }
}

function startThread(): Worker {
  const thread = new Worker(new URL('./child-thread.ts', import.meta.url), {
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: Math.floor(settings.heap / mebibytes(1)), stackSizeMb: STACK_MIB },
  });
  thread.on('online', () => tell({ kind: 'ready' }));
  thread.on('message', (reply: Reply) => {
    busy--;
    tell(reply);
  });
  thread.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') return outOfMemory();
    ending = true;
    process.stderr.write(`${error.stack}\n`, () => process.exit(1));
  });
  thread.on('exit', () => {
    if (!ending) process.exit(1);
  });
  return thread;
}

// A terminal's Ctrl-C reaches every process of the group; when to stop is the parent's to say.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', end);
if (!process.connected) end();
const thread = startThread();
process.on('message', (job: Job) => {
  busy++;
  thread.postMessage(job);
});
await watchMemory();
