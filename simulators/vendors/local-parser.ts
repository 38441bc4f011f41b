/**
 * The project's own parsers as the simulated LlamaParse's engine, in children that a hostile file may kill. What they have
 * said of a file is kept for the next time: the vendor's machines are not ours, and a load test that sends the same samples
 * again and again would measure the parsers beside the service.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
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
const KEPT = mebibytes(32);

export type LocalParser = { readonly parse: Parser; close(): Promise<void> };

type Said = Awaited<ReturnType<Parser>>;

export function localParser(clock: Clock): LocalParser {
  const parser = makeIsolatedParser({ clock, limits: LIMITS });
  return { parse: remembering(parse), close: parser.close };

  async function parse({ bytes, filename, signal }: Parameters<Parser>[0]): Promise<Said> {
    const sniffed = sniff(bytes, filename);
    if (sniffed.kind === 'rejected') return sniffed;
    return await parser.parse(bytes, sniffed.format, signal);
  }
}

/** Of the same bytes under the same name the same is said. What throws is no answer, and not kept. */
export function remembering(parse: Parser): Parser {
  const known = new LRUCache<string, Said>({ maxSize: KEPT, sizeCalculation: sizeOf });
  return async (file) => {
    const key = createHash('sha256').update(`${file.filename}\0`).update(file.bytes).digest('base64');
    const before = known.get(key);
    if (before !== undefined) return before;
    const said = await parse(file);
    known.set(key, said);
    return said;
  };
}

/** Bytes, as a string of two for each character; never 0. */
const sizeOf = (said: Said): number =>
  said.kind === 'parsed' ? 1 + said.pages.reduce((sum, page) => sum + 2 * page.length, 0) : 1;
