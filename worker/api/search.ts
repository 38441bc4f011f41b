/** Search: the query becomes a vector by the same model as the chunks did, and the nearest chunks of the tenant come back. */
import type { Db } from '#kernel/database.ts';
import { milliseconds, type Usd } from '#kernel/units.ts';
import { type App, authorised } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import { countTokens } from '#worker/chunker.ts';
import { nearestChunks } from '#worker/rows/results.ts';
import type { Gateway } from '#worker/vendors/gateway.ts';
import type { Embedder } from '#worker/vendors/openai.ts';
import { searchBody, searchSchema } from './schemas.ts';

export type SearchRoutes = {
  readonly db: Db;
  readonly gateway: Gateway;
  readonly embedder: Embedder;
  readonly price: (tokens: number) => Usd;
  readonly stopping: AbortSignal;
};

const COME_BACK = milliseconds(5_000);

export function searchRoutes(app: App, { db, gateway, embedder, price, stopping }: SearchRoutes): void {
  app.post(
    '/v1/search',
    {
      onRequest: authorised('documents:search'),
      schema: {
        tags: ['search'],
        summary: 'The chunks nearest in meaning to the query, best first; score is the cosine similarity',
        body: searchBody,
        response: { 200: searchSchema, ...problems('unsupported_media_type', 'too_large') },
      },
    },
    async ({ body, principal }) => {
      const { tenant } = principal;
      const query = body.query.replaceAll('\u0000', ' ').toWellFormed();
      const tokens = countTokens(query);
      const spend = {
        documentId: null,
        tenant,
        step: 'search',
        operation: 'embeddings',
        tokens,
        expectedCost: price(tokens),
      };
      const called = await gateway
        .spend(
          spend,
          (write) => db.tx(write),
          stopping,
          (limit) => embedder.embed([query], limit),
        )
        .catch((error: unknown) => {
          if (!stopping.aborted) throw error;
          throw refuse('unavailable', 'The service is stopping', { retryAfter: COME_BACK });
        });
      if (called.kind === 'refused') {
        await db.tx((q) => called.record(q));
        const why = 'because' in called.outcome ? called.outcome.because : 'the embedding service failed';
        throw refuse('unavailable', `The query cannot be embedded now: ${why}`, { retryAfter: COME_BACK });
      }
      const { vectors, tokens: billed } = called.value;
      const vector = vectors[0];
      if (!vector) throw new RangeError('Cannot search: no vector for the query');
      return await db.tx(async (q) => {
        await called.record(q, { tokens: billed, cost: price(billed) });
        return await nearestChunks(q, tenant, vector, body.limit);
      });
    },
  );
}
