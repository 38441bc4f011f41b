/** The role `simulators`: the vendors on the internet, played by servers on this machine. */
import { join } from 'node:path';
import { startSimulators } from '#simulators/start.ts';
import type { Config } from './config.ts';
import { type Runtime, tellReady, untilStopped } from './runtime.ts';

export async function runSimulators(config: Config, { clock, random, log, stop }: Runtime): Promise<void> {
  const simulators = await startSimulators({
    host: config.SIMULATORS_HOST,
    port: config.SIMULATORS_PORT,
    smtpPort: config.SIMULATORS_SMTP_PORT,
    folder: join(config.BURNLINE_STATE, 'simulators'),
    seed: config.SIMULATORS_SEED,
    latency: config.SIMULATORS_LATENCY,
    clock,
    random,
    log,
  });
  const urls = { simulators: simulators.url, smtp: `smtp://${config.SIMULATORS_HOST}:${simulators.smtpPort}` };
  log.info(urls, 'simulators are ready');
  tellReady(urls);
  await untilStopped(stop);
  await simulators.close();
}
