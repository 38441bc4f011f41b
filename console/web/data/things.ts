/** What pages show, each asked for in one way. */
import { get, type Query } from './api.ts';
import { type Resource, useResource } from './resource.ts';
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

export const useSlos = (): Resource<Slo[]> =>
  useResource('slos', (signal) => get('api/v1/slos', {}, signal), { every: SOMETIMES, on: ['verdict'] });

export const useSlo = (id: string): Resource<SloDetail> =>
  useResource(`slos/${id}`, (signal) => get(`api/v1/slos/${encodeURIComponent(id)}`, {}, signal), {
    every: OFTEN,
    on: ['verdict'],
  });

export type Range = { readonly from: string; readonly to: string; readonly step: number };

/** @param range changes now and then: it is part of what is asked for */
export const useBurn = (id: string, range: () => Range, name: string): Resource<BurnStep[]> =>
  useResource(
    `burn/${id}/${name}`,
    (signal) => get(`api/v1/slos/${encodeURIComponent(id)}/burn`, { ...range() }, signal),
    { every: MINUTE },
  );

export const useOpenIncidents = (): Resource<Page<Incident>> =>
  useResource('incidents/open', (signal) => get('api/v1/incidents', { state: NOT_OVER, limit: 200 }, signal), {
    every: SELDOM,
    on: ['incident'],
  });

export const useIncidents = (query: Query, name: string): Resource<Page<Incident>> =>
  useResource(`incidents/${name}`, (signal) => get('api/v1/incidents', query, signal), {
    every: SELDOM,
    on: ['incident'],
  });

export const useIncident = (id: string): Resource<IncidentDetail> =>
  useResource(`incidents/${id}/whole`, (signal) => get(`api/v1/incidents/${encodeURIComponent(id)}`, {}, signal), {
    every: SELDOM,
    on: ['incident', 'notification'],
  });

export const useIncidentAlerts = (id: string): Resource<AlertPage> =>
  useResource(
    `incidents/${id}/alerts`,
    (signal) => get(`api/v1/incidents/${encodeURIComponent(id)}/alerts`, { limit: 50 }, signal),
    { every: SOMETIMES, on: ['incident'] },
  );

export const useNotifications = (query: Query, name: string): Resource<Page<Notification>> =>
  useResource(`notifications/${name}`, (signal) => get('api/v1/notifications', query, signal), {
    every: SELDOM,
    on: ['notification'],
  });

export const useOnCall = (): Resource<OnCall[]> =>
  useResource('oncall', (signal) => get('api/v1/oncall', {}, signal), { every: SELDOM, on: ['oncall'] });

export const useEyes = (): Resource<Eye[]> =>
  useResource('eyes', (signal) => get('api/v1/eyes', {}, signal), { every: OFTEN });

export const useAlertsSummary = (): Resource<AlertsSummary> =>
  useResource('alerts/summary', (signal) => get('api/v1/alerts/summary', {}, signal), {
    every: SOMETIMES,
    on: ['verdict', 'incident'],
  });

/** @param wanted false: this router knows no document API. */
export const usePulse = (wanted: boolean): Resource<Pulse> =>
  useResource('pulse', (signal) => get('api/v1/pulse', {}, signal), { every: OFTEN, wanted });

export const useChanges = (): Resource<Page<Change>> =>
  useResource('changes', (signal) => get('api/v1/changes', { limit: 100 }, signal), { every: SELDOM });

export const useDocument = (id: string): Resource<DocumentDetail> =>
  useResource(`documents/${id}`, (signal) => get(`api/v1/documents/${encodeURIComponent(id)}`, {}, signal), {
    every: 2_000,
  });

/** @param from and `to` in milliseconds */
export const useCalendar = (from: number, to: number): Resource<Calendar[]> =>
  useResource(
    `oncall/calendar/${from}/${to}`,
    (signal) =>
      get('api/v1/oncall/calendar', { from: new Date(from).toISOString(), to: new Date(to).toISOString() }, signal),
    { every: SELDOM, on: ['oncall'] },
  );
