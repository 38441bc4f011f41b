/** The first load test, run by the real k6 against a real stack: what it says when all is well, and when not. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test, { after, before, describe } from 'node:test';
import { type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';
import { K6_ENVIRONMENT } from '#test/tools/k6.ts';
import { freePort } from '#test/tools/postgres.ts';

const K6 = process.env['TEST_TOOL_K6'];
/** k6's own. */
const THRESHOLDS_CROSSED = 99;
const SCRIPT_THREW = 107;

type Said = { readonly code: number; readonly output: string };

async function smoke(
  url: string,
  args: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const env = { ...process.env, ...K6_ENVIRONMENT, BURNLINE_URL: url, LOAD_SECONDS: '3', LOAD_USERS: '2', ...more };
  return await new Promise((resolve) => {
    execFile(K6 ?? '', ['run', ...args, 'loadtests/smoke.ts'], { env, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` });
    });
  });
}

describe('loadtests/smoke.ts', { skip: K6 === undefined && 'k6 is not here', timeout: 240_000 }, () => {
  const state = temporaryFolder();
  let stack: Running | undefined;
  const api = () => stack?.urls['api'] ?? '';
  before(async () => {
    stack = await startRole('start', { BURNLINE_STATE: state, SIMULATORS_LATENCY: 'zero', CANARY_EVERY_SECONDS: '0' });
  });
  after(async () => {
    await stack?.stop();
    removeFolder(state);
  });

  test('follows every document to its end', async () => {
    // How fast is this machine's matter.
    const { code, output } = await smoke(api(), ['--no-thresholds']);
    assert.equal(code, 0, output);
    assert.match(output, /document_completed\.*: 100\.00%/);
    assert.match(output, /checks_succeeded\.*: 100\.00%/);
  });

  test('fails when uploads are refused', async () => {
    const { code, output } = await smoke(api(), [], { BURNLINE_KEY: 'bl_0123456789abcdef_nobody' });
    assert.equal(code, THRESHOLDS_CROSSED, output);
    assert.match(output, /POST \/v1\/documents answers 401/);
  });

  test('says at once that nothing is there', async () => {
    const { code, output } = await smoke(`http://127.0.0.1:${await freePort()}`);
    assert.equal(code, SCRIPT_THREW, output);
    assert.match(output, /is it the document API, and does it run\?/);
  });
});
