/** What the router answers, as its own schemas say it. Types alone: nothing of the router is in the page. */
import type { AlertShown, AlertsSummaryShown, IncidentAlertsShown } from '#alerting/api/v1-alerts.ts';
import type { ChangeShown } from '#alerting/api/v1-changes.ts';
import type { EyeShown } from '#alerting/api/v1-eyes.ts';
import type { IncidentDetailShown, IncidentShown } from '#alerting/api/v1-incidents.ts';
import type { NotificationShown } from '#alerting/api/v1-notifications.ts';
import type { OnCallShown } from '#alerting/api/v1-oncall.ts';
import type { OnCallCalendarShown } from '#alerting/api/v1-overrides.ts';
import type { SilencePreviewShown } from '#alerting/api/v1-silences.ts';
import type { BurnStepShown, SloDetailShown, SparklineShown } from '#alerting/api/v1-slo-detail.ts';
import type { SloShown } from '#alerting/api/v1-slos.ts';
import type { SilenceShown } from '#alerting/api/v2-silences.ts';
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

export type Page<T> = { items: T[]; nextCursor: string | null };

export type ListedAlert = GettableAlert;
export type Matcher = Silence['matchers'][number];

export type Eye = EyeShown;
export type AlertTold = AlertShown;
export type AlertPage = IncidentAlertsShown;
export type AlertsSummary = AlertsSummaryShown;
export type SilencePreview = SilencePreviewShown;
export type AuditEntry = AuditShown;
export type DocumentSummary = DocumentListShown['items'][number];
export type DocumentDetail = DocumentShown;
export type Pulse = PulseShown;
export type Notification = NotificationShown;
export type Change = ChangeShown;
export type OnCall = OnCallShown;
export type Silence = SilenceShown;
export type Calendar = OnCallCalendarShown;
export type Override = Calendar['overrides'][number];
