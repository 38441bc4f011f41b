import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { newReader, newWriter, putColumn, takeColumn } from './codec.ts';
import { columnBytes, columnOf, newColumn, readColumn, sumsOf, writeColumn } from './column.ts';

const SIZE = 8;
const sum = fc.oneof(
  fc.integer({ min: 0, max: 1_000 }),
  fc.integer({ min: 2 ** 32 - 3, max: 2 ** 32 + 3 }),
  fc.integer({ min: 2 ** 53 - 2 ** 32 - 5, max: 2 ** 53 - 1 }),
  fc.double({ min: 0, max: 1e9, noNaN: true }),
  fc.integer({ min: -5, max: -1 }),
);

test('a column gives what it was given, to the bit, whatever that is', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(SIZE - 1), sum), { maxLength: 60 }), (writes) => {
      const column = newColumn(SIZE);
      const plain = new Float64Array(SIZE);
      for (const [slot, value] of writes) {
        writeColumn(column, slot, value);
        plain[slot] = value;
        for (let i = 0; i < SIZE; i++) assert.equal(readColumn(column, i), plain[i]);
      }
      assert.deepEqual([...sumsOf(column)], [...plain]);
      assert.deepEqual([...sumsOf(columnOf(plain))], [...plain]);
    }),
    { numRuns: 500 },
  );
});

test('a column comes out of a checkpoint as it went in, from whichever slot it is written', () => {
  const sums = fc.oneof(
    fc.array(sum, { minLength: SIZE, maxLength: SIZE }),
    fc.array(fc.nat(2 ** 30), { minLength: SIZE, maxLength: SIZE }).map((growths) => {
      let all = 2 ** 40;
      return growths.map((growth) => (all += growth));
    }),
  );
  fc.assert(
    fc.property(sums, fc.nat(SIZE - 1), (values, first) => {
      const writer = newWriter();
      const column = columnOf(Float64Array.from(values));
      putColumn(writer, column, first);
      const reader = newReader(writer.bytes.subarray(0, writer.at));
      reader.at = newWriter().at;
      assert.deepEqual(takeColumn(reader, first, new Float64Array(SIZE)), column);
      assert.equal(reader.at, writer.at);
    }),
  );
});

test('sums that only grow stay small for ever, as long as those of one round lie within 2^32', () => {
  const column = newColumn(SIZE);
  for (let i = 0; i < 100; i++) writeColumn(column, i % SIZE, i * 2 ** 29);
  assert.equal(columnBytes(column), 4 * SIZE);
  assert.deepEqual(readColumn(column, 99 % SIZE), 99 * 2 ** 29);
  for (let i = 100; i < 110; i++) writeColumn(column, i % SIZE, i * 2 ** 30);
  assert.equal(columnBytes(column), 8 * SIZE);
  assert.deepEqual(readColumn(column, 109 % SIZE), 109 * 2 ** 30);
});
