/**
 * Named moments in embedded mode. The database belongs to the process that is killed, so it is watched through its own
 * API, and the vendors' side through the simulators.
 */
import { read } from '#test/kit/client.ts';
import type { Kind } from './documents.ts';
import { beginUpload } from './half-upload.ts';
import { type Moment, type Scene, somewhereIn, until } from './moments.ts';
import { halfSent, justAnswered, serverAtRandom, whileStarting } from './moments-server.ts';
import type { Plan } from './vendors.ts';

type Wish = {
  readonly kind: Kind;
  readonly status: string;
  readonly slow?: readonly ['llamaparse' | 'openai', Plan];
  readonly window?: number;
};

/** Kills when this document is in this status. */
function whileIn({ kind, status, slow, window = 0 }: Wish): Moment {
  return async (scene) => {
    const { fleet, uploads, random, kill } = scene;
    if (slow) await fleet.vendors.slow(...slow);
    try {
      const { id } = await uploads.send(kind);
      const seen = await statusOf(scene, id, (now) => now === status);
      if (seen !== status) return false;
      await somewhereIn(random, window);
      kill(fleet.server);
      return true;
    } finally {
      if (slow) await fleet.vendors.mend();
    }
  };
}

const OVER = ['completed', 'rejected', 'failed'];

/** Asks until `wanted` says yes or the document is at its end. */
async function statusOf(
  { fleet }: Scene,
  id: string | undefined,
  wanted: (status: string) => boolean,
): Promise<string | undefined> {
  if (id === undefined) return undefined;
  return await until(async () => {
    const document = await read(fleet.api(), id).catch(() => undefined);
    return document && (wanted(document.status) || OVER.includes(document.status)) ? document.status : undefined;
  });
}

/** Kills as soon as the vendor has taken the upload: before its job is stored, or in the moment it is. */
const uploadTaken: Moment = async ({ fleet, uploads, kill }) => {
  const { sha256 } = await uploads.send('note');
  const taken = await until(async () => (await fleet.vendors.stats()).uploads[sha256]);
  kill(fleet.server);
  return taken !== undefined;
};

/** The vendor's job is stored as soon as the vendor has answered; the next look at it is what is slow. */
const jobStored: Moment = async ({ fleet, uploads, random, kill }) => {
  await fleet.vendors.slow('llamaparse', { operation: 'status', latencyMs: 700 });
  try {
    const { sha256 } = await uploads.send('page');
    const taken = await until(async () => (await fleet.vendors.stats()).uploads[sha256]);
    // The first look comes 250 ms after the answer.
    await somewhereIn(random, 700);
    kill(fleet.server);
    return taken !== undefined;
  } finally {
    await fleet.vendors.mend();
  }
};

/** Kills as soon as any batch was embedded: around the commit of what was paid for. */
const embedded: Moment = async (scene) => {
  const { fleet, uploads, kill } = scene;
  const { id } = await uploads.send('report');
  if ((await statusOf(scene, id, (now) => now === 'embedding' || now === 'chunking')) === undefined) return false;
  const before = (await fleet.vendors.stats()).embeds;
  const more = await until(async () => ((await fleet.vendors.stats()).embeds > before ? true : undefined));
  kill(fleet.server);
  return more !== undefined;
};

const webhook: Moment = async ({ fleet, uploads, receiver, random, kill }) => {
  receiver.setDelay(250);
  try {
    const next = receiver.next(10_000);
    await uploads.send('note', { webhook: true });
    const told = await next;
    await somewhereIn(random, 150);
    kill(fleet.server);
    return told !== undefined;
  } finally {
    receiver.setDelay(0);
  }
};

/** All is sent; the kill comes before, at or after the commit. */
const aboutToAnswer: Moment = async ({ fleet, uploads, random, kill }) => {
  await fleet.server.up();
  const { made, sent } = uploads.prepare('note', { key: true });
  const half = await beginUpload(fleet.api(), made, sent);
  half.finish();
  await somewhereIn(random, 15);
  kill(fleet.server);
  const answered = await half.answered;
  await uploads.repeat(made, sent);
  return answered === undefined;
};

export const PGLITE_MOMENTS: Readonly<Record<string, Moment>> = {
  'parse: upload open': whileIn({
    kind: 'note',
    status: 'parsing',
    slow: ['llamaparse', { operation: 'upload', latencyMs: 500 }],
    window: 350,
  }),
  'parse: upload taken': uploadTaken,
  "parse: vendor's job stored": jobStored,
  chunk: whileIn({ kind: 'long', status: 'chunking', window: 80 }),
  'embed: call open': whileIn({
    kind: 'report',
    status: 'embedding',
    slow: ['openai', { latencyMs: 500 }],
    window: 350,
  }),
  'embed: just answered': embedded,
  store: whileIn({ kind: 'long', status: 'storing', window: 150 }),
  webhook,
  'service: upload half sent': halfSent,
  'service: about to answer': aboutToAnswer,
  'service: just answered': justAnswered,
  'service: at random': serverAtRandom,
  'service: at random again': serverAtRandom,
  'while it starts again': whileStarting,
};
