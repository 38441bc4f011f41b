import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { NO_PROC } from '#test/kit/memory.ts';
import { collectGarbage, INSPECTED } from './inspector.ts';

/** Holds one thing and lets go of another; says which of them is collected. */
const HOLDER = `
  const gone = new FinalizationRegistry((name) => console.log(name));
  globalThis.kept = {};
  gone.register(globalThis.kept, 'what is needed is gone');
  gone.register({}, 'the garbage is gone');
  console.log('ready');
  setInterval(() => {}, 1_000);
`;

test('collectGarbage() makes a process let go of what it does not need', { skip: NO_PROC }, async (t) => {
  const child = spawn(process.execPath, [INSPECTED, '-e', HOLDER], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => child.kill());
  const lines = createInterface(child.stdout);
  const heard: string[] = [];
  lines.on('line', (line) => heard.push(line));
  await once(lines, 'line');
  assert.equal(await collectGarbage(child.pid ?? 0), true);
  if (heard.length < 2) await once(lines, 'line');
  assert.deepEqual(heard, ['ready', 'the garbage is gone']);
});

test('collectGarbage() says that a process has no inspector', { skip: NO_PROC }, async (t) => {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1_000)']);
  t.after(() => child.kill());
  await once(child.stdout, 'data');
  assert.equal(await collectGarbage(child.pid ?? 0), false);
  assert.equal(await collectGarbage(2 ** 22 + 1), false, 'nor has one that is gone');
});
