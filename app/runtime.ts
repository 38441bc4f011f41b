/** What every role's process needs first: its log, its telemetry, and an end. */
import { logContext } from '#collector/context.ts';
import { crashHandler, startTelemetry, type Telemetry } from '#collector/telemetry.ts';
import { type Clock, systemClock } from '#kernel/clock.ts';
import { type Log, makeLog } from '#kernel/log.ts';
import { type Random, systemRandom } from '#kernel/random.ts';
import { endWithParent, onStopSignal } from '#kernel/shutdown.ts';
import { type Config, logOptions } from './config.ts';
import { VERSION } from './project.ts';
import { otlpOptions } from './wiring.ts';

export type Runtime = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Aborts when the process shall end. */
  readonly stop: AbortSignal;
};

/** What a child tells `npm start`. */
export type Ready = { readonly kind: 'ready'; readonly urls: Readonly<Record<string, string>> };
/** What `npm start` tells a child: this other child is started no more. */
export type Told = { readonly kind: 'given up'; readonly name: string };

/** For the supervisor: a log and an end, and no telemetry, since its children have their own. */
export function startPlain(config: Config): Omit<Runtime, 'telemetry'> {
  const clock = systemClock;
  const log = makeLog({ ...logOptions(config), mixin: logContext }, { role: config.role });
  for (const { setting, message } of config.warnings) log.warn({ setting }, `${setting} ${message}`);
  // Whoever started it by IPC (the supervisor; bin/burnline under another Node) and is gone leaves no orphan behind.
  endWithParent(clock);
  // The router reads its files again, as Alertmanager does.
  const signals = { ignoreTerminal: config.supervised, ignoreHangUp: config.role === 'router' };
  return { clock, random: systemRandom, log, stop: onStopSignal(clock, signals) };
}

/** Telemetry starts here, before the modules that it instruments are loaded: so roles are imported after it. */
export async function startRuntime(config: Config): Promise<Runtime> {
  const { clock, random, stop, log: plain } = startPlain(config);
  const otlp = otlpOptions(config);
  const telemetry = await startTelemetry({
    role: config.role === 'start' ? 'service' : config.role,
    instanceId: config.workerId,
    version: VERSION,
    log: plain,
    clock,
    metricsEnabled: config.METRICS === 'on',
    tracesEnabled: config.TRACES === 'on',
    ...(otlp ? { otlp } : {}),
  });
  const log = telemetry.bridgeLog(plain);
  const crashed = crashHandler(telemetry, log, (code) => process.exit(code));
  process.on('uncaughtException', crashed);
  process.on('unhandledRejection', crashed);
  return { clock, random, log, telemetry, stop };
}

export function tellReady(urls: Readonly<Record<string, string>>): void {
  process.send?.({ kind: 'ready', urls } satisfies Ready);
}

/** What the supervisor tells, if there is one; it may say the same again. */
export function onTold(heard: (word: Told) => void): void {
  if (process.send === undefined) return;
  process.on('message', (word: Told) => {
    if (word.kind === 'given up') heard(word);
  });
}

export async function untilStopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  await new Promise<void>((resolve) => {
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
}
