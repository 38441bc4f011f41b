/** Real processes of the product, started as a user starts them, on free ports, with state of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SETTING_NAMES } from '#app/settings.ts';

export type Urls = Readonly<Record<string, string>>;
export type Running = AsyncDisposable & {
  readonly process: ChildProcess;
  readonly urls: Urls;
  /** Everything it wrote so far. */
  output(): string;
  /** Asks it to end, and waits. @returns the exit code, or the signal. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
  kill(): Promise<void>;
};

/** On a machine that builds the image of a database beside three other things. */
const READY_WITHIN = 120_000;
const FREE = ['--port', '0', '--metrics-port', '0'];
export const FREE_PORTS: Readonly<Record<string, readonly string[]>> = {
  start: [...FREE, '--simulators-port', '0', '--smtp-port', '0', '--web.listen-address', '127.0.0.1:0'],
  service: FREE,
  api: ['--port', '0'],
  worker: ['--metrics-port', '0'],
  router: ['--web.listen-address', '127.0.0.1:0'],
  simulators: ['--simulators-port', '0', '--smtp-port', '0'],
};

/** A router's, with files of one's own, on a free port. */
export const withFiles = (config: string, oncall: string): string[] => [
  '--web.listen-address=127.0.0.1:0',
  `--config.file=${config}`,
  `--oncall.file=${oncall}`,
];

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'burnline-stack-'));
}

/** A role, ready. @throws with its whole output when it does not get there. */
export async function startRole(
  role: string,
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[] = FREE_PORTS[role] ?? [],
  /** For whoever cannot wait until it is ready. */
  spawned: (child: ChildProcess) => void = () => {},
): Promise<Running> {
  const child = spawn(process.execPath, ['bin/burnline', role, ...args], {
    env: { ...clean(process.env), LOG_FORMAT: 'json', ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  spawned(child);
  let output = '';
  const read = (data: Buffer) => {
    output = (output + data.toString()).slice(-2_000_000);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const end = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code ?? -1));
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return await end;
  };
  const kill = async () => void (await stop('SIGKILL'));
  const begun = performance.now();
  while (readUrls(role, output) === undefined) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || performance.now() - begun > READY_WITHIN) {
      await kill();
      throw new Error(`${role} did not get ready:\n${output.slice(-4_000)}`);
    }
    await sleep(20);
  }
  return {
    process: child,
    urls: readUrls(role, output) ?? {},
    output: () => output,
    stop,
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

const OURS = /^(BURNLINE_(?!CACHE)|OTEL_|LLAMA|OPENAI_|LOG_TERMINAL$|NODE_TEST|CI$)/;

/** What a developer's shell holds must not leak into a test. */
export function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const settings = new Set<string>(SETTING_NAMES);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !settings.has(name) && !OURS.test(name)));
}

function readUrls(role: string, output: string): Urls | undefined {
  if (role === 'start') {
    if (!/Ctrl-C stops it/.test(output)) return undefined;
    const find = (label: string) => new RegExp(`${label} +(http://[\\d.:]+)`).exec(output)?.[1] ?? '';
    return {
      api: find('Document API'),
      metrics: find('Metrics'),
      simulators: find('Simulators'),
      router: find('Router'),
    };
  }
  const line = output.split('\n').find((text) => / (?:is|are) ready"/.test(text));
  if (line === undefined) return undefined;
  const fields = JSON.parse(line) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => /^\w+:\/\//.test(String(entry[1]))),
  );
}

/** Removes a state folder once everything in it has ended. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

export type Process = { readonly pid: number; readonly role: string };

/** The roles below a process, from /proc. */
export function childrenOf(pid: number): Process[] {
  const direct = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
  return direct.flatMap((child) => {
    try {
      const words = readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0').filter(Boolean);
      return [{ pid: child, role: words.at(-1) ?? '' }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
