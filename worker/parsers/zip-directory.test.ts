import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { zip } from '#samples/zip.ts';
import { isZip, readZipDirectory } from './zip-directory.ts';

const parts = [
  { name: 'word/document.xml', content: 'hello' },
  { name: 'a/ä.txt', content: 'x'.repeat(1000), deflate: true },
];
const good = zip(parts);

test('readZipDirectory() reads names and sizes', () => {
  const directory = readZipDirectory(good);
  assert.equal(directory.kind, 'read');
  assert.deepEqual(
    directory.entries.map(({ unpacked, encrypted }) => [unpacked, encrypted]),
    [
      [5, false],
      [1000, false],
    ],
  );
  assert.equal(directory.entries[0]?.name, 'word/document.xml');
});

test('readZipDirectory() reads an archive behind other bytes and before a comment', () => {
  const wrapped = Buffer.concat([Buffer.from('#!/bin/sh\n'), good, Buffer.from('a comment')]);
  assert.equal(readZipDirectory(wrapped).entries.length, 2);
  assert.equal(readZipDirectory(wrapped).kind, 'read');
});

test('readZipDirectory() says what an archive claims, true or not', () => {
  const [entry] = readZipDirectory(zip([{ name: 'a', content: 'x', claimedSize: 7_000_000, encrypted: true }])).entries;
  assert.deepEqual(entry, { name: 'a', unpacked: 7_000_000, encrypted: true });
});

test('readZipDirectory() finds the first names of an archive that is cut off', () => {
  const cut = readZipDirectory(good.subarray(0, 60));
  assert(cut.kind === 'damaged');
  assert.match(cut.because, /no directory/);
  assert.deepEqual(
    cut.entries.map(({ name }) => name),
    ['word/document.xml'],
  );
});

test('readZipDirectory() notices a directory that holds less than it says', () => {
  const lying = Buffer.from(good);
  lying.writeUInt16LE(9, lying.length - 12);
  const directory = readZipDirectory(lying);
  assert(directory.kind === 'damaged');
  assert.match(directory.because, /broken after 2 of 9 entries/);
});

test('readZipDirectory() stops at a number of entries that no document has', () => {
  const many = (count: number) => zip(Array.from({ length: count }, (_, i) => ({ name: `${i}`, content: '' })));
  assert.equal(readZipDirectory(many(10_000)).kind, 'read');
  assert.equal(readZipDirectory(many(10_001)).kind, 'damaged');
});

test('readZipDirectory() survives any damage', () => {
  const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), fc.nat(good.length), (changes, length) => {
      const bytes = Buffer.from(good.subarray(0, length));
      for (const [at, value] of changes) if (at < length) bytes[at] = value;
      assert(['read', 'damaged'].includes(readZipDirectory(bytes).kind));
    }),
    { numRuns: 500 },
  );
});

test('isZip() knows both beginnings', () => {
  assert.deepEqual([good, zip([]), Buffer.from('PK'), Buffer.from('PKxxyy')].map(isZip), [true, true, false, false]);
});
