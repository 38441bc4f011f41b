/** What the router answers, as its own schemas say it. Types alone: nothing of the router is in the page. */
import type { AlertShown, AlertsSummaryShown, IncidentAlertsShown } from '#alerting/api/v1-alerts.ts';
import type { EyeShown } from '#alerting/api/v1-eyes.ts';
import type { IncidentDetailShown, IncidentShown } from '#alerting/api/v1-incidents.ts';
import type { SilencePreviewShown } from '#alerting/api/v1-silences.ts';
import type { BurnStepShown, SloDetailShown, SparklineShown } from '#alerting/api/v1-slo-detail.ts';
import type { SloShown } from '#alerting/api/v1-slos.ts';
import type { GettableAlert } from '#alerting/api/wire-alerts.ts';
import type { AuditShown } from '#console/audit.ts';
import type { DocumentListShown, DocumentShown, PulseShown } from '#console/documents.ts';
import type { SessionShown } from '#console/session.ts';

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

export type Page<T> = { items: T[]; nextCursor: string | null };

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

export type ListedAlert = GettableAlert;
export type Matcher = { name: string; value: string; isRegex: boolean; isEqual: boolean };
export type Silence = {
  id: string;
  status: { state: 'active' | 'pending' | 'expired' };
  updatedAt: string;
  comment: string;
  annotations: Record<string, string>;
  createdBy: string;
  startsAt: string;
  endsAt: string;
  matchers: Matcher[];
};
export type Shift = {
  from: string;
  to: string;
  person: string;
  displayName: string;
  layer: string | null;
  override: string | null;
};
export type Override = {
  id: string;
  person: string;
  from: string;
  to: string;
  createdBy: string | null;
  createdAt: string | null;
  because: string | null;
  fromFile: boolean;
};
export type Calendar = {
  schedule: string;
  timeZone: string;
  shifts: Shift[];
  layers: { name: string; shifts: { from: string; to: string; person: string; displayName: string }[] }[];
  gaps: { from: string; to: string }[];
  overrides: Override[];
};

export type Eye = EyeShown;
export type AlertTold = AlertShown;
export type AlertPage = IncidentAlertsShown;
export type AlertsSummary = AlertsSummaryShown;
export type SilencePreview = SilencePreviewShown;
export type AuditEntry = AuditShown;
export type DocumentSummary = DocumentListShown['items'][number];
export type DocumentDetail = DocumentShown;
export type Pulse = PulseShown;
