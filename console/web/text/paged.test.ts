import assert from 'node:assert/strict';
import test from 'node:test';
import { below } from './paged.ts';

const self = (item: string) => item;
const beside = (first: string, known: string) => below([...first], [...known], self).join('');

test('what new ones push off the first page stands below it, each once', () => {
  assert.equal(beside('edc', 'edcba'), 'ba');
  assert.equal(beside('gfe', 'edcba'), 'dcba');
  // More have come than a page holds.
  assert.equal(beside('ihg', 'edcba'), 'edcba');
});

test('where one leaves the first page, what it reaches instead does not stand twice', () => {
  assert.equal(beside('ecb', 'edcba'), 'a');
  assert.equal(beside('ba', 'edcba'), '');
});
