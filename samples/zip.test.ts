import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { unzip, zip } from './zip.ts';

const parts = [
  { name: 'a.txt', content: 'hello', deflate: true },
  { name: 'b/ä.txt', content: 'x'.repeat(500) },
];

test('unzip() reads what zip() wrote', () => {
  assert.deepEqual(
    unzip(zip(parts)).map(({ name, content }) => [name, content.toString()]),
    parts.map(({ name, content }) => [name, content]),
  );
});

test('zip() writes what others can read', { skip: spawnSync('unzip', ['-v']).error ? 'needs unzip' : false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'zip-'));
  try {
    writeFileSync(join(folder, 'a.zip'), zip(parts));
    const { status, stdout } = spawnSync('unzip', ['-t', join(folder, 'a.zip')], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
