/** The shapes of the document API: what is validated, what is answered, and what /openapi.json says, from one source. */
import { z } from 'zod';
import type { Milliseconds } from '#kernel/units.ts';
import { STATUSES } from '#worker/document.ts';
import type { DocumentRow } from '#worker/rows/documents.ts';
import type { Way } from '#worker/rows/way.ts';

const time = z.iso.datetime();
const status = z.enum(STATUSES);

/** A whole number in an address. Digits only: `Number` would also take "", "1e2" and " 7 ". */
const whole = (least: number, most: number) =>
  z.preprocess(
    (given) => (typeof given === 'string' && /^-?\d{1,15}$/.test(given) ? Number(given) : given),
    z.int(`expected a whole number from ${least} to ${most}`).min(least).max(most),
  );

export const idParams = z.object({ id: z.uuid().toLowerCase().describe('The id that the upload was answered with') });

/** What upload.ts reads by itself, as a reader of /openapi.json must see it. */
export const uploadBody = z.strictObject({
  file: z.string().meta({ format: 'binary' }).describe('Exactly one: PDF, Word (.docx), HTML, Markdown or plain text'),
  metadata: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('A JSON object of at most 8 KiB and 32 levels, given back with the document'),
  webhookUrl: z
    .string()
    .regex(/^https?:\/\//)
    .meta({ format: 'uri' })
    .optional()
    .describe('Is posted to, signed, when the document is at its end'),
});

export const uploadHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/)
    .optional()
    .describe('The same key with the same request gives the same document; with another, 409'),
  'cache-control': z.string().optional().describe('no-cache: parse and embed anew, and keep no parse result'),
});

export const acceptedSchema = z
  .object({ id: z.uuid(), status, correlationId: z.string() })
  .meta({ id: 'AcceptedDocument' });

const timelineEntry = z.object({
  at: time,
  from: status.nullable(),
  to: status,
  attempt: z.int(),
  because: z.string(),
});

const summary = z.object({
  id: z.uuid(),
  filename: z.string(),
  contentType: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  status,
  attempts: z.int(),
  pages: z.int().nullable(),
  chunks: z.int().nullable(),
  tokens: z.int().nullable(),
  costUsd: z.number(),
  metadata: z.record(z.string(), z.unknown()),
  correlationId: z.string(),
  traceId: z.string().nullable(),
  acceptedAt: time,
  finishedAt: time.nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export const summarySchema = summary.meta({ id: 'DocumentSummary' });
/** Each may be billed; a step may have made several. */
const call = z.object({
  step: z.string(),
  vendor: z.string(),
  operation: z.string(),
  startedAt: time,
  endedAt: time.nullable(),
  outcome: z.enum(['started', 'completed', 'failed', 'interrupted']),
  httpStatus: z.int().nullable(),
  costUsd: z.number(),
  wasted: z.boolean().describe('paid for, and its result was not used'),
});
export const documentSchema = summary
  .extend({ timeline: z.array(timelineEntry), calls: z.array(call).describe('to vendors, in their order') })
  .meta({ id: 'Document' });

export const listQuery = z.strictObject({
  status: status.optional(),
  correlationId: z.string().max(128).optional(),
  limit: whole(1, 200).default(50),
  cursor: z.uuid().optional().describe('nextCursor of the page before'),
});
export const listSchema = z
  .object({ items: z.array(summarySchema), nextCursor: z.string().nullable() })
  .meta({ id: 'DocumentList' });

export const chunksQuery = z.strictObject({
  limit: whole(1, 500).default(100),
  cursor: whole(0, 2_147_483_647).optional().describe('nextCursor of the page before'),
});
const chunkSchema = z.object({
  ordinal: z.int(),
  text: z.string(),
  tokens: z.int(),
  page: z.int(),
  heading: z.string(),
});
export const chunksSchema = z
  .object({ items: z.array(chunkSchema), nextCursor: z.string().nullable() })
  .meta({ id: 'ChunkList' });

export const searchBody = z.strictObject({
  query: z.string().trim().min(1).max(8_000),
  limit: z.int().min(1).max(100).default(10),
});
export const searchSchema = z
  .array(z.object({ documentId: z.uuid(), ordinal: z.int(), score: z.number(), text: z.string() }))
  .meta({ id: 'SearchResults' });

export const healthSchema = z.object({ status: z.literal('ok') });
export const readySchema = z.object({
  status: z.enum(['ready', 'not ready']),
  database: z.enum(['ok', 'unavailable', 'migrations pending']),
  vendors: z
    .record(z.string(), z.string())
    .describe('The circuits before the vendors; they do not count for readiness'),
});

const iso = (at: Milliseconds): string => new Date(at).toISOString();

export function toSummary(row: DocumentRow): z.infer<typeof summary> {
  const { errorCode, errorMessage } = row;
  return {
    id: row.id,
    filename: row.filename,
    contentType: row.contentType,
    bytes: row.bytes,
    sha256: row.sha256,
    status: row.status,
    attempts: row.attempts,
    pages: row.pages,
    chunks: row.chunks,
    tokens: row.tokens,
    costUsd: row.costUsd,
    metadata: row.metadata,
    correlationId: row.correlationId,
    traceId: row.traceparent.split('-')[1] ?? null,
    acceptedAt: iso(row.acceptedAt),
    finishedAt: row.finishedAt === null ? null : iso(row.finishedAt),
    error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? '' },
  };
}

export function toDocument(row: DocumentRow, { timeline, calls }: Way): z.infer<typeof documentSchema> {
  return {
    ...toSummary(row),
    timeline: timeline.map((entry) => ({ ...entry, at: iso(entry.at) })),
    calls: calls.map(({ step, vendor, operation, startedAt, endedAt, outcome, httpStatus, costUsd, wasted }) => ({
      ...{ step, vendor, operation, outcome, httpStatus, costUsd, wasted },
      startedAt: iso(startedAt),
      endedAt: endedAt === null ? null : iso(endedAt),
    })),
  };
}
