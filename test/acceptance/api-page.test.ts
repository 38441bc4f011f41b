/** docs/api.md against a running service: its commands are run in order, their output held against what it shows. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test, { after, before, describe } from 'node:test';
import { PROBLEMS } from '#serving/problems.ts';
import { type Service, startService } from '#test/kit/service.ts';
import { clean } from '#test/kit/stack.ts';

const page = readFileSync('docs/api.md', 'utf8');
const SEPARATOR = '@@@ next @@@';
const noShell = spawnSync('bash', ['-c', 'command -v curl']).status !== 0 && 'bash or curl is not here';

type Step = { readonly command: string; readonly shown: string | undefined };

/** A command goes on over lines that end in a backslash; the comment after it is its output. */
function steps(): Step[] {
  const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block.replaceAll('\\\n', ' '));
  const found: { command: string; shown: string | undefined }[] = [];
  for (const line of blocks.join('\n').split('\n').filter(Boolean)) {
    const last = found.at(-1);
    if (line.startsWith('# ') && last) last.shown = line.slice(2);
    else found.push({ command: line, shown: undefined });
  }
  return found;
}

/** "…" stands for anything; an object may have more than is shown, a list is of what its first item shows. */
function assertLike(actual: unknown, shown: unknown, where: string): void {
  if (shown === '…') assert.notEqual(actual, undefined, where);
  else if (Array.isArray(shown)) {
    assert(Array.isArray(actual) && actual.length > 0, `${where} is a list with something in it`);
    assertLike(actual[0], shown[0], `${where}[0]`);
  } else if (typeof shown === 'object' && shown !== null) {
    for (const [key, value] of Object.entries(shown)) {
      assertLike((actual as Record<string, unknown>)[key], value, `${where}.${key}`);
    }
  } else assert.equal(actual, shown, where);
}

describe('docs/api.md', { skip: noShell }, () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(async () => await service[Symbol.asyncDispose]());

  test('shows commands that work, and what they answer', { timeout: 60_000 }, async () => {
    const all = steps();
    assert(all.length >= 12, `${all.length} commands`);
    const script = all.map(({ command }) => command).join(`\necho; echo '${SEPARATOR}'\n`);
    const local = script.replaceAll('npx burnline', `${process.execPath} bin/burnline`);
    const env = { ...clean(process.env), API: service.api, BURNLINE_URL: service.api };
    const child = spawn('bash', ['-euo', 'pipefail', '-c', local], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 50_000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += String(piece)));
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 0, output);
    const answers = output.split(SEPARATOR).map((text) => text.trim());
    all.forEach(({ command, shown }, i) => {
      if (shown === undefined) return;
      const answer = answers[i] ?? '';
      if (/^[{[]/.test(shown)) assertLike(JSON.parse(answer), JSON.parse(shown), command);
      else assert(answer.startsWith(shown.replace(/….*/, '')), `${command}: ${answer}`);
    });
  });

  test('names every problem code with its status, and no other', () => {
    const listed = [...page.matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)].map(([, status, code]) => `${status} ${code}`);
    const real = Object.entries(PROBLEMS).map(([code, { status }]) => `${status} ${code}`);
    assert.deepEqual(listed.sort(), real.sort());
  });

  test('shows the route of every operation on documents', async () => {
    const { paths } = (await (await fetch(`${service.api}/openapi.json`)).json()) as { paths: Record<string, object> };
    for (const path of Object.keys(paths).filter((one) => one.startsWith('/v1/'))) {
      const shown = path.replace('/keys/{id}', '/keys').replace('{id}', '$ID');
      assert(page.includes(shown), path);
    }
  });
});
