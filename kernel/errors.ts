/**
 * One error class for what goes wrong inside: a code from a closed set (it is also a metric label), a sentence, whether
 * trying again can help, and fields for the log. Expected outcomes are union members, not throws.
 */
import type { Milliseconds } from './units.ts';

export type FaultOptions = {
  /** Can the same call succeed later without anybody changing anything? */
  readonly retryable?: boolean;
  /** The other side's wish: not before this span has passed. */
  readonly retryAfter?: Milliseconds;
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
};

export class Fault<Code extends string = string> extends Error {
  readonly code: Code;
  readonly retryable: boolean;
  readonly retryAfter: Milliseconds | undefined;
  readonly fields: Readonly<Record<string, string | number | boolean>>;

  constructor(code: Code, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfter = options.retryAfter;
    this.fields = options.fields ?? {};
  }
}

/** What any thrown thing says, with its causes, on one line. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || error.name;
  return error.cause === undefined ? own : `${own}: ${describe(error.cause)}`;
}
