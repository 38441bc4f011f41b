import assert from 'node:assert/strict';
import test from 'node:test';
import type { Parser } from './llamaparse-run.ts';
import { remembering } from './local-parser.ts';

const FILE = { bytes: Buffer.from('# Pumps'), filename: 'pumps.md', signal: new AbortController().signal };
/** Says `pages` of every file, and counts. */
function counting(pages: readonly string[] = ['# Pumps']) {
  let asked = 0;
  const parse: Parser = async () => {
    asked++;
    return { kind: 'parsed', pages };
  };
  return { parse: remembering(parse), asked: () => asked };
}

test('remembering() asks once for the same bytes under the same name', async () => {
  const { parse, asked } = counting();
  assert.deepEqual(await parse(FILE), await parse({ ...FILE, bytes: Buffer.from('# Pumps') }));
  assert.equal(asked(), 1);
  await parse({ ...FILE, filename: 'pumps.txt' });
  await parse({ ...FILE, bytes: Buffer.from('# Pump') });
  assert.equal(asked(), 3);
});

test('remembering() remembers a rejection, and nothing of a parser that threw', async () => {
  let asked = 0;
  const parse = remembering(async () => {
    if (++asked === 1) throw new Error('The parser crashed');
    return { kind: 'rejected', code: 'empty', because: 'There is nothing in it' };
  });
  await assert.rejects(parse(FILE), /crashed/);
  assert.equal((await parse(FILE)).kind, 'rejected');
  assert.equal((await parse(FILE)).kind, 'rejected');
  assert.equal(asked, 2);
});

test('remembering() lets the oldest go when it is full', async () => {
  const { parse, asked } = counting(['x'.repeat(7 * 2 ** 20)]);
  const file = (name: string) => ({ ...FILE, filename: name });
  for (const name of ['one', 'two', 'three', 'three', 'two']) await parse(file(name));
  assert.equal(asked(), 3, 'two of 14 MiB have room');
  await parse(file('one'));
  assert.equal(asked(), 4);
});
