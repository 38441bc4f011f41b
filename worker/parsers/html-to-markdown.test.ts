import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { htmlToMarkdown } from './html-to-markdown.ts';

const cases: readonly [title: string, html: string, want: string][] = [
  ['makes headings', '<h1>One</h1><h3>Three<br>lines</h3>', '# One\n\n### Three lines'],
  ['makes paragraphs', '<p>one\n two</p><p>three', 'one two\n\nthree'],
  ['ends a paragraph where a block starts', '<p>one<div>two</div>three', 'one\n\ntwo\n\nthree'],
  ['breaks lines', 'one<br>two<br/>three', 'one\ntwo\nthree'],
  ['keeps words of emphasis together', '<p>un<b>believ</b>able</p>', 'unbelievable'],
  ['makes lists', '<ul><li>a<li>b</ul>', '- a\n- b'],
  ['numbers lists', '<ol start=3><li>a</li><li>b</li></ol>', '3. a\n4. b'],
  ['nests lists', '<ul><li>a<ol><li>b</ol><li>c</ul>', '- a\n  1. b\n- c'],
  ['indents what belongs to an item', '<ul><li><p>a</p><p>b</p></li></ul><p>c', '- a\n  b\n\nc'],
  ['quotes', '<blockquote><p>a</p><p>b</p></blockquote>', '> a\n\n> b'],
  ['fences code', '<pre>\n a\n  b &lt; c\n</pre>', '```\n a\n  b < c\n```'],
  ['fences code that has fences', '<pre>```\na\n```</pre>', '````\n```\na\n```\n````'],
  ['marks code in a line', 'run <code>npm start</code> now', 'run `npm start` now'],
  ['keeps links to elsewhere', '<a href="https://a.example/x"> there </a>.', '[there](https://a.example/x) .'],
  ['drops links within the site', '<a href="/x">there</a>', 'there'],
  [
    'does not repeat a link that is its own text',
    '<a href="http://a.example">http://a.example</a>',
    'http://a.example',
  ],
  ['drops links that are programs', '<a href="javascript:x()">there</a>', 'there'],
  ['makes tables', '<table><tr><th>A<th>B<tr><td>1|2<td>3</table>', '| A | B |\n| --- | --- |\n| 1\\|2 | 3 |'],
  ['fills up short header rows', '<table><tr><td>A<tr><td>1<td>2</table>', '| A |  |\n| --- | --- |\n| 1 | 2 |'],
  [
    'keeps the words of blocks in a cell apart',
    '<table><tr><td><p>a</p><p>b</p><td>c<br>d<ul><li>e</li></ul></td></table>',
    '| a b | c d e |\n| --- | --- |',
  ],
  [
    'puts captions in front',
    '<table><caption>Prices</caption><tr><td>a<td>b</table>',
    'Prices\n\n| a | b |\n| --- | --- |',
  ],
  [
    'flattens tables in tables',
    '<table><tr><td>a<table><tr><td>b<td>c</table><td>d</table>',
    '| a b c | d |\n| --- | --- |',
  ],
  ['sees a layout in a column', '<table><tr><td>a<tr><td><h2>b</h2></table>', 'a\n\n## b'],
  ['sees a layout in its role', '<table role=presentation><tr><td>a<td>b</table>', 'a\n\nb'],
  ['keeps cells without a table', '<td>a</td><td>b</td>', 'a\n\nb'],
  ['keeps text between rows', '<table>x<tr><td>a<td>b</table>', 'x\n\n| a | b |\n| --- | --- |'],
  ['drops programs and styles', 'a<script>if (1<2) "</p>"</script><style>b{}</style>c', 'ac'],
  ['drops navigation and controls', '<nav>a</nav><form>b<button>c</button><select><option>d</select></form>', 'b'],
  ['drops what is hidden', '<p hidden>a<p aria-hidden=true>b<p style="display: none">c<p>d', 'd'],
  ['drops roles without content', '<div role=navigation>a</div>b', 'b'],
  ['shows a dialog only when it is open', '<dialog>a</dialog><dialog open>b</dialog>', 'b'],
  ['drops comments and declarations', '<?xml version="1.0"?><!DOCTYPE html><!-- a --><![CDATA[b]]>c<!-->d', 'cd'],
  ['reads character references', '&lt;&amp;&eacute;&#8364;&#150;&nbsp;x &unknown; &', '<&é€– x &unknown; &'],
  ['takes a lone < for text', 'a < b, 1<2, <3', 'a < b, 1<2, <3'],
  ['says what a picture shows', 'a<img src=x alt="a red kettle">b', 'a a red kettle b'],
  ['escapes nothing', 'snake_case [1] *x* # y', 'snake_case [1] *x* # y'],
  ['ignores end tags of nothing', '</div></p>a</td></table></b>b', 'ab'],
  [
    'does not let a cell end what is around the table',
    '<div><table><tr><td></div>a<td>b</table>',
    '| a | b |\n| --- | --- |',
  ],
  ['ignores a tag that is cut off', 'a<p class="x', 'a'],
  ['knows attributes in any dress', "<p A=1 HIDDEN='' b = c>a</p><p / hidden/>b</p><p class=x>c", 'c'],
];
for (const [title, html, want] of cases) {
  test(`htmlToMarkdown() ${title}`, () => assert.equal(htmlToMarkdown(html).markdown, want));
}

test('htmlToMarkdown() takes the first title of the page, and no other', () => {
  const page = htmlToMarkdown('<head><title>\n A &amp; B</title></head><svg><title>C</title></svg>text');
  assert.deepEqual(page, { title: 'A & B', markdown: 'text' });
});

test('htmlToMarkdown() takes a table with an article in a cell for a layout', () => {
  const table = (letters: number) => `<table><tr><td>${'a'.repeat(letters)}<td>b</table>`;
  assert.match(htmlToMarkdown(table(1000)).markdown, /\| b \|/);
  assert.match(htmlToMarkdown(table(1001)).markdown, /a\n\nb$/);
});

test('htmlToMarkdown() still knows where elements end behind a part that is too deep', () => {
  const deep = '<div>'.repeat(600) + '</div>'.repeat(600);
  assert.equal(htmlToMarkdown(`<div hidden>${deep}a</div>b`).markdown, 'b');
});

/** Each is a page of `n` repetitions that is quadratic, or worse, for somebody. */
const heavy: Readonly<Record<string, (n: number) => string>> = {
  'open blocks': (n) => '<div>'.repeat(n),
  'open tables': (n) => '<table><tr><td>x'.repeat(n),
  'open lists': (n) => '<ul><li>x'.repeat(n),
  'open quotes': (n) => '<blockquote>x'.repeat(n),
  'open links': (n) => '<a href=http://a.example>x'.repeat(n),
  paragraphs: (n) => '<p>a <b>b</b></p>'.repeat(n),
  breaks: (n) => 'a<br>'.repeat(n),
  cells: (n) => `<table><tr>${'<td>x'.repeat(n)}</table>`,
  rows: (n) => `<table>${'<tr><td>x<td>y'.repeat(n)}</table>`,
  comments: (n) => '<!--'.repeat(n),
  'end tags': (n) => `<span>${'<table><tr><td>'.repeat(200)}${'</span>'.repeat(n)}`,
  'quotes in tags': (n) => `<p ${'a="'.repeat(n)}`,
  'spaces in tags': (n) => `<p${' '.repeat(n)}x${' '.repeat(n)}`,
  'fences in code': (n) => `<pre>${'``` '.repeat(n)}`,
  attributes: (n) => `<p ${'a=b c '.repeat(n)}>`,
  references: (n) => '&amp;&amp'.repeat(n),
  brackets: (n) => '<'.repeat(n),
  titles: (n) => '<title>'.repeat(n),
  scripts: (n) => '<script></script>'.repeat(n),
};
for (const [name, page] of Object.entries(heavy)) {
  test(`htmlToMarkdown() needs no more than linear time for many ${name}`, () => {
    // What this thread computes, whatever else the machine does: four times as much takes four times as long, not sixteen.
    const costOf = (n: number): number => {
      const before = process.threadCpuUsage();
      htmlToMarkdown(page(n));
      return process.threadCpuUsage(before).user / 1_000;
    };
    costOf(10_000);
    const [few, many] = [costOf(10_000), costOf(40_000)];
    assert(many < 10 * Math.max(few, 30), `${few} ms, then ${many} ms`);
  });
}

test('htmlToMarkdown() loses no word and invents none', () => {
  const inline = fc.constantFrom('b', 'i', 'span', 'code', 'a', 'em');
  const block = fc.constantFrom(
    'p',
    'div',
    'h2',
    'li',
    'blockquote',
    'td',
    'section',
    'ul',
    'tr',
    'table',
    'pre',
    'dd',
  );
  const piece = fc.oneof(
    fc.stringMatching(/^[a-z]{3,8}$/).map((word) => ` ${word} `),
    fc.tuple(fc.oneof(inline, block), fc.boolean()).map(([tag, end]) => (end ? `</${tag}>` : `<${tag}>`)),
  );
  const words = (text: string) => text.match(/[a-z]{3,8}/g) ?? [];
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const html = pieces.join('');
      const want = words(html.replace(/<[^>]*>/g, '')).sort();
      assert.deepEqual(words(htmlToMarkdown(html).markdown).sort(), want, html);
    }),
    { numRuns: 1000 },
  );
});

test('htmlToMarkdown() answers for any text', () => {
  const piece = fc.oneof(
    fc.constantFrom('<', '</', '<!--', '-->', '<p', '="', "'", '>', '&', '<script>', '<td>'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => typeof htmlToMarkdown(pieces.join('')).markdown === 'string'),
    { numRuns: 500 },
  );
});
