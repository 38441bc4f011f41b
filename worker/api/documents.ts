/** The routes of documents. Each is: validated input, one question to the rows or one transaction, a mapped answer. */
import type { FastifyRequest } from 'fastify';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Db } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { type Random, uuidv7 } from '#kernel/random.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type App, authorised, wantedType } from '#serving/app.ts';
import { problems, refuse, retryAfterSeconds } from '#serving/problems.ts';
import { accept } from '#worker/accept.ts';
import { isUnfinished } from '#worker/document.ts';
import { eraseDocument } from '#worker/erase.ts';
import { askAgainAfter, comeBackAfter, type Load } from '#worker/load.ts';
import { retryDocument } from '#worker/retry-document.ts';
import { dropContent } from '#worker/rows/contents.ts';
import { type DocumentRow, listDocuments, readDocument } from '#worker/rows/documents.ts';
import { listChunks } from '#worker/rows/results.ts';
import { readWay, type Way } from '#worker/rows/way.ts';
import * as schemas from './schemas.ts';
import { readUpload, type UploadLimits } from './upload.ts';

export type DocumentRoutes = {
  readonly db: Db;
  readonly shared: SharedClock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly limits: UploadLimits;
  readonly load: () => Promise<Load>;
  /** There is work: tell a worker of this process. */
  readonly wake: () => void;
};

export function documentRoutes(app: App, options: DocumentRoutes): void {
  const { db } = options;
  uploadRoute(app, options);
  documentRoute(app, options);

  app.get(
    '/v1/documents',
    {
      onRequest: authorised('documents:read'),
      schema: {
        tags: ['documents'],
        summary: 'Documents, newest first',
        querystring: schemas.listQuery,
        response: { 200: schemas.listSchema, ...problems() },
      },
    },
    async ({ query, principal }) => {
      const { limit, status, correlationId, cursor: before } = query;
      const { tenant } = principal;
      const filter = { tenant, status, correlationId, before, limit: limit + 1 };
      const rows = await db.tx((q) => listDocuments(q, filter));
      const items = rows.slice(0, limit).map(schemas.toSummary);
      return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  );

  app.get(
    '/v1/documents/:id/chunks',
    {
      onRequest: authorised('documents:read'),
      schema: {
        tags: ['documents'],
        summary: 'The chunks that a search finds, in order',
        params: schemas.idParams,
        querystring: schemas.chunksQuery,
        response: { 200: schemas.chunksSchema, ...problems('not_found') },
      },
    },
    async ({ params, query, principal }) => {
      await ownDocument(db, params.id, principal.tenant);
      const rows = await listChunks(db, params.id, query.cursor ?? -1, query.limit + 1);
      const items = rows.slice(0, query.limit);
      const last = items.at(-1);
      return { items, nextCursor: rows.length > query.limit && last ? String(last.ordinal) : null };
    },
  );
  changeRoutes(app, options);
}

function documentRoute(app: App, { db, shared, load }: DocumentRoutes): void {
  app.get(
    '/v1/documents/:id',
    {
      onRequest: authorised('documents:read'),
      schema: {
        tags: ['documents'],
        summary: 'One document and its way so far, in words and times',
        params: schemas.idParams,
        response: { 200: schemas.documentSchema, ...problems('not_found') },
      },
    },
    async ({ params, principal }, reply) => {
      const { document, way } = await ownWay(db, params.id, principal.tenant);
      if (isUnfinished(document.status)) {
        const pause = askAgainAfter(await load(), milliseconds(shared.now() - document.acceptedAt));
        if (pause !== undefined) reply.header('retry-after', retryAfterSeconds(pause));
      }
      return schemas.toDocument(document, way);
    },
  );
}

function uploadRoute(app: App, options: DocumentRoutes): void {
  const { db, shared, random, telemetry, log } = options;
  app.post(
    '/v1/documents',
    {
      onRequest: [authorised('documents:write'), requireForm, refuseOverload(options)],
      // The body is a stream of parts that upload.ts reads itself; the schema is for the reader of /openapi.json.
      validatorCompiler: ({ httpPart, schema }) =>
        httpPart === 'body'
          ? () => ({ value: undefined })
          : (app.validatorCompiler?.({ schema } as never) ?? (() => true)),
      schema: {
        tags: ['documents'],
        summary: 'Uploads a document; 202 means it is durable and will reach an end',
        consumes: ['multipart/form-data'],
        headers: schemas.uploadHeaders,
        body: schemas.uploadBody,
        response: {
          202: schemas.acceptedSchema,
          ...problems('idempotency_conflict', 'too_large', 'unsupported_media_type', 'timeout', 'overloaded'),
        },
      },
    },
    async (request, reply) => {
      const id = uuidv7(shared.now(), random);
      const upload = await readUpload(request, id, db, shared, options.limits).catch((error: unknown) => {
        if ((error as { problem?: string }).problem === 'too_large') {
          telemetry.count('uploads_refused_total', { reason: 'too_large' });
        }
        throw error;
      });
      const acceptance = {
        ...upload,
        id,
        tenant: request.principal.tenant,
        correlationId: request.correlationId,
        traceparent: telemetry.currentTraceparent(),
        idempotencyKey: request.headers['idempotency-key'] ?? null,
        noCache: /\bno-cache\b/i.test(request.headers['cache-control'] ?? ''),
        canary: false,
      } as const;
      const { document, replayed } = await accept(db, acceptance, shared.now()).catch(async (error: unknown) => {
        // Only what was surely not committed may be dropped: the answer to a commit can be lost. The sweep has the rest.
        if (!(error instanceof Fault) || error.code !== 'idempotency_conflict') throw error;
        await dropContent(db, id).catch(() => {});
        throw refuse('idempotency_conflict', error.message);
      });
      if (replayed) await dropContent(db, id);
      else options.wake();
      const { contentType, bytes } = document;
      log.info({ documentId: document.id, contentType, bytes, replayed }, 'a document was accepted');
      reply.code(202).header('location', `/v1/documents/${document.id}`);
      if (replayed) reply.header('idempotent-replayed', 'true');
      return { id: document.id, status: document.status, correlationId: document.correlationId };
    },
  );
}

/** Before anything tries to read the body as what it says it is. */
async function requireForm(request: FastifyRequest): Promise<void> {
  if (/^multipart\/form-data *(;|$)/i.test(request.headers['content-type'] ?? '')) return;
  throw refuse('unsupported_media_type', wantedType(request));
}

/** Before the body is read: what can not be done in time is not taken. */
function refuseOverload({ load, telemetry }: DocumentRoutes) {
  return async () => {
    const now = await load();
    if (!now.overloaded) return;
    telemetry.count('uploads_refused_total', { reason: 'overloaded' });
    const minutes = Math.ceil(now.wait / 60);
    const detail = `${now.unfinished} documents are unfinished and a new one would wait about ${minutes} minutes`;
    throw refuse('overloaded', detail, { retryAfter: comeBackAfter(now) });
  };
}

function changeRoutes(app: App, { db, shared, log, wake }: DocumentRoutes): void {
  app.post(
    '/v1/documents/:id/retry',
    {
      onRequest: authorised('documents:retry'),
      schema: {
        tags: ['documents'],
        summary: 'Tries a failed document again, from the first step whose result is missing',
        params: schemas.idParams,
        response: { 202: schemas.acceptedSchema, ...problems('not_found', 'not_retryable') },
      },
    },
    async ({ params, principal }, reply) => {
      const row = await ownDocument(db, params.id, principal.tenant);
      const retried = await retryDocument(db, row.id, principal.subject, shared.now());
      if (retried.kind === 'refused') throw refuse('not_retryable', `The document is ${retried.status}, not failed`);
      wake();
      log.info({ documentId: row.id, subject: principal.subject }, 'a failed document is tried again');
      reply.code(202).header('location', `/v1/documents/${row.id}`);
      return { id: row.id, status: 'queued', correlationId: row.correlationId } as const;
    },
  );

  app.delete(
    '/v1/documents/:id',
    {
      onRequest: authorised('documents:erase'),
      schema: {
        tags: ['documents'],
        summary: 'Erases content, text and vectors for good; the row and its history stay',
        params: schemas.idParams,
        response: { 200: schemas.documentSchema, ...problems('not_found') },
      },
    },
    async ({ params, principal, correlationId }) => {
      const at: Milliseconds = shared.now();
      const { tenant, subject } = principal;
      const action = 'documents:erase';
      const entry = { at, tenant, subject, action, target: params.id, outcome: 'done', correlationId } as const;
      if (!(await eraseDocument(db, params.id, entry, at))) throw notFound(params.id);
      log.info({ documentId: params.id, subject }, 'a document was erased');
      const { document, way } = await ownWay(db, params.id, tenant);
      return schemas.toDocument(document, way);
    },
  );
}

const notFound = (id: string) => refuse('not_found', `There is no document ${id}`);

/** Another tenant's document is not there at all. */
async function ownDocument(db: Db, id: string, tenant: string): Promise<DocumentRow> {
  const document = await readDocument(db, id);
  if (document?.tenant !== tenant) throw notFound(id);
  return document;
}

async function ownWay(db: Db, id: string, tenant: string): Promise<{ document: DocumentRow; way: Way }> {
  const way = await readWay(db, id);
  const { document } = way;
  if (document?.tenant !== tenant) throw notFound(id);
  return { document, way };
}
