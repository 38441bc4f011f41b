/** k6 as a process: started with a plan, watched by what it writes down, ended early where somebody says so. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRecord } from './book.ts';
import type { DocumentRecord } from './k6/record.ts';

export type K6Run = {
  readonly program: string;
  /** Of k6, with the address and the key of the target. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly plan: string;
  readonly folder: string;
  /** Where its metrics go by remote write. */
  readonly prometheus: string | undefined;
  /** By which its series are told apart. */
  readonly run: string;
};
export type Running = {
  /** The exit code; a signal is 128 and more. */
  readonly ended: Promise<number>;
  /** Ends it as Ctrl-C would: it writes its summary, and follows nothing any more. */
  stop(): void;
};

const SCRIPT = fileURLToPath(new URL('./k6/load.ts', import.meta.url));
/** Nothing is told to anybody. */
export const K6_ENVIRONMENT = { K6_NO_USAGE_REPORT: 'true', K6_AUTO_EXTENSION_RESOLUTION: 'false' } as const;
export const FILES = { records: 'documents.ndjson', summary: 'k6-summary.json', dashboard: 'k6.html', log: 'k6.log' };

export function runK6({ program, environment, plan, folder, prometheus, run }: K6Run): Running {
  const output = prometheus === undefined ? [] : ['-o', 'experimental-prometheus-rw'];
  const records = join(folder, FILES.records);
  const args = [
    ...['run', '--quiet', '--address', '', '--tag', `testid=${run}`, ...output],
    ...['--log-format', 'raw', '--console-output', records, SCRIPT],
  ];
  const log = openSync(join(folder, FILES.log), 'w');
  const child = spawn(program, args, {
    stdio: ['ignore', log, log],
    env: {
      ...environment,
      ...K6_ENVIRONMENT,
      LOAD_PLAN: plan,
      LOAD_SUMMARY: join(folder, FILES.summary),
      K6_WEB_DASHBOARD: 'true',
      // No port: only the page at the end.
      K6_WEB_DASHBOARD_PORT: '-1',
      K6_WEB_DASHBOARD_PERIOD: '2s',
      K6_WEB_DASHBOARD_EXPORT: join(folder, FILES.dashboard),
      ...(prometheus === undefined ? {} : remoteWrite(prometheus)),
    } as NodeJS.ProcessEnv,
  });
  closeSync(log);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
  return { ended, stop: () => void child.kill('SIGINT') };
}

/** Native histograms, so that quantiles of several k6 add up. */
const remoteWrite = (url: string) => ({
  K6_PROMETHEUS_RW_SERVER_URL: `${url.replace(/\/+$/, '')}/api/v1/write`,
  K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM: 'true',
  K6_PROMETHEUS_RW_PUSH_INTERVAL: '2s',
});

/** @param isStopped by us. @returns what its exit code says where it is no verdict; undefined for those that are. */
export function failureOf(code: number, isStopped: boolean): string | undefined {
  if (code === 0 || code === THRESHOLDS_CROSSED || (code === INTERRUPTED && isStopped)) return undefined;
  return FAILURES[code] ?? `k6 ended with ${code}`;
}

export const THRESHOLDS_CROSSED = 99;
const INTERRUPTED = 105;
/** https://github.com/grafana/k6/blob/master/errext/exitcodes/codes.go */
const FAILURES: Readonly<Record<number, string>> = {
  [INTERRUPTED]: 'k6 was stopped by somebody else',
  103: 'k6 could not be started',
  104: 'k6 does not take the plan',
  107: 'the script threw before anybody began',
  137: 'k6 was killed, perhaps for want of memory',
};

const PIECE = 1 << 20;

/** Reads what was added to the records since the last call, whole lines of it. */
export function makeTail(folder: string): () => DocumentRecord[] {
  const path = join(folder, FILES.records);
  let [offset, rest, decoder] = [0, '', new TextDecoder()];
  const buffer = new Uint8Array(PIECE);
  return () => {
    const records: DocumentRecord[] = [];
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch {
      return records; // k6 has not said anything yet
    }
    try {
      for (let n = 1; n > 0; ) {
        n = readSync(file, buffer, 0, PIECE, offset);
        offset += n;
        const lines = (rest + decoder.decode(buffer.subarray(0, n), { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const record = readRecord(line);
          if (record !== undefined) records.push(record);
        }
      }
    } finally {
      closeSync(file);
    }
    return records;
  };
}
