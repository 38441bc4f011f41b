/** From the configuration to what the console's routes take. */
import { join } from 'node:path';
import type { ConsoleOptions } from '#console/console.ts';
import type { Config } from './config.ts';
import { PROJECT_ROOT, VERSION } from './project.ts';

export function consoleOptions(
  config: Config,
): Omit<ConsoleOptions, 'site' | 'sessions' | 'authenticate' | 'setup' | 'now'> {
  return {
    dist: join(PROJECT_ROOT, 'console', 'dist'),
    version: VERSION,
    embedded: config.supervised,
    features: () => ({ documents: false, simulators: false }),
    links: { grafana: null, traces: null },
  };
}
