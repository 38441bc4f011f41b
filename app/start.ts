/** The role `start`: everything on one machine, embedded, with simulators in place of the vendors. */
import { fileURLToPath } from 'node:url';
import { milliseconds } from '#kernel/units.ts';
import { type Config, environment } from './config.ts';
import type { Runtime } from './runtime.ts';
import { untilStopped } from './runtime.ts';
import { SETTING_NAMES } from './settings.ts';
import { type Child, type ChildSpec, superviseChild } from './supervisor.ts';

const ENTRY = fileURLToPath(new URL('./main.ts', import.meta.url));
/** Together under the 8 s that Ctrl-C may take. */
const STOP_LIMITS = { service: milliseconds(4_500), router: milliseconds(2_000), simulators: milliseconds(1_200) };
const DRAIN_MS = '4000';

/** @returns the exit code. */
export async function runStart(config: Config, runtime: Omit<Runtime, 'telemetry'>): Promise<number> {
  const { clock, log, stop } = runtime;
  const ended = new AbortController();
  let watch: Child | undefined;
  // Once the router watches it stays, whoever is given up: it is the one who tells.
  const giveUp = (name: string) => {
    if (watch === undefined || name === 'router') ended.abort(new Error(name));
    else watch.tell({ kind: 'given up', name });
  };
  const supervise = (spec: ChildSpec) =>
    superviseChild(spec, { clock, log, restarts: config.RESTARTS_A_MINUTE, giveUp });
  const children: Child[] = [];
  const real = config.BURNLINE_VENDORS === 'real';
  const over = AbortSignal.any([stop, ended.signal]);
  try {
    const urls: Record<string, string> = {};
    const env = childEnvironment(config);
    if (!real) {
      const simulators = supervise({ name: 'simulators', entry: ENTRY, args: ['simulators'], env });
      children.unshift(simulators);
      Object.assign(urls, await simulators.ready);
      // A free port that was asked for as 0 is now known, and stays the same through restarts.
      Object.assign(env, { SIMULATORS_PORT: new URL(urls['simulators'] ?? '').port });
    }
    const ready = async (child: Child) => await Promise.race([child.ready, untilStopped(over).then(() => ({}))]);
    if (!over.aborted) {
      const service = supervise({ name: 'service', entry: ENTRY, args: ['service'], env });
      children.unshift(service);
      Object.assign(urls, await ready(service));
    }
    if (!over.aborted) {
      // What it watches may listen on free ports.
      Object.assign(env, portsOf(urls));
      env['DOCUMENTS_API_URL'] ||= urls['api'];
      const router = supervise({ name: 'router', entry: ENTRY, args: ['router'], env });
      children.splice(1, 0, router);
      Object.assign(urls, await ready(router));
      watch = router;
    }
    if (!over.aborted) announce(urls, real);
    await untilStopped(over);
  } catch (error) {
    if (!over.aborted) throw error;
  }
  for (const child of children) await child.stop(STOP_LIMITS[child.name as keyof typeof STOP_LIMITS]);
  return ended.signal.aborted ? 1 : 0;
}

function portsOf(urls: Readonly<Record<string, string>>): Record<string, string> {
  const port = (name: string) => (urls[name] === undefined ? undefined : new URL(urls[name]).port);
  const found = { API_PORT: port('api'), METRICS_PORT: port('metrics'), SIMULATORS_SMTP_PORT: port('smtp') };
  return Object.fromEntries(
    Object.entries(found).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function childEnvironment(config: Config): Record<string, string | undefined> {
  const given = environment();
  const flags = Object.fromEntries(
    SETTING_NAMES.flatMap((name) => {
      const value = (config as Record<string, unknown>)[name];
      const isGiven = Array.isArray(value) ? value.length > 0 : ['string', 'number'].includes(typeof value);
      return isGiven ? [[name, String(value)]] : [];
    }),
  );
  return {
    ...given,
    ...flags,
    BURNLINE_SUPERVISED: '1',
    STOP_LIMIT_MS: given['STOP_LIMIT_MS'] ?? DRAIN_MS,
    LOG_TERMINAL: process.stderr.isTTY ? '1' : '0',
  };
}

function announce(urls: Readonly<Record<string, string>>, real: boolean): void {
  const lines = [
    '',
    'Burnline is ready.',
    `  Document API   ${urls['api']}        (OpenAPI at /openapi.json)`,
    `  Router         ${urls['router']}        (the console; Alertmanager's API at /api/v2, incidents at /api/v1/incidents)`,
    `  Metrics        ${urls['metrics']}/metrics`,
    ...(urls['simulators']
      ? [`  Simulators     ${urls['simulators']}        (inbox at /inbox, faults at /faults; mail at ${urls['smtp']})`]
      : []),
    real
      ? '  Vendors        real: LlamaParse and OpenAI are called and billed'
      : '  Vendors        simulated: nothing leaves this machine',
    '',
    `  curl -F file=@README.md ${urls['api']}/v1/documents`,
    '',
    'Ctrl-C stops it.',
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
