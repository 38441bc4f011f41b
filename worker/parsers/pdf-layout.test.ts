import assert from 'node:assert/strict';
import test from 'node:test';
import { layOut, type TextPiece } from './pdf-layout.ts';

const piece = (text: string, y: number, height = 10, endsLine = true): TextPiece => ({
  text,
  x: 50,
  y,
  width: text.length * 5,
  height,
  endsLine,
});
/** Lines from the top of a page, 12 points apart. */
const lines = (...texts: string[]) => texts.map((text, i) => piece(text, 700 - 12 * i));
const body = (from: number) =>
  ['one two three four', 'five six seven', 'eight nine ten'].map((text, i) => piece(text, from - 12 * i));

const cases: readonly [title: string, pieces: readonly TextPiece[], want: string][] = [
  ['gives nothing for nothing', [], ''],
  ['keeps lines', lines('a b', 'c d'), 'a b\nc d'],
  ['joins pieces of a line', [piece('a', 700, 10, false), piece(' ', 700, 0, false), piece('b', 700)], 'a b'],
  [
    'keeps raised marks on their line',
    [piece('water', 700, 10, false), piece('2', 704, 6, false), piece('x', 700)],
    'water2x',
  ],
  ['starts a line where text is moved without saying so', [piece('a', 700, 10, false), piece('b', 688)], 'a\nb'],
  ['divides paragraphs at a gap', [...lines('a', 'b', 'c'), piece('d', 660)], 'a\nb\nc\n\nd'],
  ['does not divide at the usual distance', [...lines('a', 'b', 'c'), piece('d', 661)], 'a\nb\nc\nd'],
  ['goes on in the next column', [...lines('a', 'b', 'c and'), piece('d', 700)], 'a\nb\nc and\nd'],
  ['divides at the end of a sentence in the next column', [...lines('a', 'b', 'c.'), piece('d', 700)], 'a\nb\nc.\n\nd'],
  [
    'makes a heading of a larger font',
    [piece('Title', 740, 17), ...body(700)],
    '# Title\n\none two three four\nfive six seven\neight nine ten',
  ],
  [
    'has three levels',
    [piece('A', 760, 13.5), piece('B', 740, 11.3), ...body(700)],
    '## A\n\n### B\n\none two three four\nfive six seven\neight nine ten',
  ],
  [
    'makes no heading of the same size',
    [piece('Title', 740, 11), ...body(700)],
    'Title\n\none two three four\nfive six seven\neight nine ten',
  ],
  [
    'joins the lines of a heading',
    [piece('A long', 760, 17), piece('title', 740, 17), ...body(700)],
    '# A long title\n\none two three four\nfive six seven\neight nine ten',
  ],
  [
    'makes no heading of a number',
    [piece('17', 740, 17), ...body(700)],
    '17\n\none two three four\nfive six seven\neight nine ten',
  ],
  ['mends divided words', lines('infor-', 'mation'), 'information'],
  ['leaves a hyphen before a capital', lines('Jean-', 'Paul'), 'Jean-\nPaul'],
  ['leaves a dash that stands alone', lines('a -', 'b'), 'a -\nb'],
  ['makes lists', lines('• one', '\uf0b7 two', 'three'), '- one\n- two\nthree'],
  ['drops letters of icon fonts', lines('a \ue001\u{f03d9} b'), 'a b'],
  ['has Arabic as it is typed, not as it is drawn', lines('\ufee3\ufea3\ufef4\ufea2'), 'محيح'],
  ['has ligatures as they are typed', lines('\ufb01le \ufb03'), 'file ffi'],
];
for (const [title, pieces, want] of cases) {
  test(`layOut() ${title}`, () => assert.equal(layOut(pieces), want));
}

test('layOut() takes a long text in a larger font for a text', () => {
  const text = (letters: number) => layOut([piece('a'.repeat(letters), 740, 17), ...lines('b'.repeat(300))]);
  assert.match(text(200), /^# a/);
  assert.match(text(201), /^a/);
});
