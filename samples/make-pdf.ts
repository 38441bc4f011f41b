/** Sample documents as PDF. Uncompressed and dated in the past, so that the same bytes come out everywhere. */
import PDFDocument from 'pdfkit';
import type { Part } from './texts/part.ts';

export type PdfOptions = {
  readonly userPassword?: string;
  readonly ownerPassword?: string;
  /** Label and value of form fields below the text. */
  readonly fields?: readonly (readonly [string, string])[];
};

const MADE = new Date(Date.UTC(2031, 0, 1));
const MARGIN = 64;
const BODY = 11;

export async function makePdf(parts: readonly Part[], options: PdfOptions = {}): Promise<Buffer> {
  const { fields = [], ...passwords } = options;
  const title = parts.find((part) => part[0] === 'title')?.[1];
  const pdf = new PDFDocument({
    ...passwords,
    size: 'A4',
    margin: MARGIN,
    compress: false,
    // With this version passwords use RC4, which is weak and takes no random numbers.
    pdfVersion: '1.4',
    info: { Title: String(title ?? ''), Author: 'Burnline samples', CreationDate: MADE, ModDate: MADE },
  });
  const pieces: Buffer[] = [];
  pdf.on('data', (piece: Buffer) => pieces.push(piece));
  const { promise, resolve } = Promise.withResolvers<void>();
  pdf.on('end', resolve);
  for (const part of parts) draw(pdf, part);
  if (fields.length > 0) drawFields(pdf, fields);
  pdf.end();
  await promise;
  return Buffer.concat(pieces);
}

/** Strokes only: a page without text. */
export async function makeDrawing(): Promise<Buffer> {
  const pdf = new PDFDocument({ size: 'A4', compress: false, info: { CreationDate: MADE, ModDate: MADE } });
  const pieces: Buffer[] = [];
  pdf.on('data', (piece: Buffer) => pieces.push(piece));
  const { promise, resolve } = Promise.withResolvers<void>();
  pdf.on('end', resolve);
  for (let i = 0; i < 12; i++) pdf.rect(80 + i * 14, 120 + i * 25, 220 - i * 9, 160).stroke();
  pdf.end();
  await promise;
  return Buffer.concat(pieces);
}

function draw(pdf: PDFKit.PDFDocument, part: Part): void {
  switch (part[0]) {
    case 'title':
      pdf.font('Helvetica-Bold').fontSize(22).text(part[1]).moveDown(0.8);
      return;
    case 'heading':
      pdf.moveDown(0.5).font('Helvetica-Bold').fontSize(15).text(part[1]).moveDown(0.5);
      return;
    case 'text':
      pdf.font('Helvetica').fontSize(BODY).text(part[1]).moveDown(0.7);
      return;
    case 'code':
      pdf.font('Courier').fontSize(BODY).text(part[1]).moveDown(0.7);
      return;
    case 'list':
      pdf.font('Helvetica').fontSize(BODY);
      for (const item of part[1]) pdf.text(`• ${item}`);
      pdf.moveDown(0.7);
      return;
    case 'table':
      drawTable(pdf, part[1]);
      return;
    case 'page':
      pdf.addPage();
      return;
    default:
      part satisfies never;
  }
}

function drawTable(pdf: PDFKit.PDFDocument, rows: readonly (readonly string[])[]): void {
  const columns = Math.max(...rows.map((row) => row.length));
  // The first column names things and is twice as wide.
  const width = (pdf.page.width - 2 * MARGIN) / (columns + 1);
  rows.forEach((row, i) => {
    const top = pdf.y;
    pdf.font(i === 0 ? 'Helvetica-Bold' : 'Helvetica').fontSize(BODY);
    row.forEach((cell, column) => {
      const left = column === 0 ? MARGIN : MARGIN + (column + 1) * width;
      pdf.text(cell, left, top, { width: column === 0 ? 2 * width - 8 : width - 8, lineBreak: false });
    });
    pdf.x = MARGIN;
    pdf.y = top + BODY * 1.6;
  });
  pdf.moveDown(0.7);
}

function drawFields(pdf: PDFKit.PDFDocument, fields: readonly (readonly [string, string])[]): void {
  pdf.font('Helvetica').fontSize(BODY);
  pdf.initForm();
  for (const [label, value] of fields) {
    const top = pdf.y;
    pdf.text(label, MARGIN, top);
    pdf.formText(label, MARGIN + 90, top - 4, 300, 20, { value });
    pdf.y = top + 30;
  }
}
