/** Corrections: what was counted of an objective and shall not count. Appended with who and why, and taken back the same way. */
import { z } from 'zod';
import { audit } from '#access/audit.ts';
import { CORRECTION_KINDS, type CorrectionRow } from '#alerting/correction.ts';
import { addCorrection, correctionsOf, withdrawCorrection } from '#alerting/rows/corrections.ts';
import type { Db } from '#kernel/database.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { deedOf } from '#serving/deed.ts';
import { problems, refuse } from '#serving/problems.ts';
import type { Engine } from '#slo/engine.ts';
import { storable } from './text.ts';
import { iso, page, time } from './v1-incidents.ts';
import type { SloRoutes } from './v1-slos.ts';

export type CorrectionRoutes = Omit<SloRoutes, 'source'> & {
  readonly db: Db;
  readonly newId: () => string;
  /** Takes in what is in force now, so that the next answer shows it. */
  readonly correct: () => Promise<void>;
};

/** Each is asked at each addition of its ledger. */
const IN_FORCE_MOST = 1_000;
/** No ledger reaches further back, and none is planned further ahead. */
const REACH = milliseconds(400 * 86_400_000);

const moment = z.iso.datetime({ offset: true });
const by = storable(200).trim().min(1).optional().describe('who enters it; default: whoever the key names');
const entered = z.object({
  from: moment,
  to: moment,
  kind: z
    .enum(CORRECTION_KINDS)
    .default('all')
    .describe('all: nothing of that time counts; share, events: of the bad events a share, or so many, do not'),
  share: z.number().gt(0).max(1).optional().describe('with kind share'),
  events: z.number().gt(0).max(1e12).optional().describe('with kind events: the earliest of that time'),
  reason: storable(1_000).trim().min(1),
  by,
});
const correctionSchema = z
  .object({
    id: z.string(),
    objective: z.string(),
    from: time,
    to: time,
    kind: z.enum(CORRECTION_KINDS),
    share: z.number().nullable(),
    events: z.number().nullable(),
    by: z.string(),
    reason: z.string(),
    enteredAt: time,
    withdrawnAt: time.nullable().describe('it does not count any more since then'),
    withdrawnBy: z.string().nullable(),
  })
  .meta({ id: 'Correction' });
const tags = ['objectives'];
const id = z.string().min(1).max(300);

export function correctionRoutes(app: App, prefix: string, routes: CorrectionRoutes): void {
  const { db, now, newId, authorised: may, correct } = routes;
  const path = `${prefix}/api/v1/slos/:id/corrections`;
  listRoute(app, path, routes);
  app.post(
    path,
    {
      onRequest: may('router:configure'),
      schema: {
        tags,
        params: z.object({ id }),
        summary: 'Takes a time, or bad events of it, out of what counts',
        body: entered,
        response: {
          201: correctionSchema,
          ...problems('not_found', 'too_large', 'unsupported_media_type', 'uri_too_long'),
        },
      },
    },
    async (request, reply) => {
      const { params, body, principal } = request;
      correctable(routes.engine(), params.id);
      const row = rowOf(params.id, body, { id: newId(), author: body.by ?? principal.subject, enteredAt: now() });
      await db.tx(async (q) => {
        if (!(await addCorrection(q, row, IN_FORCE_MOST))) {
          throw refuse('bad_request', `${params.id} has ${IN_FORCE_MOST} corrections, which is the most`);
        }
        await audit(q, deedOf(request, 'corrections:create', `${params.id}/${row.id}`, row.enteredAt));
      });
      await correct();
      return await reply.code(201).send(shown(row));
    },
  );
  app.delete(
    `${path}/:correction`,
    {
      onRequest: may('router:configure'),
      schema: {
        tags,
        params: z.object({ id, correction: z.string().min(1).max(100) }),
        querystring: z.object({ by }),
        summary: 'Takes a correction back: what it took out counts again',
        response: { 204: z.null().describe('taken back'), ...problems('not_found', 'uri_too_long') },
      },
    },
    async (request, reply) => {
      const { params, query, principal } = request;
      const who = query.by ?? principal.subject;
      await db.tx(async (q) => {
        if (!(await withdrawCorrection(q, params.id, params.correction, who, now()))) {
          throw refuse('not_found', `${params.id} has no correction ${params.correction} in force`);
        }
        await audit(q, deedOf(request, 'corrections:withdraw', `${params.id}/${params.correction}`, now()));
      });
      await correct();
      return await reply.code(204).send(null);
    },
  );
}

function listRoute(app: App, path: string, { db, engine, authorised: may }: CorrectionRoutes): void {
  app.get(
    path,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags,
        params: z.object({ id }),
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(500).default(50),
          cursor: storable(100).optional(),
        }),
        summary: 'Corrections of an objective, newest first, those that were taken back too',
        response: { 200: page(correctionSchema), ...problems('not_found', 'uri_too_long') },
      },
    },
    async ({ params, query: { limit, cursor } }) => {
      correctable(engine(), params.id);
      const items = await correctionsOf(db, params.id, cursor, limit);
      return { items: items.map(shown), nextCursor: items.length === limit ? (items.at(-1)?.id ?? null) : null };
    },
  );
}

/** @throws {Error} A composite has no events of its own: its parts have, and others may be made of them too. */
function correctable(engine: Engine | undefined, name: string): void {
  if (engine?.counted.has(name)) return;
  const watched = engine?.watched.get(name);
  if (watched === undefined) throw refuse('not_found', `There is no objective ${name}`);
  if (watched.unjudged !== undefined) throw refuse('bad_request', `${name} is not counted here: ${watched.unjudged}`);
  const parts = watched.leaves.map((one) => one.id).join(', ');
  throw refuse('bad_request', `${name} is a composite: correct its parts, ${parts}`);
}

function rowOf(
  objective: string,
  { from: begin, to: end, kind, share, events, reason }: z.infer<typeof entered>,
  entry: Pick<CorrectionRow, 'id' | 'author' | 'enteredAt'>,
): CorrectionRow {
  const [from, to] = [milliseconds(Date.parse(begin)), milliseconds(Date.parse(end))];
  if (to <= from) throw refuse('bad_request', 'field "to" must be after "from"');
  if (from < entry.enteredAt - REACH || to > entry.enteredAt + REACH) {
    throw refuse('bad_request', 'fields "from" and "to" must lie within 400 days of now');
  }
  const amounts = { all: undefined, share, events };
  const foreign = (['share', 'events'] as const).find((name) => name !== kind && amounts[name] !== undefined);
  if (foreign !== undefined) throw refuse('bad_request', `field "${foreign}" goes with kind ${foreign}`);
  if (kind !== 'all' && amounts[kind] === undefined) throw refuse('bad_request', `kind ${kind} needs field "${kind}"`);
  return { objective, from, to, kind, amount: amounts[kind], reason, ...entry };
}

const shown = (row: CorrectionRow): z.infer<typeof correctionSchema> => ({
  id: row.id,
  objective: row.objective,
  from: isoOf(row.from),
  to: isoOf(row.to),
  kind: row.kind,
  share: row.kind === 'share' ? (row.amount ?? null) : null,
  events: row.kind === 'events' ? (row.amount ?? null) : null,
  by: row.author,
  reason: row.reason,
  enteredAt: isoOf(row.enteredAt),
  withdrawnAt: iso(row.withdrawnAt),
  withdrawnBy: row.withdrawnBy ?? null,
});

const isoOf = (at: Milliseconds): string => new Date(at).toISOString();
