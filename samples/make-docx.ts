/** Sample documents as docx. The library stamps the time and packs; both are undone, so that the same bytes come out. */
import { Document, HeadingLevel, Packer, Paragraph, Table, TableCell, TableRow, TextRun } from 'docx';
import type { Part } from './texts/part.ts';
import { unzip, zip } from './zip.ts';

const MADE = '2031-01-01T00:00:00.000Z';

export async function makeDocx(parts: readonly Part[], rightToLeft = false): Promise<Buffer> {
  const document = new Document({
    creator: 'Burnline samples',
    lastModifiedBy: 'Burnline samples',
    sections: [{ children: parts.flatMap((part) => convert(part, rightToLeft)) }],
  });
  const packed = await Packer.toBuffer(document);
  const fixed = unzip(packed).map(({ name, content }) => ({
    name,
    content: name === 'docProps/core.xml' ? undated(content) : content,
  }));
  return zip(fixed.sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1)));
}

/** Office writes the list of contents first, and so do we. */
const rank = (name: string): number => ['[Content_Types].xml', '_rels/.rels', 'word/document.xml'].indexOf(name) >>> 0;

const undated = (xml: Buffer): string =>
  xml.toString('utf8').replace(/(<dcterms:(?:created|modified)[^>]*>)[^<]*/g, `$1${MADE}`);

function convert(part: Part, bidirectional: boolean): (Paragraph | Table)[] {
  const run = (text: string) => new TextRun({ text, rightToLeft: bidirectional });
  switch (part[0]) {
    case 'title':
      return [new Paragraph({ heading: HeadingLevel.HEADING_1, bidirectional, children: [run(part[1])] })];
    case 'heading':
      return [new Paragraph({ heading: HeadingLevel.HEADING_2, bidirectional, children: [run(part[1])] })];
    case 'text':
    case 'code':
      return [new Paragraph({ bidirectional, children: [run(part[1])] })];
    case 'list':
      return part[1].map((item) => new Paragraph({ bullet: { level: 0 }, bidirectional, children: [run(item)] }));
    case 'table':
      return [tableOf(part[1], bidirectional)];
    case 'page':
      return [new Paragraph({ pageBreakBefore: true })];
    default:
      return part satisfies never;
  }
}

function tableOf(rows: readonly (readonly string[])[], bidirectional: boolean): Table {
  const cell = (text: string) => new TableCell({ children: [new Paragraph({ text, bidirectional })] });
  return new Table({ rows: rows.map((row) => new TableRow({ children: row.map(cell) })) });
}
