/** `burnline start` as a person meets it: it comes up, comes up again, goes down, and leaves no child behind. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { burnline } from '#test/kit/cli.ts';
import { call, untilFinished, upload } from '#test/kit/client.ts';
import { childrenOf, removeFolder, startRole, temporaryFolder, type Urls } from '#test/kit/stack.ts';

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(good: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await Promise.resolve(good()).catch(() => false)) return;
    await sleep(100);
  }
  assert.fail(`never: ${what}`);
}

type Top = {
  readonly slos: readonly { readonly verdict: string }[];
  readonly incidents: readonly unknown[];
  readonly pulse: { readonly finished?: { readonly completed: number }; readonly unavailable?: string };
};

/** As a script asks for it; and a person's picture of the same moment. */
async function topOf(urls: Urls): Promise<Top> {
  const env = { BURNLINE_ROUTER_URL: urls['router'] ?? '', BURNLINE_URL: urls['api'] ?? '' };
  const { stdout } = await burnline(['top', '--once', '--json'], env);
  const top = JSON.parse(stdout) as Top;
  assert(top.slos.length >= 8 && top.incidents.length === 0, stdout);
  const picture = await burnline(['top', '--once'], env);
  assert.match(picture.stdout, /^burnline top .*nothing is open/);
  assert(
    picture.stdout.split('\n').every((line) => line.length <= 80),
    picture.stdout,
  );
  const alone = await burnline(['top', '--once'], { ...env, BURNLINE_URL: 'http://127.0.0.1:1' });
  assert.match(alone.stdout, /DOCUMENTS {2}Cannot reach the document API/);
  return top;
}

describe('burnline start', { skip: process.platform !== 'linux' && 'reads /proc' }, () => {
  test('starts a killed service again, with everything it had, and ends without leaving anybody', async () => {
    const state = temporaryFolder();
    await using stack = await startRole('start', { BURNLINE_STATE: state });
    const { api = '' } = stack.urls;
    const { body } = await upload(api, '# One\n\nThe pump is in order.', 'one.md');
    const roles = () => childrenOf(stack.process.pid ?? 0);
    await until(
      async () => (await topOf(stack.urls)).pulse.finished?.completed === 1,
      'the document in `burnline top`',
    );
    const service = roles().find(({ role }) => role === 'service');
    assert(service, JSON.stringify(roles()));
    process.kill(service.pid, 'SIGKILL');
    await until(() => roles().some(({ role, pid }) => role === 'service' && pid !== service.pid), 'a new service');
    const log = () => stack.output();
    await until(() => (log().match(/"msg":"service is ready"/g)?.length ?? 0) >= 2, 'the new service is ready');
    const again = /"api":"(http:\/\/[\d.:]+)"[^\n]*"msg":"service is ready"[^\n]*\n?$/m;
    const address = [...log().matchAll(/"api":"(http:\/\/[\d.:]+)"/g)].at(-1)?.[1] ?? again.source;
    assert.equal((await untilFinished(address, body.id)).status, 'completed');
    const pids = roles().map(({ pid }) => pid);
    assert.equal(await stack.stop('SIGINT'), 0);
    for (const pid of pids) assert(!isRunning(pid), `process ${pid} is still there`);
    removeFolder(state);
  });

  test('takes its children with it when it is killed itself', async () => {
    const state = temporaryFolder();
    await using stack = await startRole('start', { BURNLINE_STATE: state });
    const pids = childrenOf(stack.process.pid ?? 0).map(({ pid }) => pid);
    assert.equal(pids.length, 3);
    await stack.kill();
    await until(() => pids.every((pid) => !isRunning(pid)), 'the children end');
    await using next = await startRole('start', { BURNLINE_STATE: state });
    assert.equal((await call(`${next.urls['api']}/readyz`)).status, 200);
    assert.equal(await next.stop('SIGTERM'), 0);
    removeFolder(state);
  });

  test('gives up a child whose configuration is wrong, at once and with a reason', async () => {
    await assert.rejects(
      startRole('start', { EMBEDDING_MODEL: 'unknown-model', BURNLINE_STATE: temporaryFolder() }),
      /Cannot price embeddings by \\?"unknown-model\\?"/,
    );
  });
});
