/** The router's files that ship, filled in from the settings: with the simulators, or with the channels that are given. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { PROJECT_ROOT } from './project.ts';
import { simulatorsUrl } from './wiring.ts';

export function shippedFiles(config: Config): { readonly config: string; readonly oncall: string } {
  const base = simulatorsUrl(config);
  const values: Readonly<Record<string, string>> = {
    SMTP: `${config.SIMULATORS_HOST}:${config.SIMULATORS_SMTP_PORT || 1025}`,
    SLACK: `${base}/slack/services/T0/B0/simulated`,
    PAGERDUTY: `${base}/pagerduty/v2/enqueue`,
    PAGERDUTY_KEY: '0123456789abcdef0123456789abcdef',
  };
  const read = (name: string) => readFileSync(join(PROJECT_ROOT, 'alerting', 'defaults', name), 'utf8');
  return {
    config: read('alertmanager.yml').replace(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole),
    oncall: read('oncall.yaml'),
  };
}
