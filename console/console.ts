/** What the router serves to people beside its own API: the page, and who they are. */
import type { App, AppOptions } from '#serving/app.ts';
import { auditRoutes } from './audit.ts';
import { type DocumentRoutes, documentRoutes, seesDocuments } from './documents.ts';
import { openPages, type PageRoutes, pageRoutes } from './page-routes.ts';
import { type SessionRoutes, sessionRoutes, signedPaths } from './session.ts';
import { type SimulatorRoutes, simulatorRoutes } from './simulators.ts';

export type ConsoleOptions = PageRoutes & Omit<SessionRoutes, 'features'> & DocumentRoutes & SimulatorRoutes;

/** What the router's server has to know of these routes before they are put onto it. */
export const besideRouter = (prefix: string): Required<Pick<AppOptions, 'open' | 'signed'>> => ({
  open: openPages(prefix),
  signed: signedPaths(prefix),
});

export function consoleRoutes(app: App, prefix: string, options: ConsoleOptions): void {
  pageRoutes(app, prefix, options);
  const { documents, simulators } = options;
  sessionRoutes(app, prefix, {
    ...options,
    features: (principal) => ({
      documents: seesDocuments(documents, principal),
      simulators: simulators !== undefined,
    }),
  });
  documentRoutes(app, prefix, options);
  simulatorRoutes(app, prefix, options);
  auditRoutes(app, prefix, options);
}
