/**
 * `npm start`: the roles as child processes, restarted with a budget, stopped in order. Only the supervisor hears the
 * terminal; the children hear the supervisor, and end within a second when it is gone.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Ready, Told } from './runtime.ts';

export type ChildSpec = {
  readonly name: string;
  readonly entry: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
};
export type SupervisorOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** How often a child may end within a minute: more is something that a restart does not mend. */
  readonly restarts: number;
  readonly giveUp: (name: string) => void;
};

export interface Child {
  readonly name: string;
  /** The URLs of the first start. Rejects when the child is given up before it was ready. */
  readonly ready: Promise<Readonly<Record<string, string>>>;
  /** Tells the child, now and after each start. */
  tell(word: Told): void;
  /** Asks it to stop; after `limit` ends it. */
  stop(limit: Milliseconds): Promise<void>;
}

const RESPAWN_FIRST = milliseconds(500);
const RESPAWN_MOST = milliseconds(10_000);
const BUDGET_SPAN = milliseconds(60_000);

export function superviseChild(spec: ChildSpec, { clock, log, restarts, giveUp }: SupervisorOptions): Child {
  const ready = Promise.withResolvers<Readonly<Record<string, string>>>();
  ready.promise.catch(() => {});
  const stopping = new AbortController();
  const told: Told[] = [];
  let ends: Milliseconds[] = [];
  let running: { process: ChildProcess; ended: Promise<void> } | undefined;

  const start = () => {
    const process = fork(spec.entry, [...spec.args], { env: spec.env as NodeJS.ProcessEnv, execArgv: EXEC_ARGV });
    process.on('message', (message: Ready) => {
      if (message.kind !== 'ready') return;
      ready.resolve(message.urls);
      for (const word of told) process.send(word, () => {});
    });
    const ended = new Promise<void>((resolve) => {
      process.on('exit', (code, signal) => {
        resolve();
        onEnd(signal ?? `code ${code}`, code === WRONG_USAGE);
      });
      process.on('error', () => resolve());
    });
    running = { process, ended };
  };

  const onEnd = (how: string, hopeless: boolean) => {
    running = undefined;
    if (stopping.signal.aborted) return;
    const now = clock.steady();
    ends = [...ends.filter((at) => now - at < BUDGET_SPAN), now];
    if (hopeless || ends.length > restarts) {
      log.error({ child: spec.name, how, count: ends.length }, `${spec.name} keeps ending and is given up`);
      ready.reject(new Error(`${spec.name} did not start`));
      return giveUp(spec.name);
    }
    const wait = Math.min(RESPAWN_MOST, RESPAWN_FIRST * 2 ** (ends.length - 1)) as Milliseconds;
    log.warn({ child: spec.name, how, waitMs: wait }, `${spec.name} ended and is started again`);
    clock.sleep(wait, stopping.signal).then(start, () => {});
  };

  start();
  return {
    name: spec.name,
    ready: ready.promise,
    tell: (word) => {
      told.push(word);
      // One that is not there, or not ready, hears of it when it is.
      running?.process.send(word, () => {});
    },
    stop: async (limit) => {
      stopping.abort();
      if (!running) return;
      const { process, ended } = running;
      process.kill('SIGTERM');
      const done = new AbortController();
      const late = clock.sleep(limit, done.signal).then(
        () => {
          log.warn({ child: spec.name, limitMs: limit }, `${spec.name} did not stop in time and is ended`);
          process.kill('SIGKILL');
          return ended;
        },
        () => {},
      );
      await Promise.race([ended, late]);
      done.abort();
    },
  };
}

/** The configuration is wrong: starting it again changes nothing. */
const WRONG_USAGE = 2;
const EXEC_ARGV = ['--disable-warning=ExperimentalWarning'];
