/**
 * Thousands of damaged documents against the isolated parser. `npm test` runs a few hundred; for more, and for a seed
 * that failed: `node worker/parsers/fuzz.test.ts SEED COUNT`.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { seededRandom } from '#kernel/random.ts';
import { mebibytes, milliseconds } from '#kernel/units.ts';
import { SAMPLES_FOLDER } from '#samples/catalogue.ts';
import { type IsolatedParser, makeIsolatedParser } from './isolated.ts';
import { mutate } from './mutate.ts';
import { type Format, sniff } from './sniff.ts';

const CORPUS = new URL('../../../shared/corpus/', import.meta.url);
/** Small files, so that a change hits something. */
const SOURCE_MAX = 50_000;
const COUNT = 600;
const PLACES = 2;
const LIMITS = { time: milliseconds(5_000), memory: mebibytes(384), concurrency: PLACES, output: mebibytes(4) };
/** For growth of this process. Two documents at a time take less than a tenth of it. */
const GROWTH_MAX = 256 * 1024 * 1024;
const HANG = 30_000;

type Source = { readonly name: string; readonly bytes: Buffer };
type Tally = Record<string, number>;

function sources(): Source[] {
  const folders = [SAMPLES_FOLDER, CORPUS].filter((folder) => existsSync(folder));
  const files = folders.flatMap((folder) =>
    ['good/', 'bad/'].flatMap((kind) => readdirSync(new URL(kind, folder)).map((name) => new URL(kind + name, folder))),
  );
  const all = files.sort().map((url) => ({ name: url.pathname.split('/').at(-1) ?? '', bytes: readFileSync(url) }));
  return all.filter(({ bytes }) => bytes.length > 0 && bytes.length < SOURCE_MAX);
}

/** One document, from its own seed. @returns what became of it. */
async function once(parser: IsolatedParser, from: readonly Source[], seed: number): Promise<string> {
  const random = seededRandom(seed);
  const pick = () => from[Math.floor(random.next() * from.length)] as Source;
  const source = pick();
  const { bytes, changes } = mutate(source.bytes, pick().bytes, random);
  const what = `seed ${seed}: ${source.name} ${changes.join(' ')}, ${bytes.length} bytes`;
  // A change that makes another kind of file is caught by sniffing; the parser gets its share where it is asked directly.
  const format = formatOf(bytes, source.name) ?? formatOf(source.bytes, source.name);
  if (format === undefined) return 'sniffed';
  const over = new AbortController();
  const hang = sleep(HANG, undefined, { signal: over.signal });
  hang.catch(() => {});
  try {
    const found = await Promise.race([parser.parse(bytes, format, over.signal), hang]);
    assert(found, `${what}: nothing came back`);
    if (found.kind === 'rejected') return found.code;
    for (const page of found.pages) assert(page.isWellFormed() && !page.includes('\0'), `${what}: unclean text`);
    return 'parsed';
  } catch (error) {
    assert(error instanceof Fault && /^parser_(?:timeout|memory)$/.test(error.code), `${what}: ${error}`);
    return error.code;
  } finally {
    over.abort();
  }
}

function formatOf(bytes: Buffer, name: string): Format | undefined {
  const sniffed = sniff(bytes, name);
  return sniffed.kind === 'known' ? sniffed.format : undefined;
}

async function fuzz(seed: number, count: number): Promise<Tally> {
  const from = sources();
  const tally: Tally = {};
  await using parser = makeIsolatedParser({ clock: systemClock, limits: LIMITS });
  let next = seed;
  const lane = async () => {
    while (next < seed + count) {
      const outcome = await once(parser, from, next++);
      tally[outcome] = (tally[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: PLACES }, lane));
  return tally;
}

const byHand = process.argv[1] === import.meta.filename;
const [seed = '1', count = String(COUNT)] = byHand ? process.argv.slice(2) : [];

test(`${count} damaged documents from seed ${seed} harm nobody`, async (t) => {
  const before = process.memoryUsage().rss;
  const started = performance.now();
  const tally = await fuzz(Number(seed), Number(count));
  const growth = process.memoryUsage().rss - before;
  t.diagnostic(`${JSON.stringify(tally)} in ${Math.round(performance.now() - started)} ms, ${growth >> 20} MiB more`);
  assert(growth < GROWTH_MAX, `grew by ${growth} bytes`);
  assert((tally['parsed'] ?? 0) > 0 && (tally['damaged'] ?? 0) > 0, 'the mutations are too strong or too weak');
});
