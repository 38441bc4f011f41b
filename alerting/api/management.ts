/** What machines and operators ask of the process itself: alive, ready, reload, metrics, the API's own description. */
import { z } from 'zod';
import { audit } from '#access/audit.ts';
import type { Action } from '#access/roles.ts';
import { EXPOSITION_TYPE } from '#collector/exposition.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Db } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { App, authorised } from '#serving/app.ts';
import { deedOf } from '#serving/deed.ts';
import { problems, refuse } from '#serving/problems.ts';

export type ManagementRoutes = {
  readonly db: Db;
  readonly now: () => Milliseconds;
  readonly telemetry: Telemetry;
  /** @returns what is wrong with the files; the ones in force stay in force then. */
  readonly reload: () => Promise<string | undefined>;
  readonly authorised: (action: Action) => ReturnType<typeof authorised>;
};

export function managementRoutes(app: App, prefix: string, routes: ManagementRoutes): void {
  const tags = ['management'];
  const plain = (description: string) => ({ description, content: { 'text/plain': { schema: z.string() } } });
  const ok = { 200: plain('OK') };
  app.get(
    `${prefix}/-/healthy`,
    { schema: { tags, summary: 'The process lives', response: { ...ok, ...unasked() } } },
    async (_request, reply) => await reply.type(TEXT).serializer(String).send('OK'),
  );
  app.get(
    `${prefix}/-/ready`,
    { schema: { tags, summary: 'The store answers', response: { ...ok, ...unasked() } } },
    async (_request, reply) => {
      await routes.db.query('select 1 as ready');
      return await reply.type(TEXT).serializer(String).send('OK');
    },
  );
  app.post(
    `${prefix}/-/reload`,
    {
      onRequest: routes.authorised('router:configure'),
      schema: {
        tags,
        summary: 'Reads the files again; what is wrong with them is said, and the ones before stay in force',
        response: { 200: plain('They are in force'), ...problems('too_large', 'unsupported_media_type') },
      },
    },
    async (request, reply) => {
      const wrong = await routes.reload();
      const deed = deedOf(request, 'router:reload', 'files', routes.now());
      await audit(routes.db, wrong === undefined ? deed : { ...deed, outcome: 'failed' });
      if (wrong !== undefined) throw refuse('internal', `failed to reload config: ${wrong}`.slice(0, 4_000));
      return await reply.type(TEXT).serializer(String).send('');
    },
  );
  app.get(
    `${prefix}/metrics`,
    { schema: { tags, summary: 'Prometheus’ text format', response: { 200: plain('The metrics'), ...unasked() } } },
    async (_request, reply) => {
      reply.type(EXPOSITION_TYPE);
      return await reply.serializer(String).send(await routes.telemetry.exposition('all'));
    },
  );
  app.get(
    `${prefix}/openapi.json`,
    { schema: { tags, summary: 'This document', response: { 200: z.looseObject({}), ...unasked() } } },
    async () => app.swagger() as never,
  );
}

const TEXT = 'text/plain; charset=utf-8';

/** Whoever needs no key is still told when the request or the store is at fault. */
function unasked() {
  const all: Record<string, unknown> = problems();
  return Object.fromEntries(Object.entries(all).filter(([status]) => !['401', '403', '429'].includes(status)));
}
