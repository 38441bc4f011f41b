/** What pages show, each asked for in one way. */
import { get, type Query } from './api.ts';
import { type Resource, useResource, type Wanted, warm } from './resource.ts';
import type {
  AlertPage,
  AlertsSummary,
  BurnStep,
  Calendar,
  Change,
  DocumentDetail,
  Eye,
  Incident,
  IncidentDetail,
  Notification,
  OnCall,
  Page,
  Pulse,
  Slo,
  SloDetail,
} from './wire.ts';

/** Numbers move without an event. */
const OFTEN = 5_000;
const SOMETIMES = 15_000;
/** An event says when it changes: asked for all the same, should one have been missed. */
const SELDOM = 60_000;
const MINUTE = 60_000;

const NOT_OVER = ['open', 'acknowledged', 'snoozed'] as const;

const SLOS: Wanted<Slo[]> = {
  key: 'slos',
  load: (signal) => get('api/v1/slos', {}, signal),
  options: { every: SOMETIMES, on: ['verdict'] },
};
export const useSlos = (): Resource<Slo[]> => useResource(SLOS);

export const useSlo = (id: string): Resource<SloDetail> =>
  useResource({
    key: `slos/${id}`,
    load: (signal) => get(`api/v1/slos/${encodeURIComponent(id)}`, {}, signal),
    options: {
      every: OFTEN,
      on: ['verdict'],
    },
  });

export type Range = { readonly from: string; readonly to: string; readonly step: number };

/** @param range as it is at each asking @param name of the range: another one is another thing to ask for */
export const useBurn = (id: string, range: () => Range, name: string): Resource<BurnStep[]> =>
  useResource({
    key: `burn/${id}/${name}`,
    load: (signal) => get(`api/v1/slos/${encodeURIComponent(id)}/burn`, { ...range() }, signal),
    options: { every: MINUTE },
  });

const OPEN_INCIDENTS: Wanted<Page<Incident>> = {
  key: 'incidents/open',
  load: (signal) => get('api/v1/incidents', { state: NOT_OVER, limit: 200 }, signal),
  options: { every: SELDOM, on: ['incident'] },
};
export const useOpenIncidents = (): Resource<Page<Incident>> => useResource(OPEN_INCIDENTS);

/** What somebody who was just woken looks at first. */
export const warmOverview = (): void => warm(OPEN_INCIDENTS, SLOS);

export const useIncidents = (query: Query, name: string): Resource<Page<Incident>> =>
  useResource({
    key: `incidents/${name}`,
    load: (signal) => get('api/v1/incidents', query, signal),
    options: {
      every: SELDOM,
      on: ['incident'],
    },
  });

export const useIncident = (id: string): Resource<IncidentDetail> =>
  useResource({
    key: `incidents/${id}/whole`,
    load: (signal) => get(`api/v1/incidents/${encodeURIComponent(id)}`, {}, signal),
    options: {
      every: SELDOM,
      on: ['incident', 'notification'],
    },
  });

export const useIncidentAlerts = (id: string): Resource<AlertPage> =>
  useResource({
    key: `incidents/${id}/alerts`,
    load: (signal) => get(`api/v1/incidents/${encodeURIComponent(id)}/alerts`, { limit: 50 }, signal),
    options: { every: SOMETIMES, on: ['incident'] },
  });

export const useNotifications = (query: Query, name: string): Resource<Page<Notification>> =>
  useResource({
    key: `notifications/${name}`,
    load: (signal) => get('api/v1/notifications', query, signal),
    options: {
      every: SELDOM,
      on: ['notification'],
    },
  });

export const useOnCall = (): Resource<OnCall[]> =>
  useResource({
    key: 'oncall',
    load: (signal) => get('api/v1/oncall', {}, signal),
    options: { every: SELDOM, on: ['oncall'] },
  });

export const useEyes = (): Resource<Eye[]> =>
  useResource({ key: 'eyes', load: (signal) => get('api/v1/eyes', {}, signal), options: { every: OFTEN } });

export const useAlertsSummary = (): Resource<AlertsSummary> =>
  useResource({
    key: 'alerts/summary',
    load: (signal) => get('api/v1/alerts/summary', {}, signal),
    options: {
      every: SOMETIMES,
      on: ['verdict', 'incident'],
    },
  });

/** @param isWanted false: this router knows no document API. */
export const usePulse = (isWanted: boolean): Resource<Pulse> =>
  useResource({ key: 'pulse', load: (signal) => get('api/v1/pulse', {}, signal), options: { every: OFTEN } }, isWanted);

export const useChanges = (): Resource<Page<Change>> =>
  useResource({
    key: 'changes',
    load: (signal) => get('api/v1/changes', { limit: 100 }, signal),
    options: { every: SELDOM },
  });

export const useDocument = (id: string): Resource<DocumentDetail> =>
  useResource({
    key: `documents/${id}`,
    load: (signal) => get(`api/v1/documents/${encodeURIComponent(id)}`, {}, signal),
    options: {
      every: 2_000,
    },
  });

/** @param from and `to` in milliseconds */
export const useCalendar = (from: number, to: number): Resource<Calendar[]> =>
  useResource({
    key: `oncall/calendar/${from}/${to}`,
    load: (signal) =>
      get('api/v1/oncall/calendar', { from: new Date(from).toISOString(), to: new Date(to).toISOString() }, signal),
    options: { every: SELDOM, on: ['oncall'] },
  });
