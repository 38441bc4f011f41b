/**
 * Alertmanager's API v2, put together: errors are JSON strings, as its clients expect them, and everything else is as in
 * the rest of the router.
 */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { Action } from '#access/roles.ts';
import type { Alert } from '#alerting/alert.ts';
import type { MatcherMode } from '#alerting/matcher.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Store } from '#alerting/store.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import type { Log } from '#kernel/log.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type App, type authorised, toRefusal } from '#serving/app.ts';
import {
  answersOf,
  isRefusal,
  JSON_TYPE,
  PROBLEMS,
  type ProblemCode,
  type Refusal,
  refuse,
} from '#serving/problems.ts';
import { alertRoutes } from './v2-alerts.ts';
import { groupRoutes } from './v2-groups.ts';
import { silenceRoutes } from './v2-silences.ts';

export type V2Routes = {
  readonly db: Db;
  readonly store: Store;
  readonly setup: () => Setup;
  readonly clock: Clock;
  readonly now: () => Milliseconds;
  readonly newId: () => string;
  readonly mode: MatcherMode;
  readonly receive: (alerts: readonly Alert[]) => Promise<void>;
  readonly counted: (outcome: 'taken' | 'refused', count: number) => void;
  readonly authorised: (action: Action) => ReturnType<typeof authorised>;
  /** This router, as a peer of itself: amtool and Grafana expect one. */
  readonly address: () => string;
  readonly startedAt: Milliseconds;
  readonly version: string;
  readonly revision: string;
  readonly log: Log;
};
export type V2Scope = App;

/** Errors are JSON strings here. */
export const errors = (...more: ProblemCode[]) => answersOf(more, { 'application/json': { schema: z.string() } });

/** The Alertmanager whose API this is: amtool of another minor version would warn. */
export const ALERTMANAGER_VERSION = '0.34.2';

export const badRequest = (detail: string): Refusal => refuse('bad_request', detail.slice(0, 4_000));
export const notFound = (detail: string): Refusal => refuse('not_found', detail);

export function v2Routes(root: App, prefix: string, routes: V2Routes): void {
  root.register(
    async (scope) => {
      const app = scope as unknown as V2Scope;
      app.setErrorHandler((error: unknown, request, reply) => {
        const refusal = isRefusal(error) ? error : toRefusal(error, request, routes);
        if (refusal.retryAfter !== undefined) reply.header('retry-after', String(Math.ceil(refusal.retryAfter / 1000)));
        if (refusal.problem === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
        return reply
          .code(PROBLEMS[refusal.problem].status)
          .type(JSON_TYPE)
          .serializer(JSON.stringify)
          .send(refusal.detail);
      });
      readStrictly(app);
      alertRoutes(app, routes);
      groupRoutes(app, routes);
      silenceRoutes(app, routes);
      statusRoutes(app, routes);
    },
    { prefix: `${prefix}/api/v2` },
  );
}

/** Bytes that are no UTF-8 would silently become other labels. */
function readStrictly(app: V2Scope): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (!(body instanceof Buffer) || !isUtf8(body)) return done(badRequest('the body is no UTF-8') as never, undefined);
    if (hasManyValues(body)) return done(badRequest(`the body has more than ${VALUES_MAX} values`) as never, undefined);
    parse(request, body.toString('utf8'), done);
  });
}

/** Taken apart each is some 50 bytes, however short it was: twice as many as the largest body of real alerts has. */
const VALUES_MAX = 2_000_000;
const [COMMA, BRACE, BRACKET] = [0x2c, 0x7b, 0x5b];

function hasManyValues(body: Buffer): boolean {
  if (body.length <= VALUES_MAX) return false;
  let values = 0;
  for (const byte of body) if (byte === COMMA || byte === BRACE || byte === BRACKET) values++;
  return values > VALUES_MAX;
}

function statusRoutes(app: V2Scope, routes: V2Routes): void {
  const text = z.string();
  app.get(
    '/status',
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        operationId: 'getStatus',
        summary: 'The configuration in force, and this router as a peer of itself',
        response: {
          ...errors(),
          200: z.object({
            cluster: z.object({
              name: text,
              peers: z.array(z.object({ address: text, name: text })),
              status: z.enum(['ready', 'settling', 'disabled']),
            }),
            config: z.object({ original: text }),
            uptime: text,
            versionInfo: z.object({
              branch: text,
              buildDate: text,
              buildUser: text,
              goVersion: text,
              revision: text,
              version: text,
              burnline: text,
            }),
          }),
        },
      },
    },
    async () => ({
      cluster: { name: 'burnline', peers: [{ address: routes.address(), name: 'burnline' }], status: 'ready' as const },
      config: { original: routes.setup().config.original },
      uptime: new Date(routes.startedAt).toISOString(),
      versionInfo: {
        branch: 'burnline',
        buildDate: '',
        buildUser: 'burnline',
        goVersion: `node ${process.versions.node}`,
        revision: routes.revision,
        version: ALERTMANAGER_VERSION,
        burnline: routes.version,
      },
    }),
  );
  app.get(
    '/receivers',
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        operationId: 'getReceivers',
        summary: 'The receivers of the configuration',
        response: { 200: z.array(z.object({ name: text })), ...errors() },
      },
    },
    async () => [...routes.setup().config.receivers.keys()].map((name) => ({ name })),
  );
}
