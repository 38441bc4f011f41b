/**
 * The client of a crash test: uploads steadily, whatever happens to the server, and writes down what it was answered.
 *
 * Most uploads carry an Idempotency-Key and are repeated until they are answered 202, as a careful client does. The others
 * are sent once: when their connection is cut, nobody can say whether they were accepted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '#kernel/random.ts';
import { upload } from '#test/kit/client.ts';
import { type Kind, type Made, makeDocument } from './documents.ts';

export type Sent = {
  readonly kind: Kind;
  readonly marker: string;
  readonly sha256: string;
  readonly key: string | null;
  readonly webhook: boolean;
  /** From the answer 202. */
  id: string | undefined;
  /** Answers 202 of different repeats must name one document. */
  otherId: string | undefined;
  /** Repeats whose connection was cut or refused. */
  cut: number;
  /** What it was answered beside 202. */
  readonly refusals: { status: number; code: string }[];
  /** Wall time of the first attempt, in milliseconds. */
  readonly at: number;
  acceptedAt: number | undefined;
};

export type SendOptions = { readonly key?: boolean; readonly webhook?: boolean };

export interface Uploads {
  readonly sent: readonly Sent[];
  /** Resolves when it is answered 202, or, without a key, cut. @throws when a repeated one is never accepted. */
  send(kind: Kind, options?: SendOptions): Promise<Sent>;
  /** For whoever speaks to the server itself: the document and its record, unsent. */
  prepare(kind: Kind, options?: SendOptions): { made: Made; sent: Sent };
  /** The record of a document that was made elsewhere. */
  enter(made: Made, options?: SendOptions): Sent;
  /** Sends a prepared one, or repeats it. */
  repeat(made: Made, sent: Sent): Promise<Sent>;
  /** Uploads steadily until the signal aborts, then waits for what is under way. */
  run(signal: AbortSignal): Promise<void>;
}

export type UploadsOptions = {
  readonly api: () => string;
  readonly webhookUrl: string;
  readonly random: Random;
  readonly perSecond: number;
  /** Sends all of them with a key, which is kept as metadata, under this correlation ID: for a comparison of counts. */
  readonly correlationId?: string;
  /** Whose documents they are; default: the default tenant's. */
  readonly apiKey?: string | undefined;
};

/** A server that is being killed again and again still has to take every upload within this. */
const ACCEPTED_WITHIN = 90_000;
const PAUSE = 250;
const MOST_UNDER_WAY = 12;
/** Shares of the stream. */
const MIX: readonly (readonly [Kind, number])[] = [
  ['note', 0.45],
  ['page', 0.2],
  ['log', 0.15],
  ['report', 0.15],
  ['drawing', 0.05],
];
const WITH_KEY = 0.75;
const WITH_WEBHOOK = 0.3;

export function makeUploads(options: UploadsOptions): Uploads {
  const { random } = options;
  const sent: Sent[] = [];
  let number = 0;
  const enter: Uploads['enter'] = (made, wish = {}) => {
    const { kind, marker, sha256 } = made;
    const prefix = options.correlationId ?? 'crash';
    const record: Sent = {
      kind,
      marker,
      sha256,
      key:
        wish.key === false && options.correlationId === undefined ? null : `${prefix}-${marker}-${sha256.slice(0, 8)}`,
      webhook: wish.webhook ?? false,
      id: undefined,
      otherId: undefined,
      cut: 0,
      refusals: [],
      at: Date.now(),
      acceptedAt: undefined,
    };
    sent.push(record);
    return record;
  };
  const prepare: Uploads['prepare'] = (kind, wish) => {
    number++;
    const made = makeDocument(kind, number);
    return { made, sent: enter(made, wish) };
  };
  const repeat: Uploads['repeat'] = async (made, record) => {
    const begun = performance.now();
    for (;;) {
      if ((await attempt(options, made, record)) || record.key === null) return record;
      if (performance.now() - begun > ACCEPTED_WITHIN) {
        throw new Error(`Upload ${record.marker} was not accepted within ${ACCEPTED_WITHIN} ms`);
      }
      await sleep(PAUSE + PAUSE * random.next());
    }
  };
  const send: Uploads['send'] = async (kind, wish) => {
    const { made, sent: record } = prepare(kind, wish);
    return await repeat(made, record);
  };
  return {
    sent,
    send,
    prepare,
    enter,
    repeat,
    run: async (signal) => {
      const underWay = new Set<Promise<unknown>>();
      while (!signal.aborted) {
        if (underWay.size < MOST_UNDER_WAY) {
          const key = random.next() < WITH_KEY;
          const webhook = random.next() < WITH_WEBHOOK;
          // One that is never accepted has no id, which the verdict finds.
          const one = send(pick(random), { key, webhook })
            .catch(() => {})
            .finally(() => underWay.delete(one));
          underWay.add(one);
        }
        const pause = ((0.5 + random.next()) * 1000) / options.perSecond;
        await sleep(pause, undefined, { signal }).catch(() => {});
      }
      await Promise.all(underWay);
    },
  };
}

function pick(random: Random): Kind {
  let left = random.next();
  for (const [kind, share] of MIX) {
    left -= share;
    if (left < 0) return kind;
  }
  return 'note';
}

/** @returns true when it was accepted. */
async function attempt(options: UploadsOptions, made: Made, record: Sent): Promise<boolean> {
  const { api, webhookUrl, correlationId, apiKey } = options;
  const headers = {
    'cache-control': 'no-cache',
    ...(record.key === null ? {} : { 'idempotency-key': record.key }),
    ...(correlationId === undefined ? {} : { 'x-correlation-id': correlationId }),
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  const fields = {
    ...(record.webhook ? { webhookUrl } : {}),
    ...(correlationId === undefined ? {} : { metadata: JSON.stringify({ upload: record.key }) }),
  };
  const answer = await upload(api(), made.bytes, made.name, { headers, fields }).catch(() => undefined);
  if (!answer) {
    record.cut++;
    return false;
  }
  if (answer.status !== 202) {
    record.refusals.push({ status: answer.status, code: String(answer.body.code ?? '') });
    return false;
  }
  if (record.id !== undefined && record.id !== answer.body.id) record.otherId = answer.body.id;
  record.id ??= answer.body.id;
  record.acceptedAt ??= Date.now();
  return true;
}
