/** The command, run as a user runs it, to its end. */
import { spawn } from 'node:child_process';
import { clean } from './stack.ts';

export type Ran = { readonly code: number | string; readonly stdout: string; readonly stderr: string };

const LIMIT = 60_000;
/** Nobody listens there; at the usual addresses a developer's own `npm start` may. */
const NOBODY = 'http://127.0.0.1:1';
const ALONE = { BURNLINE_URL: NOBODY, BURNLINE_ROUTER_URL: NOBODY };

export async function burnline(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  node: string = process.execPath,
  limit: number = LIMIT,
): Promise<Ran> {
  const child = spawn(node, ['bin/burnline', ...args], {
    env: { ...clean(process.env), ...ALONE, ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limit,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => resolve(signal ?? exit ?? -1));
  });
  return { code, stdout, stderr };
}
