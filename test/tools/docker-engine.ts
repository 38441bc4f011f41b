/**
 * A private Docker engine: its own folder, socket and network addresses, and nothing of it left when it has ended. Needs
 * root, since it makes namespaces and mounts.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, globSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { iptablesFolder, unmountUnder } from './docker.ts';

const NAME = 'burnline-docker-';
const UP_WITHIN = 60_000;
const DOWN_WITHIN = 30_000;
/** What a machine answers that lets nobody make namespaces or mounts. */
const FORBIDDEN = /permission denied|operation not permitted|must be root|read-only file system/i;

export type RunOptions = { readonly timeout?: number; readonly env?: NodeJS.ProcessEnv };
export type DockerEngine = AsyncDisposable & {
  /** @returns what it printed. @throws with what it printed. */
  docker(args: readonly string[], options?: RunOptions): Promise<string>;
};
export type Started =
  | { readonly kind: 'started'; readonly engine: DockerEngine }
  | { readonly kind: 'forbidden'; readonly why: string };

/** @param programs the folder of `findDocker`. @throws when it does not start for another reason than want of rights. */
export async function startEngine(programs: string): Promise<Started> {
  const lacking = missingRights();
  if (lacking.length > 0) return { kind: 'forbidden', why: `a Docker engine needs root with ${lacking.join(', ')}` };
  await sweep();
  const folder = mkdtempSync(join(tmpdir(), `${NAME}${process.pid}-`));
  const at = (name: string) => join(folder, name);
  const env = { ...process.env, PATH: [programs, iptablesFolder(), process.env['PATH']].join(delimiter) };
  const log = openSync(at('log'), 'a');
  const child = spawn(
    join(programs, 'dockerd'),
    [
      ...['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('dockerd.pid')],
      ...['-H', `unix://${at('docker.sock')}`, '--log-level=warn', '--bridge=none'],
      ...['--iptables=false', '--ip6tables=false', '--ip-masq=false', '--ip-forward=false'],
      ...['--default-address-pool', 'base=10.204.0.0/16,size=24'],
    ],
    { env, stdio: ['ignore', log, log], detached: true },
  );
  closeSync(log);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const killed = () => void child.kill('SIGTERM');
  process.once('exit', killed);
  const stop = async () => {
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(DOWN_WITHIN, undefined, { ref: false }).then(() => child.kill('SIGKILL'))]);
    await ended;
    process.off('exit', killed);
    clear(folder);
  };
  const engine = { docker: runner(programs, at('docker.sock'), env), [Symbol.asyncDispose]: stop };
  for (const begun = performance.now(); performance.now() - begun < UP_WITHIN && child.exitCode === null; ) {
    if (
      await engine.docker(['version']).then(
        () => true,
        () => false,
      )
    )
      return { kind: 'started', engine };
    await sleep(200);
  }
  const said = readFileSync(at('log'), 'utf8').slice(-2_000);
  await stop();
  if (FORBIDDEN.test(said)) return { kind: 'forbidden', why: `no Docker engine may start here: ${said.slice(-300)}` };
  throw new Error(`the Docker engine does not start:\n${said}`);
}

/** Of the process, by their bits in `capabilities(7)`: an engine starts without them, and can then start nothing. */
function missingRights(): string[] {
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(contentOf('/proc/self/status'))?.[1] ?? '0'}`);
  const needed = { CAP_NET_ADMIN: 12n, CAP_SYS_CHROOT: 18n, CAP_SYS_ADMIN: 21n };
  return Object.entries(needed).flatMap(([name, bit]) => ((held >> bit) & 1n ? [] : [name]));
}

function runner(programs: string, socket: string, env: NodeJS.ProcessEnv): DockerEngine['docker'] {
  const run = promisify(execFile);
  const own = { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: programs, BUILDX_NO_DEFAULT_ATTESTATIONS: '1' };
  return async (args, { timeout = 120_000, env: more = {} } = {}) => {
    const options = { env: { ...env, ...own, ...more }, timeout, maxBuffer: 64 * 1024 * 1024 };
    try {
      return (await run(join(programs, 'docker'), args, options)).stdout;
    } catch (error) {
      const { stdout = '', stderr = '', code } = error as { stdout?: string; stderr?: string; code?: unknown };
      throw new Error(`docker ${args.join(' ')} ended with ${code}:\n${`${stdout}${stderr}`.slice(-6_000)}`);
    }
  };
}

/** What a killed run has left behind. */
async function sweep(): Promise<void> {
  for (const folder of globSync(join(tmpdir(), `${NAME}*`))) {
    const owner = /-(\d+)-\w+$/.exec(folder)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    const pid = Number(contentOf(join(folder, 'dockerd.pid')));
    if (pid > 0 && contentOf(`/proc/${pid}/cmdline`).includes(folder)) {
      process.kill(pid, 'SIGTERM');
      for (const begun = performance.now(); isAlive(pid) && performance.now() - begun < DOWN_WITHIN; ) await sleep(200);
    }
    clear(folder);
  }
}

function clear(folder: string): void {
  unmountUnder(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function isAlive(pid: number): boolean {
  return contentOf(`/proc/${pid}/cmdline`) !== '';
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
