/** Structured logs: JSON lines for machines, readable lines where a person watches a terminal. */
import { pino } from 'pino';
import pretty from 'pino-pretty';

export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
  child(fields: Fields): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogOptions = {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly colour: boolean;
  /** Added to every line, read anew each time: the ids of the trace that is current. */
  readonly mixin?: () => object;
};

export function makeLog(options: LogOptions, base: Fields = {}): Log {
  const settings = {
    level: options.level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.errWithCause },
    ...(options.mixin ? { mixin: options.mixin } : {}),
  };
  if (options.format === 'json') return pino(settings, pino.destination({ dest: 2, sync: true }));
  return pino(settings, pretty({ colorize: options.colour, destination: 2, sync: true, ignore: 'pid,hostname' }));
}

/** For tests, and wherever nobody listens. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
