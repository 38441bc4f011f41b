/** Server-sent events: each change of an incident, a notification and a verdict, as it comes. */
import { PassThrough } from 'node:stream';
import { z } from 'zod';
import { kibibytes, type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import { type Change, type FeedOptions, makeFeed } from './feed.ts';
import type { IncidentRoutes } from './v1-incidents.ts';

export type EventRoutes = FeedOptions & Pick<IncidentRoutes, 'authorised'>;

/** A page in a browser is one, and a browser holds six for one server. */
const LISTENERS_MOST = 100;
/** Who reads no faster is let go, and comes back for the rest. */
const BEHIND_MOST = kibibytes(1_024);
/** A browser comes back by itself after this. */
const RETRY = milliseconds(2_000);

export function eventRoutes(app: App, prefix: string, options: EventRoutes): void {
  const feed = makeFeed(options);
  const streams = new Set<PassThrough>();
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.end();
  });
  app.get(
    `${prefix}/api/v1/events`,
    {
      onRequest: options.authorised('incidents:read'),
      schema: {
        tags: ['events'],
        summary: 'Every change of incidents, messages, verdicts, silences and who is on call, as server-sent events',
        headers: z.object({
          'last-event-id': z
            .string()
            .regex(/^\d{1,15}$/, 'expected the id of an event')
            .optional()
            .describe('what was changed since then is told first; some of it may be told twice'),
        }),
        response: { 200: z.string().describe('text/event-stream'), ...problems() },
      },
    },
    async ({ headers: { 'last-event-id': last } }, reply) => {
      if (streams.size >= LISTENERS_MOST) {
        throw refuse('unavailable', `${LISTENERS_MOST} listen already, which is the most`);
      }
      const stream = new PassThrough();
      streams.add(stream);
      const write = (text: string): void => {
        if (stream.writableEnded || stream.destroyed) return;
        stream.write(text);
        if (stream.writableLength + stream.readableLength > BEHIND_MOST) stream.destroy();
      };
      write(`retry: ${RETRY}\n\n`);
      let leave = () => {};
      stream.once('close', () => {
        streams.delete(stream);
        leave();
      });
      try {
        leave = await feed.join(
          { hear: (change) => write(eventText(change)), here: (at) => write(hereText(at, options.now())) },
          last === undefined ? undefined : milliseconds(Number(last)),
        );
      } catch (error) {
        stream.destroy();
        throw error;
      }
      if (stream.destroyed) leave();
      reply.type('text/event-stream; charset=utf-8');
      return await reply.serializer(String).send(stream as never);
    },
  );
}

/** Its id too: whoever comes back after a quiet hour asks for no more than is new. */
const hereText = (told: Milliseconds, now: Milliseconds): string =>
  eventText({ type: 'here', key: 'here', at: told, data: { at: new Date(now).toISOString() } });
/** JSON has no line breaks of its own. */
const eventText = ({ type, at, data }: Change): string =>
  `id: ${Math.floor(at)}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
