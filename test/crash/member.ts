/** One process of the product that is killed and started again, on the same port and under the same name. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Running, startRole } from '#test/kit/stack.ts';

export type Role = 'api' | 'worker' | 'service' | 'router';
export type MemberSpec = {
  readonly name: string;
  readonly role: Role;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly args: readonly string[];
};

export interface Member {
  readonly name: string;
  readonly role: Role;
  /** It was ready, and nobody has killed it since. */
  alive(): boolean;
  /** SIGKILL, at once; starts it again `pause` ms after it is gone. */
  die(pause: number): void;
  /** As `die`, and SIGKILL again `after` ms into its next start, if it is not ready by then. Resolves with what came of it. */
  dieTwice(pause: number, after: number): Promise<'killed while starting' | 'was ready before'>;
  /** Resolves when it is alive. @throws when it could not be started again. */
  up(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Asks it to end, and leaves it at that. @returns the exit code, or the signal. */
  stop(): Promise<number | string>;
  /** Of its present life. */
  pid(): number | undefined;
  /** Where its metrics are. */
  metrics(): string;
  /** What it complained about in all of its lives: warnings and errors. */
  complaints(): readonly string[];
}

const LEVEL_WARN = 40;
/** A process that does not end when told to. */
const STOP_LIMIT = 45_000;

/** @param accident is told when the process ends although nobody killed it. */
export async function startMember(spec: MemberSpec, accident: (text: string) => void): Promise<Member> {
  const { name, role } = spec;
  const past: string[] = [];
  let running: Running | undefined;
  let expected = false;
  let rising: Promise<void> = Promise.resolve();

  const start = async (spawned?: (child: ChildProcess) => void) => {
    const fresh = await startRole(role, spec.env, spec.args, spawned);
    expected = false;
    running = fresh;
    fresh.process.once('exit', (code, signal) => {
      past.push(...complaintsIn(fresh.output()));
      if (expected) return;
      accident(`${name} ended by itself (${signal ?? `code ${code}`}): ${fresh.output().slice(-1_500)}`);
    });
  };
  const fall = (): Promise<void> | undefined => {
    const victim = running;
    running = undefined;
    expected = true;
    return victim?.kill();
  };
  const rise = (after: Promise<void> | undefined, how: () => Promise<void>) => {
    rising = Promise.resolve(after).then(how);
    rising.catch((error: unknown) => accident(`${name} did not start again: ${String(error).slice(0, 3_000)}`));
  };
  await start();
  return {
    name,
    role,
    alive: () => running !== undefined,
    die: (pause) => {
      if (!running) return;
      rise(fall(), async () => {
        await sleep(pause);
        await start();
      });
    },
    dieTwice: async (pause, after) => {
      const outcome = Promise.withResolvers<Fired>();
      rise(fall(), async () => {
        await sleep(pause);
        await startUnderFire(start, () => running === undefined, { pause, after }, outcome.resolve);
      });
      rising.catch(() => outcome.resolve('was ready before'));
      return await outcome.promise;
    },
    up: async () => await rising,
    signal: (signal) => void running?.process.kill(signal),
    stop: async () => {
      await rising.catch(() => {});
      const last = running;
      if (!last) return -1;
      running = undefined;
      expected = true;
      const late = setTimeout(() => void last.kill(), STOP_LIMIT);
      try {
        return await last.stop('SIGTERM');
      } finally {
        clearTimeout(late);
      }
    },
    pid: () => running?.process.pid,
    metrics: () => `${running?.urls['metrics'] ?? ''}/metrics`,
    complaints: () => [...past, ...(running ? complaintsIn(running.output()) : [])],
  };
}

type Fired = 'killed while starting' | 'was ready before';

/** Starts it, kills it while it starts, and starts it again. */
async function startUnderFire(
  start: (spawned?: (child: ChildProcess) => void) => Promise<void>,
  isStarting: () => boolean,
  { pause, after }: { readonly pause: number; readonly after: number },
  tell: (fired: Fired) => void,
): Promise<void> {
  let killed = false;
  const strike = (child: ChildProcess) =>
    setTimeout(() => {
      killed = isStarting() && child.kill('SIGKILL');
      tell(killed ? 'killed while starting' : 'was ready before');
    }, after);
  try {
    await start(strike);
  } catch (error) {
    if (!killed) throw error;
    await sleep(pause);
    await start();
  }
}

/** The lines of warnings and errors, from the JSON log. */
function complaintsIn(output: string): string[] {
  return output.split('\n').filter((line) => {
    if (!line.startsWith('{')) return line.trim() !== '';
    const level = /"level":"?(\w+)"?/.exec(line)?.[1] ?? '';
    return Number(level) >= LEVEL_WARN || level === 'warn' || level === 'error' || level === 'fatal';
  });
}
