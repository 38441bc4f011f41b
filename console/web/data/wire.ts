/** What the router answers, as its own schemas say it. Types alone: nothing of the router is in the page. */
export type Verdict = 'ok' | 'burning' | 'unknown';
export type Severity = 'critical' | 'warning' | 'info';

export type Session = {
  subject: string;
  name: string;
  tenant: string;
  roles: string[];
  via: string;
  may: string[];
  signedIn: boolean;
  expiresAt: string | null;
  anonymous: boolean;
  embedded: boolean;
  features: { documents: boolean; simulators: boolean };
  people: { name: string; displayName: string }[];
  version: string;
  now: string;
  links: { grafana: string | null; traces: string | null };
};

export type Slo = {
  id: string;
  service: string;
  displayName: string;
  objective: number;
  window: unknown;
  good: number;
  total: number;
  sli: number | null;
  budgetRemaining: number;
  budgetInterval: { low: number; high: number };
  burnRates: Record<string, number>;
  verdict: Verdict;
  severity: Severity | null;
  rule: string | null;
  because: string | null;
  since: string;
  exhaustsAt: string | null;
};
export type SloRule = {
  name: string;
  severity: Severity;
  long: number;
  short: number;
  factor: number;
  longRate: number;
  shortRate: number;
  firing: boolean;
};
export type SloDetail = Slo & {
  description: string | null;
  runbook: string | null;
  dashboard: string | null;
  budget: number;
  period: { from: string; to: string };
  rules: SloRule[];
};
export type BurnStep = { at: string; budgetRemaining: number; coverage: number; burnRates: Record<string, number> };
export type Sparkline = { id: string; from: string; step: number; burnRates: (number | null)[] };

export type IncidentState = 'open' | 'acknowledged' | 'snoozed' | 'resolved';
export type Incident = {
  id: string;
  number: number;
  state: IncidentState;
  severity: 'critical' | 'warning';
  title: string;
  service: string;
  objective: string | null;
  drill: boolean;
  policy: string;
  openedAt: string;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  snoozedUntil: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
  alerts: number;
  told: string[];
  nextStepAt: string | null;
  paged: string[];
};
export type TimelineEntry = { at: string; kind: string; because: string; actor: string | null };
export type IncidentDetail = Incident & {
  timeline: TimelineEntry[];
  next: { who: string[]; at: string } | null;
  runbook: string | null;
  dashboard: string | null;
};
export type AlertTold = {
  fingerprint: string;
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string | null;
  generatorUrl: string;
  silencedBy: string[];
  inhibitedBy: string[];
};
export type Page<T> = { items: T[]; nextCursor: string | null };
export type AlertPage = Page<AlertTold> & { firing: number; resolved: number };

export type Notification = {
  id: string;
  incident: string | null;
  destination: string;
  channel: string;
  action: string;
  state: string;
  attempts: number;
  mayRepeat: boolean;
  createdAt: string;
  finishedAt: string | null;
  error: string | null;
};

export type Change = {
  id: string;
  at: string;
  summary: string;
  source: string;
  service: string | null;
  links: { href: string; text?: string | undefined }[];
  details: Record<string, string>;
  createdBy: string;
};

export type Person = { name: string; displayName: string };
export type OnCall = { schedule: string; timeZone: string; onDuty: Person[]; until: string | null; next: Person[] };

export type Pulse = {
  at: string;
  seconds: number;
  finished: { completed: number; rejected: number; failed: number };
  unfinished: Record<string, number>;
  oldestUnfinishedSeconds: number | null;
  workers: { id: string; lastSeen: string; alive: boolean }[];
  vendors: { vendor: string; calls: number; failed: number; p95Seconds: number | null; costUsd: number }[];
  circuits: Record<string, string>;
};

export type Eye = {
  eye: 'router' | 'prometheus';
  state: 'open' | 'blind' | 'absent';
  since: string | null;
  because: string;
  lastAt: string | null;
  targets: { name: string; url: string; answered: boolean; lastAt: string | null; because: string | null }[];
};
export type AlertsSummary = { active: { critical: number; warning: number; info: number; none: number } };
