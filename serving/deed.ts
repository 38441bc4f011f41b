/** What somebody does by a request, as the audit trail has it. */
import type { FastifyRequest } from 'fastify';
import type { AuditEntry } from '#access/audit.ts';
import type { Milliseconds } from '#kernel/units.ts';

/** Known, and under which ID it is in the log. */
export type Doer = Pick<FastifyRequest, 'principal' | 'correlationId'>;

/**
 * To be written with `audit()` in the transaction of the deed.
 *
 * @param target the id of what it is done to. @param at the clock of the store.
 */
export const deedOf = (
  { principal: { tenant, subject }, correlationId }: Doer,
  action: string,
  target: string,
  at: Milliseconds,
): AuditEntry => ({ at, tenant, subject, action, target, outcome: 'done', correlationId });
