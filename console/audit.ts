/** Who did what at the router, for whoever may see it. */
import { z } from 'zod';
import { auditTrail } from '#access/audit.ts';
import type { Queryable } from '#kernel/database.ts';
import { type App, authorised } from '#serving/app.ts';
import { problems } from '#serving/problems.ts';

const entrySchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    tenant: z.string(),
    subject: z.string(),
    action: z.string(),
    target: z.string().describe('the id of what it was done to'),
    outcome: z.enum(['done', 'refused', 'failed']),
    correlationId: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditShown = z.infer<typeof entrySchema>;

export function auditRoutes(app: App, prefix: string, { db }: { readonly db: Queryable }): void {
  app.get(
    `${prefix}/api/v1/audit`,
    {
      onRequest: authorised('audit:read'),
      schema: {
        tags: ['audit'],
        summary: 'The audit trail of your tenant, newest first',
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(500).default(50),
          cursor: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
        }),
        response: { 200: z.object({ items: z.array(entrySchema), nextCursor: z.string().nullable() }), ...problems() },
      },
    },
    async ({ query: { limit, cursor }, principal }) => {
      const page = cursor === undefined ? { limit } : { limit, before: cursor };
      const rows = await auditTrail(db, principal.tenant, page);
      const items = rows.map(({ at, correlationId, ...row }) => ({
        ...row,
        at: new Date(at).toISOString(),
        correlationId: correlationId ?? null,
      }));
      const last = items.at(-1);
      return { items, nextCursor: items.length === limit && last ? String(last.id) : null };
    },
  );
}
