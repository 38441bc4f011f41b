/** A real Prometheus on a folder of its own, and something for it to scrape. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '#test/tools/postgres.ts';

export type RunningPrometheus = AsyncDisposable & {
  readonly url: string;
  readonly pid: number;
  readonly folder: string;
};
export type PrometheusOptions = {
  /** The text of prometheus.yml; `SELF` is where it listens. */
  readonly config: string;
  /** Files beside it, which it may name, by their path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Filled already, with a folder `data`; else a new one, thrown away at the end. */
  readonly folder?: string;
  readonly flags?: readonly string[];
  readonly readyWithin?: number;
  /** Where whoever sends to it expects it; else a free one. */
  readonly port?: number;
  /** Whether the server at that URL answers, where nobody may ask it so simply. */
  readonly ready?: (url: string) => Promise<boolean>;
};

export async function startPrometheus(program: string, options: PrometheusOptions): Promise<RunningPrometheus> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'burnline-prometheus-'));
  const port = options.port ?? (await freePort());
  writeFileSync(join(folder, 'prometheus.yml'), options.config.replaceAll('SELF', `127.0.0.1:${port}`));
  for (const [name, text] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
      ...(options.flags ?? []),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let told = '';
  child.stderr.on('data', (piece) => {
    told = `${told}${piece}`.slice(-4_000);
  });
  try {
    await untilReady(child, options.readyWithin ?? 30_000, async () => {
      if (options.ready !== undefined) return await options.ready(url);
      return (await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(1_000) })).ok;
    });
  } catch (error) {
    await ended(child);
    throw new Error(`Prometheus did not start: ${told}`, { cause: error });
  }
  return {
    url,
    pid: child.pid ?? 0,
    folder,
    [Symbol.asyncDispose]: async () => {
      await ended(child);
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(child: ChildProcess, within: number, isReady: () => Promise<boolean>): Promise<void> {
  for (const limit = performance.now() + within; ; ) {
    if (await isReady().catch(() => false)) return;
    if (child.exitCode !== null || performance.now() > limit) throw new Error(`not ready; exit code ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(late);
}

export type Page = { status?: number; headers?: Record<string, string>; body: string; hang?: boolean };
export type Pages = AsyncDisposable & { readonly url: string; readonly host: string };

/** A server that answers as it is told at the time of asking. */
export async function servePages(answer: (path: string, body: string) => Page): Promise<Pages> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const page = answer(request.url ?? '/', Buffer.concat(pieces).toString('utf8'));
      if (page.hang) return;
      response.writeHead(page.status ?? 200, page.headers ?? { 'content-type': 'text/plain; version=0.0.4' });
      response.end(page.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Cannot listen');
  const host = `127.0.0.1:${address.port}`;
  return {
    host,
    url: `http://${host}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
