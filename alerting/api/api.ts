/** The router's HTTP server: Alertmanager's API and its management paths, and the router's own. */
import type { Keys } from '#access/keys.ts';
import { type App, type AppOptions, authorised, makeApp } from '#serving/app.ts';
import { keyRoutes } from '#serving/keys.ts';
import { refuse } from '#serving/problems.ts';
import { LINK_PATH, type LinkRoutes, linkRoutes } from './links.ts';
import { type ManagementRoutes, managementRoutes } from './management.ts';
import { incidentAlertRoutes } from './v1-alerts.ts';
import { changeRoutes } from './v1-changes.ts';
import { type CorrectionRoutes, correctionRoutes } from './v1-corrections.ts';
import { eventRoutes } from './v1-events.ts';
import { type EyeRoutes, eyeRoutes } from './v1-eyes.ts';
import { heartbeatRoutes } from './v1-heartbeats.ts';
import { type InboundRoutes, inboundRoutes, PAGERDUTY_PATH } from './v1-inbound.ts';
import { type IncidentRoutes, incidentRoutes } from './v1-incidents.ts';
import { notificationRoutes } from './v1-notifications.ts';
import { onCallRoutes } from './v1-oncall.ts';
import { type OverrideRoutes, overrideRoutes } from './v1-overrides.ts';
import { reportRoutes } from './v1-report.ts';
import { runbookRoutes } from './v1-runbooks.ts';
import { silencePreviewRoutes } from './v1-silences.ts';
import { sloDetailRoutes } from './v1-slo-detail.ts';
import { type SloRoutes, sloRoutes } from './v1-slos.ts';
import { type V2Routes, v2Routes } from './v2.ts';

export type RouterApi = Omit<V2Routes, 'authorised' | 'counted'> &
  Omit<ManagementRoutes, 'authorised'> &
  Omit<IncidentRoutes, 'authorised'> &
  Omit<SloRoutes, 'authorised'> &
  Omit<CorrectionRoutes, 'authorised'> &
  Omit<OverrideRoutes, 'authorised'> &
  Omit<EyeRoutes, 'authorised'> &
  LinkRoutes &
  InboundRoutes &
  Omit<AppOptions, 'described' | 'open' | 'signed' | 'quiet'> & {
    readonly prefix: string;
    readonly keys: Keys;
    /** Of routes that somebody else puts onto it. */
    readonly beside?: Required<Pick<AppOptions, 'open' | 'signed'>>;
  };

/** What machines ask all the time. */
const MACHINES = ['/-/healthy', '/-/ready', '/metrics'];

export async function makeRouterApi(options: RouterApi): Promise<App> {
  const { prefix, beside = { open: [], signed: [] } } = options;
  const app = await makeApp({
    ...options,
    open: [...[...MACHINES, '/openapi.json', LINK_PATH].map((path) => `${prefix}${path}`), ...beside.open],
    signed: [`${prefix}${PAGERDUTY_PATH}`, ...beside.signed],
    quiet: MACHINES.map((path) => `${prefix}${path}`),
    described: {
      title: 'Burnline router',
      description: 'Alerts in, the right person woken: Alertmanager’s API v2, incidents, escalation, on call.',
      version: options.version,
    },
  });
  app.addHook('onRequest', async ({ url }) => {
    if (/%00/.test(url)) throw refuse('bad_request', 'The address holds a NUL');
  });
  const counted: V2Routes['counted'] = (outcome, count) => {
    if (count > 0) options.telemetry.count('alerts_received_total', { outcome }, count);
  };
  const routes = { ...options, authorised, counted };
  v2Routes(app, prefix, routes);
  incidentRoutes(app, prefix, routes);
  reportRoutes(app, prefix, routes);
  runbookRoutes(app, prefix, routes);
  incidentAlertRoutes(app, prefix, routes);
  silencePreviewRoutes(app, prefix, routes);
  notificationRoutes(app, prefix, routes);
  sloRoutes(app, prefix, routes);
  sloDetailRoutes(app, prefix, routes);
  eyeRoutes(app, prefix, routes);
  correctionRoutes(app, prefix, routes);
  linkRoutes(app, prefix, routes);
  onCallRoutes(app, prefix, routes);
  overrideRoutes(app, prefix, routes);
  changeRoutes(app, prefix, routes);
  heartbeatRoutes(app, prefix, routes);
  eventRoutes(app, prefix, routes);
  await inboundRoutes(app, prefix, routes);
  managementRoutes(app, prefix, routes);
  keyRoutes(app, options.keys, `${prefix}/api/v1`);
  return app;
}
