/** Messages of every kind and the channels they go to, for tests of what people read. */
import type {
  EmailIntegration,
  PagerdutyIntegration,
  SlackIntegration,
  WebhookIntegration,
} from '#alerting/config/config.ts';
import type { Circumstances, GroupMessage, IncidentMessage, ToldAlert } from '#alerting/message.ts';
import { secret } from '#kernel/secret.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';

/** 2025-11-24 16:00:00 UTC. */
export const NOON: Milliseconds = milliseconds(1_764_000_000_000);
export const after = (seconds: number): Milliseconds => milliseconds(NOON + seconds * 1_000);

export const toldAlert = (more: Partial<ToldAlert> = {}): ToldAlert => ({
  status: 'firing',
  fingerprint: '00d1e2f3a4b5c6d7',
  labels: {
    alertname: 'ErrorBudgetBurn',
    sloth_service: 'burnline-documents',
    sloth_id: 'burnline-documents-documents-processed',
    severity: 'critical',
    tier: 'evidence',
    eye: 'router',
  },
  annotations: {
    summary: 'Documents processed (burnline-documents) spends its error budget 31 times as fast as it may',
    description: '37 of 60 documents failed in 30 s; within the objective that happens once in 10 years',
    burn_rate: '31',
    budget_spent: '1.2 %',
    budget_lasts: '21.7 h',
  },
  startsAt: after(-40),
  endsAt: undefined,
  generatorUrl: 'http://prometheus.example.test/graph?g0.expr=up',
  ...more,
});

export const LINKS = {
  external: 'https://pager.example.test',
  incident: 'https://pager.example.test/incidents/0192-7',
  acknowledge: 'https://pager.example.test/incidents/0192-7/acknowledge?until=1&signature=SIGNATURE-OF-THE-LINK',
  silence: 'https://pager.example.test/incidents/0192-7/silence?until=1&signature=SIGNATURE-OF-THE-OTHER',
  runbook: 'https://runbooks.example.test/documents',
  dashboard: 'https://grafana.example.test/d/documents?var-a=1&var-b=2',
} as const;

export function incidentMessage(
  more: Partial<Omit<IncidentMessage, 'incident'>> & { readonly incident?: Partial<IncidentMessage['incident']> } = {},
): IncidentMessage {
  const { incident, ...rest } = more;
  return {
    kind: 'incident',
    action: 'trigger',
    paged: ['ada', '#documents'],
    next: { who: ['grace'], at: after(300) },
    step: 1,
    round: 1,
    alerts: { firing: 1, resolved: 0, list: [toldAlert()] },
    links: LINKS,
    ...rest,
    incident: {
      id: '0192d5f0-0000-7000-8000-000000000007',
      number: 7,
      title: 'Documents processed',
      severity: 'critical',
      state: 'open',
      service: 'burnline-documents',
      objective: 'burnline-documents-documents-processed',
      openedAt: after(-30),
      acknowledgedBy: undefined,
      resolvedAt: undefined,
      drill: false,
      ...incident,
    },
  };
}

export const groupMessage = (more: Partial<GroupMessage> = {}): GroupMessage => ({
  kind: 'group',
  status: 'firing',
  missed: false,
  receiver: 'team-x',
  groupKey: '{}/{team="x"}:{alertname="DiskFull"}',
  groupLabels: { alertname: 'DiskFull' },
  commonLabels: { alertname: 'DiskFull', severity: 'warning', service: 'storage' },
  commonAnnotations: {},
  alerts: {
    firing: 1,
    resolved: 0,
    list: [toldAlert({ labels: { alertname: 'DiskFull', severity: 'warning', service: 'storage', host: 'db-1' } })],
  },
  links: { external: LINKS.external },
  ...more,
});

export const circumstances = (more: Partial<Circumstances> = {}): Circumstances => ({
  id: '0192d5f0-0000-7000-8000-00000000000a',
  mayRepeat: false,
  thread: [],
  createdAt: NOON,
  ...more,
});

const timeout = milliseconds(5_000);
export const slackTo = (url: string, more: Partial<SlackIntegration> = {}): SlackIntegration => ({
  kind: 'slack',
  index: 0,
  sendResolved: true,
  url: secret(url),
  channel: undefined,
  username: undefined,
  timeout,
  ...more,
});
export const pagerdutyTo = (url: string, more: Partial<PagerdutyIntegration> = {}): PagerdutyIntegration => ({
  kind: 'pagerduty',
  index: 0,
  sendResolved: true,
  routingKey: secret('ROUTING-KEY-OF-32-CHARACTERS-000'),
  url,
  client: undefined,
  clientUrl: undefined,
  source: undefined,
  severity: undefined,
  class: undefined,
  component: undefined,
  group: undefined,
  details: {},
  timeout,
  ...more,
});
export const webhookTo = (url: string, more: Partial<WebhookIntegration> = {}): WebhookIntegration => ({
  kind: 'webhook',
  index: 0,
  sendResolved: true,
  url: secret(url),
  maxAlerts: 0,
  timeout,
  authorization: undefined,
  basicAuth: undefined,
  ...more,
});
export const emailTo = (port: number, more: Partial<EmailIntegration> = {}): EmailIntegration => ({
  kind: 'email',
  index: 0,
  sendResolved: true,
  to: 'on-call@example.test',
  from: 'Burnline <burnline@example.test>',
  smarthost: { host: '127.0.0.1', port },
  hello: 'localhost',
  auth: undefined,
  requireTls: false,
  implicitTls: false,
  headers: {},
  ...more,
});
