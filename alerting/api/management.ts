/** What machines and operators ask of the process itself: alive, ready, reload, metrics, the API's own description. */
import { z } from 'zod';
import type { Action } from '#access/roles.ts';
import { EXPOSITION_TYPE } from '#collector/exposition.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Db } from '#kernel/database.ts';
import type { App, authorised } from '#serving/app.ts';
import { refuse } from '#serving/problems.ts';

export type ManagementRoutes = {
  readonly db: Db;
  readonly telemetry: Telemetry;
  /** @returns what is wrong with the files; the ones in force stay in force then. */
  readonly reload: () => Promise<string | undefined>;
  readonly authorised: (action: Action) => ReturnType<typeof authorised>;
};

export function managementRoutes(app: App, prefix: string, routes: ManagementRoutes): void {
  const text = z.string();
  app.get(`${prefix}/-/healthy`, { schema: { response: { 200: text } } }, async () => 'OK');
  app.get(`${prefix}/-/ready`, { schema: { response: { 200: text, 503: text } } }, async (_request, reply) => {
    await routes.db.query('select 1 as ready');
    return reply.send('OK');
  });
  const reload = {
    preHandler: routes.authorised('router:configure'),
    schema: { response: { 200: text } },
  };
  app.post(`${prefix}/-/reload`, reload, async (_request, reply) => {
    const wrong = await routes.reload();
    if (wrong !== undefined) throw refuse('internal', `failed to reload config: ${wrong}`.slice(0, 4_000));
    return await reply.send('');
  });
  app.get(`${prefix}/metrics`, { schema: { response: { 200: text } } }, async (_request, reply) => {
    reply.type(EXPOSITION_TYPE);
    return await reply.serializer(String).send(await routes.telemetry.exposition('all'));
  });
  app.get(`${prefix}/openapi.json`, { schema: { hide: true } }, async () => app.swagger());
}
