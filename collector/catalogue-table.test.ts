import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { catalogueTable } from './catalogue-table.ts';

const DOCUMENT = new URL('../docs/telemetry.md', import.meta.url);
const [BEGIN, END] = ['<!-- catalogue: begin -->\n', '<!-- catalogue: end -->'];

test('docs/telemetry.md lists exactly the catalogue (UPDATE_GOLDEN=1 writes it)', () => {
  const text = readFileSync(DOCUMENT, 'utf8');
  const from = text.indexOf(BEGIN) + BEGIN.length;
  const to = text.indexOf(END);
  assert(from >= BEGIN.length && to >= from, 'the marks around the table are gone');
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(DOCUMENT, `${text.slice(0, from)}${catalogueTable()}${text.slice(to)}`);
    return;
  }
  assert.equal(text.slice(from, to), catalogueTable());
});
