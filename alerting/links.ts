/**
 * Links that act for whoever has them: acknowledge or silence from a phone, without logging in. They are signed and
 * expire; opening one only shows a page that asks, since mail programs and chat servers open links by themselves.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '#kernel/secret.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { LinkMaker } from './compose.ts';

export type LinkAction = 'acknowledge' | 'silence';

/** An incident is over or in other hands long before. */
const GOOD_FOR = milliseconds(7 * 86_400_000);
const SIGNATURE_CHARS = 43;

export function makeLinks(external: string, key: Secret): LinkMaker {
  const base = external.replace(/\/+$/, '');
  return {
    external: base,
    sign: (action, incidentId, at) => {
      const until = at + GOOD_FOR;
      return `${base}/incidents/${incidentId}/${action}?until=${until}&signature=${signature(key, action, incidentId, until)}`;
    },
  };
}

/** @returns whether whoever has the link may do it now. */
export function isSigned(
  key: Secret,
  action: LinkAction,
  incidentId: string,
  until: number,
  given: string,
  now: Milliseconds,
): boolean {
  if (!Number.isSafeInteger(until) || until <= now || given.length !== SIGNATURE_CHARS) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(signature(key, action, incidentId, until)));
}

const signature = (key: Secret, action: LinkAction, incidentId: string, until: number): string =>
  createHmac('sha256', key.reveal()).update(`${action}\n${incidentId}\n${until}`).digest('base64url');
