/** `npm run check`: types, lint and format, house rules. Says of each whether it passed; stops at nothing. */
import { spawnSync } from 'node:child_process';

const STEPS = [
  ['types', 'tsc', ['-p', '.']],
  ['types of the page', 'tsc', ['-p', 'console/web']],
  ['lint and format', 'biome', ['check', '--error-on-warnings', '.']],
  [
    'house rules',
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--test', '--test-reporter=dot', 'test/house-rules.test.ts'],
  ],
] as const;

let failed = 0;
for (const [name, command, args] of STEPS) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  process.stdout.write(`${status === 0 ? 'passed' : 'FAILED'}: ${name}\n`);
  if (status !== 0) failed++;
}
process.exitCode = failed === 0 ? 0 : 1;
