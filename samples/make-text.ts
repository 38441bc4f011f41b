/** Sample documents as Markdown, HTML and plain text, in modern and in older encodings. */
import type { Part } from './texts/part.ts';

export function makeMarkdown(parts: readonly Part[]): string {
  return `${parts.map(markdownOf).join('\n\n')}\n`;
}

function markdownOf(part: Part): string {
  switch (part[0]) {
    case 'title':
      return `# ${part[1]}`;
    case 'heading':
      return `## ${part[1]}`;
    case 'text':
      return part[1];
    case 'code':
      return `\`\`\`\n${part[1]}\n\`\`\``;
    case 'list':
      return part[1].map((item) => `- ${item}`).join('\n');
    case 'table': {
      const [head = [], ...rows] = part[1];
      return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
    }
    case 'page':
      return '---';
    default:
      return part satisfies never;
  }
}

/** Lines for people, no marks. */
export function makePlain(parts: readonly Part[]): string {
  const lines = parts.map((part) => {
    if (part[0] === 'page') return '\f';
    if (part[0] === 'table') return part[1].map((row) => row.join('\t')).join('\n');
    return typeof part[1] === 'string' ? part[1] : part[1].map((item) => `* ${item}`).join('\n');
  });
  return `${lines.join('\n\n')}\n`;
}

/** A page with what real pages have around their content. */
export function makeHtml(parts: readonly Part[], language: string, charset: string): string {
  const title = String(parts.find((part) => part[0] === 'title')?.[1] ?? '');
  return `<!DOCTYPE html>
<html lang="${language}">
<head>
<meta charset="${charset}">
<title>${escaped(title)}</title>
<style>body { font-family: serif } nav li { display: inline }</style>
<script>if (1 < 2) { window.visited = true; }</script>
</head>
<body>
<nav><ul><li><a href="/">Start</a></li><li><a href="/search">?</a></li></ul></nav>
<main>
${parts.map(htmlOf).join('\n')}
</main>
<script>document.title += ' ';</script>
</body>
</html>
`;
}

function htmlOf(part: Part): string {
  switch (part[0]) {
    case 'title':
      return `<h1>${escaped(part[1])}</h1>`;
    case 'heading':
      return `<h2>${escaped(part[1])}</h2>`;
    case 'text':
      return `<p>${escaped(part[1])}</p>`;
    case 'code':
      return `<pre>${escaped(part[1])}</pre>`;
    case 'list':
      return `<ul>\n${part[1].map((item) => `<li>${escaped(item)}</li>`).join('\n')}\n</ul>`;
    case 'table':
      return `<table>\n${part[1].map((row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`).join('\n')}\n</table>`;
    case 'page':
      return '<hr>';
    default:
      return part satisfies never;
  }
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/**
 * Node only decodes these encodings; the way back is found by decoding every one or two bytes there are.
 * @throws {RangeError} when the encoding has no such character.
 */
export function encode(text: string, encoding: 'windows-1252' | 'windows-1251' | 'shift_jis'): Buffer {
  const codes = codesOf(encoding);
  return Buffer.concat(
    Array.from(text, (character) => {
      const code = codes.get(character);
      if (!code) throw new RangeError(`Cannot write "${character}" in ${encoding}`);
      return code;
    }),
  );
}

function codesOf(encoding: string): Map<string, Buffer> {
  const decoder = new TextDecoder(encoding);
  const codes = new Map<string, Buffer>();
  const learn = (bytes: Buffer) => {
    const character = decoder.decode(bytes);
    if ([...character].length === 1 && character !== '\ufffd' && !codes.has(character)) codes.set(character, bytes);
  };
  for (let first = 0; first < 256; first++) learn(Buffer.of(first));
  if (encoding !== 'shift_jis') return codes;
  for (let first = 0x81; first < 0xfd; first++) {
    for (let second = 0x40; second < 0xfd; second++) learn(Buffer.of(first, second));
  }
  return codes;
}
