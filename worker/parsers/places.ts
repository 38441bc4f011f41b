/** A fixed number of places, given in the order of asking. */
import { Fault } from '#kernel/errors.ts';

export interface Places {
  /** @throws the signal's reason, or {Fault} `parser_busy` when too many wait already. */
  take(signal: AbortSignal): Promise<void>;
  give(): void;
}

export function makePlaces(count: number, waitingMax: number): Places {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free--;
        return;
      }
      if (waiting.length >= waitingMax) {
        const message = `Cannot parse: ${waiting.length} documents wait for a parser already`;
        throw new Fault('parser_busy', message, { retryable: true });
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const leave = () => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      waiting.push(enter);
      signal.addEventListener('abort', leave, { once: true });
      await promise;
    },
    /** The place goes to the one who waits longest, without being free in between. */
    give() {
      const next = waiting.shift();
      if (next) next();
      else free++;
    },
  };
}
