/** The project's own parsers as the simulated LlamaParse's engine, in children that a hostile file may kill. */
import type { Clock } from '#kernel/clock.ts';
import { mebibytes, milliseconds } from '#kernel/units.ts';
import { makeIsolatedParser } from '#worker/parsers/isolated.ts';
import { sniff } from '#worker/parsers/sniff.ts';
import { PARSED_AT_ONCE, type Parser } from './llamaparse-run.ts';

/** The vendor gives a job half an hour; a local parser that needs more than this will not end well. */
const LIMITS = {
  time: milliseconds(60_000),
  memory: mebibytes(512),
  concurrency: PARSED_AT_ONCE,
  output: mebibytes(16),
} as const;

export type LocalParser = { readonly parse: Parser; close(): Promise<void> };

export function localParser(clock: Clock): LocalParser {
  const parser = makeIsolatedParser({ clock, limits: LIMITS });
  return {
    parse: async ({ bytes, filename, signal }) => {
      const sniffed = sniff(bytes, filename);
      if (sniffed.kind === 'rejected') return sniffed;
      return await parser.parse(bytes, sniffed.format, signal);
    },
    close: parser.close,
  };
}
