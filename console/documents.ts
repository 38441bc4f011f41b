/**
 * Documents for whoever looks at the console: four questions, asked of the document API with the router's own key. That key
 * is of one tenant, and so is whoever may ask here: tenants do not see each other.
 */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type AuditOutcome, audit } from '#access/audit.ts';
import type { Principal } from '#access/roles.ts';
import type { Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type App, authorised } from '#serving/app.ts';
import { deedOf } from '#serving/deed.ts';
import { isRefusal, problems, refuse } from '#serving/problems.ts';
import { pulseSchema } from '#worker/api/pulse.ts';
import { acceptedSchema, documentSchema, idParams, listQuery, listSchema } from '#worker/api/schemas.ts';
import { askUpstream, type Upstream } from './upstream.ts';

export type DocumentsSide = {
  readonly api: Upstream;
  /** Whose documents the key shows. */
  readonly tenant: string;
};
export type DocumentRoutes = {
  /** Undefined: nobody has said where they are. */
  readonly documents: DocumentsSide | undefined;
  readonly db: Queryable;
  readonly now: () => Milliseconds;
};

export type DocumentShown = z.infer<typeof documentSchema>;
export type DocumentListShown = z.infer<typeof listSchema>;
export type PulseShown = z.infer<typeof pulseSchema>;

export const seesDocuments = (side: DocumentsSide | undefined, { tenant }: Pick<Principal, 'tenant'>): boolean =>
  side?.tenant === tenant;

const tags = ['documents'];
const more = ['not_found', 'documents_unavailable', 'uri_too_long'] as const;

export function documentRoutes(app: App, prefix: string, routes: DocumentRoutes): void {
  const path = `${prefix}/api/v1/documents`;
  const read = authorised('incidents:read');
  app.get(
    path,
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'Documents, newest first, as the document API has them',
        querystring: listQuery,
        response: { 200: listSchema, ...problems(...more) },
      },
    },
    async (request) => {
      const given = Object.entries(request.query).filter(([, value]) => value !== undefined);
      const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
      return await ask(request, routes, `/v1/documents?${query}`, listSchema);
    },
  );
  app.get(
    `${path}/:id`,
    {
      onRequest: read,
      schema: {
        tags,
        params: idParams,
        summary: 'One document, its way so far, and the calls to vendors that were made for it',
        response: { 200: documentSchema, ...problems(...more) },
      },
    },
    async (request) => await ask(request, routes, `/v1/documents/${request.params.id}`, documentSchema),
  );
  app.get(
    `${prefix}/api/v1/pulse`,
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'What ended lately, what waits, who works, how the vendors answer',
        response: { 200: pulseSchema, ...problems(...more) },
      },
    },
    async (request) => await ask(request, routes, '/v1/pulse', pulseSchema),
  );
  retryRoute(app, path, routes);
}

function retryRoute(app: App, path: string, routes: DocumentRoutes): void {
  app.post(
    `${path}/:id/retry`,
    {
      onRequest: authorised('incidents:act'),
      schema: {
        tags,
        params: idParams,
        summary: 'Tries a failed document again, from the first step whose result is missing',
        response: {
          202: acceptedSchema,
          ...problems(...more, 'not_retryable', 'too_large', 'unsupported_media_type'),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      // It happens elsewhere: what came of it is known only afterwards.
      const record = async (outcome: AuditOutcome) =>
        await audit(routes.db, { ...deedOf(request, 'documents:retry', id, routes.now()), outcome });
      const ways = { method: 'POST' } as const;
      const retried = await ask(request, routes, `/v1/documents/${id}/retry`, acceptedSchema, ways).catch(
        async (error: unknown) => {
          const isAway = !isRefusal(error) || error.problem === 'documents_unavailable';
          await record(isAway ? 'failed' : 'refused');
          throw error;
        },
      );
      await record('done');
      return await reply.code(202).header('location', `${path}/${id}`).send(retried);
    },
  );
}

async function ask<T>(
  { principal, correlationId }: FastifyRequest,
  { documents: side }: DocumentRoutes,
  path: string,
  schema: z.ZodType<T>,
  { method = 'GET' }: { readonly method?: 'GET' | 'POST' } = {},
): Promise<T> {
  if (side === undefined)
    throw refuse('not_found', 'No document API is known here: DOCUMENTS_API_URL says where it is');
  if (!seesDocuments(side, principal)) {
    throw refuse(
      'forbidden',
      `The documents here are of tenant ${side.tenant}, and ${principal.tenant} sees its own alone`,
    );
  }
  return await askUpstream(side.api, path, { method, schema, correlationId });
}
