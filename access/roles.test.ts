import assert from 'node:assert/strict';
import test from 'node:test';
import { type Action, isTenant, MAY, may, ROLES, type Role } from './roles.ts';

/** Written out, so that a change of the table is a change here too. */
const WHO: Record<Action, string> = {
  'documents:read': 'reader writer admin',
  'documents:search': 'reader writer admin',
  'documents:write': 'writer admin',
  'documents:retry': 'writer admin',
  'documents:erase': 'admin',
  'keys:manage': 'admin',
  'audit:read': 'admin operator',
  'metrics:read': 'reader writer admin viewer responder operator',
  'incidents:read': 'viewer responder operator',
  'incidents:act': 'responder operator',
  'silences:write': 'responder operator',
  'alerts:post': 'writer admin operator',
  'changes:post': 'operator',
  'router:configure': 'operator',
};
for (const action of Object.keys(MAY) as Action[]) {
  test(`${action} is for ${WHO[action]}`, () => {
    assert.equal(ROLES.filter((role) => may({ roles: [role] }, action)).join(' '), WHO[action]);
  });
}

test('may() takes any of several roles, and none gives nothing', () => {
  const roles: readonly Role[] = ['viewer', 'writer'];
  assert(may({ roles }, 'documents:write') && may({ roles }, 'incidents:read'));
  assert(!may({ roles }, 'incidents:act'));
  for (const action of Object.keys(MAY) as Action[]) assert(!may({ roles: [] }, action));
});

test('isTenant() takes 63 characters and not 64, and nothing that could be a path or a pattern', () => {
  assert(isTenant('a'.repeat(63)) && !isTenant('a'.repeat(64)));
  for (const name of ['default', 'Acme-2', 'a.b_c', '7']) assert(isTenant(name), name);
  for (const name of ['', '-a', '../a', 'a b', 'a%', 'ä', undefined, 7, null]) assert(!isTenant(name), String(name));
});
