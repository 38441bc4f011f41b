/**
 * Makes Node processes collect their garbage, through their inspector: what they hold then is what they need. Between two
 * collections V8 keeps hundreds of megabytes that nobody asks for back, so that only this tells a leak from leisure.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { z } from 'zod';
import { http } from '#kernel/http.ts';
import { milliseconds } from '#kernel/units.ts';

/** For NODE_OPTIONS of the processes: each on a port of its own. */
export const INSPECTED = '--inspect=127.0.0.1:0';

const ANSWER_WITHIN = milliseconds(5_000);
const COLLECTED_WITHIN = 10_000;
const targets = z.tuple([z.object({ webSocketDebuggerUrl: z.url() })]);

/** @returns false: it has no inspector that answers, as whatever is no Node process. */
export async function collectGarbage(pid: number): Promise<boolean> {
  for (const port of listening(pid)) {
    const answer = await http(`http://127.0.0.1:${port}/json/list`, { timeout: ANSWER_WITHIN }).catch(() => undefined);
    const read = targets.safeParse(answer?.ok ? await answer.json().catch(() => undefined) : undefined);
    if (read.success) return await ask(read.data[0].webSocketDebuggerUrl, 'HeapProfiler.collectGarbage');
  }
  return false;
}

/** @returns whether it was answered in time. https://chromedevtools.github.io/devtools-protocol/v8/HeapProfiler/ */
async function ask(inspector: string, method: string): Promise<boolean> {
  const socket = new WebSocket(inspector);
  const answered = new Promise<boolean>((resolve) => {
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method }));
    socket.onmessage = () => resolve(true);
    socket.onclose = () => resolve(false);
    setTimeout(resolve, COLLECTED_WITHIN, false).unref();
  });
  try {
    return await answered;
  } finally {
    socket.close();
  }
}

const LISTENS = '0A';

/** Ports on IPv4. https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html */
function listening(pid: number): number[] {
  const theirs = new Set(socketsOf(pid));
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode = '']) => state === LISTENS && theirs.has(inode))
    .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16));
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode === undefined ? [] : [inode];
    });
  } catch {
    // It has ended meanwhile, or closed what was listed.
    return [];
  }
}
