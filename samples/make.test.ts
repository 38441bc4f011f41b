import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { BAD_SAMPLES, GOOD_SAMPLES, SAMPLES_FOLDER } from './catalogue.ts';
import { makeSamples } from './make.ts';

const filesIn = (folder: URL) => readdirSync(folder).sort();

test('the samples are what make.ts writes, byte for byte', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'samples-'));
  try {
    const made = pathToFileURL(`${folder}/documents/`);
    await makeSamples(made);
    for (const kind of ['good/', 'bad/']) {
      const [want, got] = [new URL(kind, SAMPLES_FOLDER), new URL(kind, made)];
      assert.deepEqual(filesIn(got), filesIn(want), 'run: node samples/make.ts');
      for (const file of filesIn(want)) {
        const same = readFileSync(new URL(file, want)).equals(readFileSync(new URL(file, got)));
        assert(same, `${kind}${file} differs: run node samples/make.ts`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the catalogue lists every sample', () => {
  const listed = (samples: readonly { readonly file: string }[]) => samples.map(({ file }) => file).sort();
  assert.deepEqual(listed(GOOD_SAMPLES), filesIn(new URL('good/', SAMPLES_FOLDER)));
  assert.deepEqual(listed(BAD_SAMPLES), filesIn(new URL('bad/', SAMPLES_FOLDER)));
});

test('no two samples are found by the same words', () => {
  assert.equal(new Set(GOOD_SAMPLES.map(({ words }) => words)).size, GOOD_SAMPLES.length);
});
