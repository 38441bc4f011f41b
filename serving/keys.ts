/** API keys, managed by an admin of the tenant: what `burnline keys` speaks to. */
import { z } from 'zod';
import type { KeyFacts, Keys } from '#access/keys.ts';
import { ROLES } from '#access/roles.ts';
import { Fault } from '#kernel/errors.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type App, authorised } from './app.ts';
import { problems, refuse } from './problems.ts';

const time = z.iso.datetime();
const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    tenant: z.string(),
    roles: z.array(z.enum(ROLES)),
    createdAt: time,
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
    lastUsedAt: time.nullable(),
  })
  .meta({ id: 'Key' });
const createdSchema = keySchema.extend({ key: z.string().describe('Shown once') }).meta({ id: 'CreatedKey' });
export const createBody = z.strictObject({
  name: z.string().trim().min(1).max(100),
  roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length),
  expiresAt: time.optional(),
});
const idParams = z.object({ id: z.string().regex(/^[A-Za-z0-9]{1,64}$/) });

/** @param path where its API's first version begins. */
export function keyRoutes(app: App, keys: Keys, path = '/v1'): void {
  const tags = ['keys'];
  app.post(
    `${path}/keys`,
    {
      onRequest: authorised('keys:manage'),
      schema: {
        tags,
        summary: 'Makes a key of the caller’s tenant; the key itself is shown this once',
        body: createBody,
        response: { 201: createdSchema, ...problems('unsupported_media_type', 'too_large') },
      },
    },
    async ({ body, principal, correlationId }, reply) => {
      const { tenant, subject: by } = principal;
      const expiry = body.expiresAt === undefined ? {} : { expiresAt: Date.parse(body.expiresAt) as Milliseconds };
      const wish = { tenant, by, correlationId, name: body.name, roles: body.roles, ...expiry };
      const { facts, key } = await keys.create(wish).catch((error: unknown) => {
        if (error instanceof Fault && error.code === 'key_invalid') throw refuse('bad_request', error.message);
        throw error;
      });
      return reply.code(201).send({ ...toKey(facts), key: key.reveal() });
    },
  );
  app.get(
    `${path}/keys`,
    {
      onRequest: authorised('keys:manage'),
      schema: {
        tags,
        summary: 'The tenant’s keys, newest first',
        response: { 200: z.array(keySchema), ...problems() },
      },
    },
    async ({ principal }) => (await keys.list(principal.tenant)).map(toKey),
  );
  app.delete(
    `${path}/keys/:id`,
    {
      onRequest: authorised('keys:manage'),
      schema: {
        tags,
        summary: 'Revokes a key, within seconds everywhere',
        params: idParams,
        response: { 204: z.null(), ...problems('not_found') },
      },
    },
    async ({ params, principal, correlationId }, reply) => {
      const done = await keys.revoke(principal.tenant, params.id, principal.subject, correlationId);
      if (!done) throw refuse('not_found', `There is no key ${params.id}`);
      return reply.code(204).send(null);
    },
  );
}

const iso = (at: Milliseconds | null | undefined): string | null => (at == null ? null : new Date(at).toISOString());

function toKey(facts: KeyFacts): z.infer<typeof keySchema> {
  return {
    id: facts.id,
    name: facts.name,
    tenant: facts.tenant,
    roles: [...facts.roles],
    createdAt: new Date(facts.createdAt).toISOString(),
    expiresAt: iso(facts.expiresAt),
    revokedAt: iso(facts.revokedAt),
    lastUsedAt: iso(facts.lastUsedAt),
  };
}
