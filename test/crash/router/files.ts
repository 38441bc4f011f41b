/** The routers' two files. Each reload adds a route at the end, so that those before it keep their places. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Receivers } from './receivers.ts';

/** Several, since Slack takes one message a second and webhook. */
export const TEAMS = 3;
export const ESCALATE_AFTER = 3_000;

const teams = Array.from({ length: TEAMS }, (_, team) => team);

export type Files = {
  readonly config: string;
  readonly oncall: string;
  /** Adds a route of its own for this generation, and keeps those before. */
  write(generation: number): void;
};

export function makeFiles(folder: string, receivers: Receivers): Files {
  const [config, oncall] = [join(folder, 'alertmanager.yml'), join(folder, 'oncall.yaml')];
  const write = (generation: number) => writeFileSync(config, configOf(receivers, generation));
  write(0);
  writeFileSync(oncall, ONCALL);
  return { config, oncall, write };
}

const all = (name: string, { url }: Receivers): string => `- name: ${name}
  slack_configs: [{api_url: '${url}/slack/${name}', send_resolved: true}]
  pagerduty_configs: [{routing_key: '0123456789abcdef0123456789abcdef', url: '${url}/pagerduty/${name}'}]
  webhook_configs: [{url: '${url}/webhook/${name}'}]
  email_configs: [{to: ${name}@localhost, send_resolved: true}]
`;

function configOf(receivers: Receivers, generations: number): string {
  const { url, smtp } = receivers;
  const own = Array.from({ length: generations }, (_, i) => i + 1);
  return `global: {smtp_smarthost: '${smtp}', smtp_from: burnline@localhost, smtp_require_tls: false, resolve_timeout: 1h}
route:
  receiver: default
  group_by: [service]
  group_wait: 1s
  group_interval: 2s
  routes:
${teams
  .map(
    (team) => `  - {receiver: pager-${team}, matchers: ['severity="critical"', 'team="${team}"'], group_wait: 0s}
  - {receiver: team-${team}, matchers: ['severity="warning"', 'team="${team}"']}
`,
  )
  .join('')}${own.map((n) => `  - {receiver: gen-${n}, matchers: ['generation="${n}"']}\n`).join('')}receivers:
- name: default
  webhook_configs: [{url: '${url}/webhook/default'}]
- name: second
  pagerduty_configs: [{routing_key: '0123456789abcdef0123456789abcdef', url: '${url}/pagerduty/second'}]
  webhook_configs: [{url: '${url}/webhook/second'}]
${teams.map((team) => all(`pager-${team}`, receivers) + all(`team-${team}`, receivers)).join('')}${own
  .map((n) => `- {name: gen-${n}, webhook_configs: [{url: '${url}/webhook/gen-${n}'}]}\n`)
  .join('')}`;
}

const ONCALL = `policies:
${teams
  .map(
    (team) => `- name: pager-${team}
  steps:
  - targets: [{receiver: pager-${team}}]
  - {delay: ${ESCALATE_AFTER / 1_000}s, targets: [{receiver: second}]}
  repeat: {times: 0}
`,
  )
  .join('')}`;
