import type { Milliseconds } from './units.ts';

/** The only source of time. Everything that waits or stamps takes one. */
export interface Clock {
  /** Wall time since the epoch, for stamps that people read. It may jump. */
  now(): Milliseconds;
  /** Steady time, for durations. It never jumps, and means nothing outside this process. */
  steady(): Milliseconds;
  /** @throws the signal's reason, when it aborts first. */
  sleep(span: Milliseconds, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now() as Milliseconds,
  steady: () => performance.now() as Milliseconds,
  // Not Node's own, which makes an error with a stack where only the reason is wanted.
  sleep: (span, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, span);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

/** A clock that stands still until told. `advance` runs every sleeper that falls due, in order. */
export function fakeClock(start = 0): Clock & { advance(span: number): Promise<void> } {
  let time = start;
  const sleepers = new Set<{ due: number; wake: () => void }>();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => time as Milliseconds,
    steady: () => (time - start) as Milliseconds,
    sleep: (span, signal) => {
      signal?.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const sleeper = { due: time + span, wake: resolve };
      sleepers.add(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        },
        { once: true },
      );
      return promise;
    },
    async advance(span) {
      const target = time + span;
      await settle();
      for (;;) {
        const next = [...sleepers].filter((s) => s.due <= target).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        sleepers.delete(next);
        time = Math.max(time, next.due);
        next.wake();
        await settle();
      }
      time = target;
    },
  };
}
