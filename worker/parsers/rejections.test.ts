import assert from 'node:assert/strict';
import test from 'node:test';
import { BAD_SAMPLES } from '#samples/catalogue.ts';
import { isRejectionCode, REJECTION_CODES, REJECTIONS } from './rejections.ts';

for (const code of REJECTION_CODES) {
  test(`REJECTIONS says in sentences what ${code} means and what to do`, () => {
    for (const sentence of Object.values(REJECTIONS[code])) assert.match(sentence, /^[A-Z].{20,160}\.$/);
  });
}

test('isRejectionCode() knows its own, and not what every object has', () => {
  assert.deepEqual(['empty', 'no_text', 'toString', 'Empty', ''].filter(isRejectionCode), ['empty', 'no_text']);
});

test('the sample catalogue spells the codes as they are', () => {
  for (const { file, code } of BAD_SAMPLES) assert(isRejectionCode(code), file);
});
