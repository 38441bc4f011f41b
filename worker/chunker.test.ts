import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import { CHUNKING, chunk, countTokens } from './chunker.ts';

const words = (n: number, word = 'lorem') => Array.from({ length: n }, (_, i) => `${word}${i}`).join(' ');
const small = { tokens: 40, overlap: 8 };

describe('chunk()', () => {
  test('keeps a short document in one piece, with its page and heading', () => {
    assert.deepEqual(chunk(['# Lease\n\nThe rent is due.\n\nOn the first.']), [
      { ordinal: 0, text: '# Lease\n\nThe rent is due.\n\nOn the first.', tokens: 12, page: 1, heading: 'Lease' },
    ]);
  });

  test('starts a new chunk at a heading', () => {
    const chunks = chunk(['# One\n\nfirst', '## Two\n\nsecond']);
    assert.deepEqual(
      chunks.map(({ heading, page, text }) => [heading, page, text]),
      [
        ['One', 1, '# One\n\nfirst'],
        ['Two', 2, '## Two\n\nsecond'],
      ],
    );
  });

  test('repeats the end of a chunk at the start of the next one of the same section', () => {
    const paragraphs = Array.from({ length: 12 }, (_, i) => `para${i} one two.`);
    const chunks = chunk([paragraphs.join('\n\n')], small);
    assert(chunks.length > 1);
    for (let i = 1; i < chunks.length; i++) {
      const last = chunks[i - 1]?.text.split('\n\n').at(-1) ?? '';
      assert(chunks[i]?.text.startsWith(last), `chunk ${i} does not start with "${last}"`);
    }
  });

  test('cuts what has no borders: one endless word, one endless line', () => {
    for (const text of ['x'.repeat(5_000), '漢'.repeat(2_000), words(2_000), '😀'.repeat(500)]) {
      const chunks = chunk([text], small);
      assert(chunks.length > 1);
      assert(chunks.every(({ tokens }) => tokens <= small.tokens));
      assert(chunks.every((one) => one.text.isWellFormed()));
    }
  });

  test('makes nothing of nothing', () => {
    for (const pages of [[], [''], [' \n\n \t', '\n']]) assert.deepEqual(chunk(pages), []);
  });

  const page = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.constant('\n\n'),
        fc.constant('# Heading\n\n'),
        fc.nat(300).map(words),
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(' '));
  const squeeze = (text: string) => text.replace(/\s+/g, '');

  test('loses no text, keeps to the limit, counts up, and gives the same again', () => {
    fc.assert(
      fc.property(fc.array(page, { maxLength: 4 }), (pages) => {
        const chunks = chunk(pages, { tokens: 60, overlap: 0 });
        assert.equal(squeeze(chunks.map(({ text }) => text).join('')), squeeze(pages.join('')));
        assert(chunks.every(({ text, tokens }) => tokens <= 60 && tokens === countTokens(text)));
        assert.deepEqual(
          chunks.map(({ ordinal }) => ordinal),
          chunks.map((_, i) => i),
        );
        assert.deepEqual(chunk(pages, { tokens: 60, overlap: 0 }), chunks);
      }),
      { numRuns: 60 },
    );
  });

  test('with overlap still keeps to the limit', () => {
    fc.assert(
      fc.property(fc.array(page, { maxLength: 4 }), (pages) =>
        chunk(pages, CHUNKING).every(({ tokens }) => tokens <= CHUNKING.tokens),
      ),
      { numRuns: 40 },
    );
  });
});
