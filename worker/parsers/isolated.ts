/**
 * Parses strangers' documents where they can do no harm: in child processes with limits in time and memory, without the
 * environment's secrets and without our files (see `child-protocol.ts`). A child that exceeds a limit is killed and its
 * document fails with a Fault; the documents beside it do not notice.
 *
 * Children are started by the first documents, kept warm, and replaced after some hundred documents, because libraries
 * leak.
 */
import type { Clock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { type Bytes, type Milliseconds, mebibytes, milliseconds } from '#kernel/units.ts';
import { type ParserChild, type Ran, startChild } from './child-process.ts';
import { CHILD_BASE } from './child-protocol.ts';
import { MEMORY_PER_MARKUP, PARSE_LIMITS } from './limits.ts';
import type { LocalParse } from './outcome.ts';
import { makePlaces } from './places.ts';
import type { Format } from './sniff.ts';

export type ParserFaultCode = 'parser_timeout' | 'parser_memory' | 'parser_died' | 'parser_busy';

export type IsolationLimits = {
  /** For one document, from when a started child has it. */
  readonly time: Milliseconds;
  /** Resident memory of one child. */
  readonly memory: Bytes;
  /** Children at the same time; further documents wait. */
  readonly concurrency: number;
  /** Text of one document; more is the rejection `too_large`. */
  readonly output: Bytes;
};

export interface IsolatedParser extends AsyncDisposable {
  /** @throws {Fault} a {@link ParserFaultCode}, retryable. @throws the signal's reason. */
  parse(bytes: Uint8Array, format: Format, signal: AbortSignal): Promise<LocalParse>;
  close(): Promise<void>;
}

const DOCUMENTS_PER_CHILD = 200;
/** Callers have limits of their own; this one catches a caller without. */
const WAITING_MAX = 1_000;
/** After a child that ended unasked: a machine in trouble is not helped by a loop of new processes. */
const RESPAWN_WAIT = milliseconds(500);
/** Less than this for a document is no use: measured with an empty PDF. */
const MEMORY_LEAST = mebibytes(64);

export function makeIsolatedParser({ clock, limits }: { clock: Clock; limits: IsolationLimits }): IsolatedParser {
  checkLimits(limits);
  const markup = Math.floor((limits.memory - CHILD_BASE) / MEMORY_PER_MARKUP) as Bytes;
  const parseLimits = { ...PARSE_LIMITS, output: limits.output, markup };
  const places = makePlaces(limits.concurrency, WAITING_MAX);
  const children = new Set<ParserChild>();
  const idle = new Set<ParserChild>();
  let closed = false;
  let respawnAt = 0;

  async function takeChild(signal: AbortSignal): Promise<ParserChild> {
    const [warm] = idle;
    if (warm) {
      idle.delete(warm);
      return warm;
    }
    const wait = respawnAt - clock.steady();
    if (wait > 0) await clock.sleep(wait as Milliseconds, signal).catch(() => signal.throwIfAborted());
    const child = startChild(clock, limits.memory);
    children.add(child);
    void child.ended.then(() => {
      children.delete(child);
      idle.delete(child);
      if (!child.wasKilled()) respawnAt = clock.steady() + RESPAWN_WAIT;
    });
    return child;
  }

  async function runIn(
    child: ParserChild,
    bytes: Uint8Array,
    format: Format,
    signal: AbortSignal,
  ): Promise<LocalParse> {
    let healthy = false;
    try {
      const ran = await child.run({ bytes, format, limits: parseLimits }, limits.time, signal);
      if (ran.kind !== 'answered') throw faultOf(ran, limits);
      healthy = !closed && child.served() < DOCUMENTS_PER_CHILD;
      return ran.outcome;
    } finally {
      if (healthy) idle.add(child);
      else child.kill();
    }
  }

  async function close(): Promise<void> {
    closed = true;
    const ends = [...children].map((child) => child.ended);
    for (const child of children) child.kill();
    await Promise.all(ends);
  }

  return {
    close,
    [Symbol.asyncDispose]: close,
    async parse(bytes, format, signal) {
      await places.take(signal);
      try {
        if (closed) throw fault('parser_died', 'Cannot parse: the parser is closed', {});
        return await runIn(await takeChild(signal), bytes, format, signal);
      } finally {
        places.give();
      }
    },
  };
}

type Fields = Readonly<Record<string, number>>;
const fault = (code: ParserFaultCode, message: string, fields: Fields): Fault<ParserFaultCode> =>
  new Fault(code, message, { retryable: true, fields });

function faultOf(ran: Exclude<Ran, { kind: 'answered' }>, limits: IsolationLimits): Fault<ParserFaultCode> {
  switch (ran.kind) {
    case 'late':
      return fault('parser_timeout', `Cannot parse: it took longer than ${limits.time} ms`, { limitMs: limits.time });
    case 'memory':
      return fault('parser_memory', `Cannot parse: it took more than ${limits.memory} bytes of memory`, {
        limitBytes: limits.memory,
      });
    case 'died':
    case 'broken':
      return fault('parser_died', `Cannot parse: the parser gave up: ${ran.because}`, {});
    default:
      return ran satisfies never;
  }
}

/** @throws {RangeError} naming the limit: a parser that can never succeed should not start. */
function checkLimits(limits: IsolationLimits): void {
  const least = CHILD_BASE + MEMORY_LEAST;
  if (!(limits.memory >= least))
    throw new RangeError(`memory must be at least ${least} bytes, received ${limits.memory}`);
  for (const name of ['time', 'concurrency', 'output'] as const) {
    if (!(limits[name] >= 1)) throw new RangeError(`${name} must be at least 1, received ${limits[name]}`);
  }
}
