import type { Milliseconds } from '#kernel/units.ts';

/**
 * Who may do what. Programs at the document API are reader, writer or admin; people at the router are viewer, responder
 * or operator. A principal may have several roles; a role does not imply another: the table below is the whole truth.
 */
export const ROLES = ['reader', 'writer', 'admin', 'viewer', 'responder', 'operator'] as const;
export type Role = (typeof ROLES)[number];

const PROGRAMS = ['reader', 'writer', 'admin'] as const;
const PEOPLE = ['viewer', 'responder', 'operator'] as const;

export const MAY = {
  'documents:read': PROGRAMS,
  'documents:search': PROGRAMS,
  'documents:write': ['writer', 'admin'],
  'documents:retry': ['writer', 'admin'],
  // It cannot be undone, so a program that only uploads cannot do it.
  'documents:erase': ['admin'],
  'keys:manage': ['admin'],
  'audit:read': ['admin', 'operator'],
  'metrics:read': ROLES,
  'incidents:read': PEOPLE,
  'incidents:act': ['responder', 'operator'],
  'silences:write': ['responder', 'operator'],
  // Prometheus is a program: it posts alerts as a writer.
  'alerts:post': ['writer', 'admin', 'operator'],
  'changes:post': ['operator'],
  'router:configure': ['operator'],
} as const satisfies Record<string, readonly Role[]>;

export type Action = keyof typeof MAY;

/** Somebody, known. `tenant` is whose documents they see: another tenant's do not exist for them. */
export type Principal = {
  readonly tenant: string;
  /** A key's id, a token's subject, or `anonymous`. Safe to write down. */
  readonly subject: string;
  readonly roles: readonly Role[];
  readonly via: 'key' | 'jwt' | 'basic' | 'anonymous';
  /** What people call it: a key's name. */
  readonly name?: string;
  /** Signed in by a cookie, until then. */
  readonly session?: { readonly id: string; readonly until: Milliseconds };
};

export function may(principal: Pick<Principal, 'roles'>, action: Action): boolean {
  const allowed: readonly Role[] = MAY[action];
  return principal.roles.some((role) => allowed.includes(role));
}

export function isRole(text: unknown): text is Role {
  return ROLES.some((role) => role === text);
}

export const DEFAULT_TENANT = 'default';
const TENANT = /^[a-z0-9][a-z0-9_.-]{0,62}$/i;

export function isTenant(text: unknown): text is string {
  return typeof text === 'string' && TENANT.test(text);
}
