/**
 * Tells the uploader's own server that a document is at its end. A job like others: retried for a day, signed so that the
 * receiver can tell it from anybody else's post, and never sent to an address inside the network unless an operator
 * allowed it.
 */
import { createHmac } from 'node:crypto';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { guardedPost } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import type { Random } from '#kernel/random.ts';
import { backoffDelay, parseRetryAfter } from '#kernel/retry.ts';
import type { Secret } from '#kernel/secret.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import { days, type Milliseconds, milliseconds, toMilliseconds } from '#kernel/units.ts';
import { isUnfinished } from './document.ts';
import { type Claim, finish, requeue } from './queue.ts';
import { addTimeline, type DocumentRow, lockDocument, readDocument } from './rows/documents.ts';
import { fenced } from './transition.ts';

export type WebhookOptions = {
  readonly db: Db;
  readonly shared: SharedClock;
  readonly random: Random;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly secret: Secret;
  readonly allowedPrivateHosts: readonly string[];
};

const TIMEOUT = milliseconds(10_000);
const BACKOFF = { first: milliseconds(1_000), most: milliseconds(60 * 60_000) };
/** With the backoff above, of which up to half is left to chance, 9 to 18 hours. */
const ATTEMPTS = 30;
/** Of patience that a receiver may ask for. */
const WISH_MOST = toMilliseconds(days(1));

type Delivery =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'refused'; readonly because: string }
  | { readonly kind: 'again'; readonly because: string; readonly wish?: Milliseconds | undefined };

export function makeWebhook(options: WebhookOptions): (claim: Claim, signal: AbortSignal) => Promise<void> {
  const { db, shared, telemetry } = options;
  return async (claim, signal) => {
    const document = claim.documentId === null ? undefined : await readDocument(db, claim.documentId);
    if (!document || document.webhookUrl === null) return void (await finish(db, [claim], shared.now()));
    // Taken up again: there is nothing to tell before its next end.
    if (isUnfinished(document.status)) return await fenced(db, claim, (q) => settle(q, claim, document, shared.now()));
    const delivery = await deliver(options, document, document.webhookUrl, signal);
    const attempt = claim.attempts + 1;
    if (delivery.kind === 'again' && attempt < ATTEMPTS) {
      const wait = backoffDelay(BACKOFF, attempt, options.random, delivery.wish);
      const availableAt = (shared.now() + wait) as Milliseconds;
      options.log.warn({ documentId: document.id, attempt, reason: delivery.because }, 'webhook failed');
      telemetry.count('webhook_deliveries_total', { outcome: 'failed' });
      await requeue(db, claim, { queue: claim.queue, availableAt, attempts: attempt, payload: {}, keep: false });
      return;
    }
    telemetry.count('webhook_deliveries_total', { outcome: DELIVERY_OUTCOMES[delivery.kind] });
    const because = describeDelivery(delivery, attempt);
    await fenced(db, claim, async (q) => {
      const { status } = document;
      await addTimeline(q, document.id, { at: shared.now(), from: status, to: status, attempt, because });
      await settle(q, claim, document, shared.now());
    });
  };
}

/**
 * Ends the job, unless the document came to another end since `told` was read: that end found this job in its place and
 * made none, so this one goes round again. Decided under the document's lock, which every end holds.
 */
async function settle(q: Queryable, claim: Claim, told: DocumentRow, now: Milliseconds): Promise<void> {
  const current = await lockDocument(q, told.id);
  if (!current || current.finishedAt === null || current.finishedAt === told.finishedAt) {
    await finish(q, [claim], now);
  } else await requeue(q, claim, { queue: claim.queue, availableAt: now, attempts: 0, payload: {}, keep: false });
}

const DELIVERY_OUTCOMES = { delivered: 'delivered', refused: 'forbidden', again: 'given_up' } as const;

const describeDelivery = (delivery: Delivery, attempt: number): string =>
  delivery.kind === 'delivered'
    ? 'webhook delivered'
    : `webhook given up after attempt ${attempt}: ${delivery.because}`;

async function deliver(
  options: WebhookOptions,
  document: DocumentRow,
  url: string,
  signal: AbortSignal,
): Promise<Delivery> {
  const now = options.shared.now();
  const body = JSON.stringify(webhookBody(document));
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'burnline',
    'x-correlation-id': document.correlationId,
    'burnline-signature': sign(options.secret, body, now),
  };
  try {
    const { allowedPrivateHosts } = options;
    const answer = await guardedPost(url, body, { headers, timeout: TIMEOUT, signal, allowedPrivateHosts });
    if (answer.status >= 200 && answer.status < 300) return { kind: 'delivered' };
    const moved = answer.status >= 300 && answer.status < 400;
    const because = `answered ${answer.status}${moved ? ', and redirects are not followed' : ''}`;
    if (answer.status === 410) return { kind: 'refused', because };
    return { kind: 'again', because, wish: parseRetryAfter(answer.retryAfter, now, WISH_MOST) };
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof Fault && !error.retryable) return { kind: 'refused', because: error.message };
    return { kind: 'again', because: describe(error) };
  }
}

export function webhookBody(document: DocumentRow) {
  return {
    type: `document.${document.status}`,
    id: document.id,
    status: document.status,
    correlationId: document.correlationId,
    pages: document.pages,
    chunks: document.chunks,
    costUsd: document.costUsd,
    error: document.errorCode === null ? null : { code: document.errorCode, message: document.errorMessage ?? '' },
    finishedAt: document.finishedAt === null ? null : new Date(document.finishedAt).toISOString(),
  };
}

/** `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`: the time is signed, so that an old post can not be played again. */
export function sign(secret: Secret, body: string, now: Milliseconds): string {
  const t = Math.floor(now / 1000);
  const v1 = createHmac('sha256', secret.reveal()).update(`${t}.${body}`).digest('hex');
  return `t=${t},v1=${v1}`;
}
