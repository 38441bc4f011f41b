/** Stopping as a value: one signal that everything which waits listens to, and an order in which things close. */
import type { Clock } from './clock.ts';
import { describe } from './errors.ts';
import type { Log } from './log.ts';
import type { Milliseconds } from './units.ts';

/** npm and a terminal both deliver Ctrl-C: the second within this span is the same one. */
const SAME_SIGNAL = 1000 as Milliseconds;

/**
 * Aborts at SIGTERM or SIGINT, or when the parent goes (its IPC channel closes). A second, later signal ends the process
 * at once with 130.
 */
export function onStopSignal(
  clock: Clock,
  options: {
    readonly ignoreTerminal: boolean /** SIGHUP means something else to this role. */;
    readonly ignoreHangUp: boolean;
  },
): AbortSignal {
  const stop = new AbortController();
  let first: number | undefined;
  const heard = (name: string) => () => {
    const now = clock.steady();
    if (first !== undefined && now - first > SAME_SIGNAL) process.exit(130);
    first ??= now;
    stop.abort(new Error(`received ${name}`));
  };
  process.on('SIGTERM', heard('SIGTERM'));
  const terminal = options.ignoreTerminal ? () => {} : heard('SIGINT');
  process.on('SIGINT', terminal);
  process.on('SIGHUP', options.ignoreTerminal || options.ignoreHangUp ? () => {} : heard('SIGHUP'));
  return stop.signal;
}

/** Ends this process within a second of its parent's end, whatever it is doing: no orphan holds a folder or a port. */
export function endWithParent(clock: Clock): void {
  if (process.send === undefined) return;
  process.on('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    void clock.sleep(800 as Milliseconds).then(() => process.exit(1));
  });
}

/** Runs `work`, but no longer than `limit`; says so when it was not done. */
export async function within(
  clock: Clock,
  limit: Milliseconds,
  log: Log,
  name: string,
  work: Promise<unknown>,
): Promise<void> {
  const done = new AbortController();
  const late = clock.sleep(limit, done.signal).then(
    () => log.warn({ limitMs: limit }, `${name} did not end in time`),
    () => {},
  );
  const guarded = work.catch((error: unknown) => log.warn({ reason: describe(error) }, `${name} ended badly`));
  await Promise.race([guarded, late]);
  done.abort();
}

export type Limited = Disposable & {
  /** Aborted with `parent`, or when the time is up: by a TimeoutError, as that of `AbortSignal.timeout`. */
  readonly signal: AbortSignal;
  /** Was it the time? */
  isOver(): boolean;
};

/** Nobody reads it: an abort without a reason would make an error with a stack. */
const DONE = 'done';

/**
 * A time limit for as long as work lasts. `AbortSignal.any` with an `AbortSignal.timeout` would stay, with all that listens to
 * it, until the time is up: of steps that may take minutes and take a tenth of a second, a busy worker kept tens of thousands.
 */
export function limited(clock: Clock, parent: AbortSignal, limit: Milliseconds): Limited {
  const [own, done] = [new AbortController(), new AbortController()];
  let isOver = false;
  const follow = () => own.abort(parent.reason);
  const end = () => {
    isOver = !own.signal.aborted;
    own.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  };
  clock.sleep(limit, done.signal).then(end, () => {});
  parent.addEventListener('abort', follow, { once: true });
  if (parent.aborted) follow();
  return {
    signal: own.signal,
    isOver: () => isOver,
    [Symbol.dispose]: () => {
      done.abort(DONE);
      parent.removeEventListener('abort', follow);
    },
  };
}
