/** What the router answers, as its own schemas say it. Types alone: nothing of the router is in the page. */
import type { z } from 'zod';
import type { IncidentDetailShown, IncidentShown } from '#alerting/api/v1-incidents.ts';
import type { BurnStepShown, SloDetailShown, SparklineShown } from '#alerting/api/v1-slo-detail.ts';
import type { SloShown } from '#alerting/api/v1-slos.ts';
import type { SessionShown } from '#console/session.ts';
import type { documentSchema, summarySchema } from '#worker/api/schemas.ts';

export type Verdict = Slo['verdict'];
export type Severity = NonNullable<Slo['severity']>;

export type Session = SessionShown;
export type Slo = SloShown;
export type SloDetail = SloDetailShown;
export type SloRule = SloDetail['rules'][number];
export type BurnStep = BurnStepShown;
export type Sparkline = SparklineShown;
export type Incident = IncidentShown;
export type IncidentState = Incident['state'];
export type IncidentDetail = IncidentDetailShown;
export type TimelineEntry = IncidentDetail['timeline'][number];
export type DocumentSummary = z.infer<typeof summarySchema>;
export type DocumentDetail = z.infer<typeof documentSchema>;
export type AuditEntry = {
  id: number;
  at: string;
  tenant: string;
  subject: string;
  action: string;
  target: string;
  outcome: string;
  correlationId: string | null;
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
