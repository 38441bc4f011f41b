/** Which files the router reads: those that are set, else those that ship, filled in from the settings. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { MatcherMode } from '#alerting/matcher.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Config } from './config.ts';
import { PROJECT_ROOT } from './project.ts';
import type { RouterSources } from './router-files.ts';
import { webhookSecrets } from './webhook-secrets.ts';
import { simulatorsUrl } from './wiring.ts';

/** With the simulators, or with the channels that are given. */
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

/** By the names of their alerts. They are of the documentation, which may be left out where only the router is wanted. */
export function shippedRunbooks(): ReadonlyMap<string, string> {
  const files = globSync(join(PROJECT_ROOT, 'docs', 'runbooks', '*.md'));
  return new Map(files.map((file) => [basename(file, '.md'), readFileSync(file, 'utf8')]));
}

export function sourcesOf(config: Config): RouterSources {
  const shipped = shippedFiles(config);
  const { ROUTER_CONFIG_FILE: file, ROUTER_ONCALL_FILE: oncall } = config;
  // The policies that ship are for the receivers that ship.
  const nobody = file === undefined ? shipped.oncall : '';
  return {
    config: file === undefined ? { shipped: shipped.config } : { file },
    oncall: oncall === undefined ? { shipped: nobody } : { file: oncall },
    mode: modeOf(config),
    // Without a file of one's own PagerDuty is a simulator, which nobody answers.
    hearsPagerduty: file === undefined || pagerdutySecretsOf(config).length > 0,
  };
}

export const pagerdutySecretsOf = (config: Config): Secret[] =>
  webhookSecrets(config.secrets.ROUTER_PAGERDUTY_WEBHOOK_SECRET, config.ROUTER_PAGERDUTY_WEBHOOK_SECRET_FILE);

export const modeOf = ({ ROUTER_FEATURES: features }: Config): MatcherMode =>
  features.includes('classic-mode') ? 'classic' : features.includes('utf8-strict-mode') ? 'utf8' : 'default';
