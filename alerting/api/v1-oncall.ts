/** Who is on call: now, or at another moment. */
import { z } from 'zod';
import type { Action } from '#access/roles.ts';
import { withStored } from '#alerting/oncall/override.ts';
import { viewOnCall } from '#alerting/oncall/view.ts';
import { overridesFrom } from '#alerting/rows/overrides.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Db } from '#kernel/database.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { App, authorised } from '#serving/app.ts';
import { problems } from '#serving/problems.ts';

export type OnCallRoutes = {
  readonly db: Db;
  readonly setup: () => Setup;
  readonly now: () => Milliseconds;
  readonly authorised: (action: Action) => ReturnType<typeof authorised>;
};

const person = z.object({ name: z.string(), displayName: z.string() });
const onCallSchema = z
  .object({
    schedule: z.string(),
    timeZone: z.string(),
    onDuty: z.array(person).describe('empty: nobody'),
    until: z.string().nullable().describe('when it is somebody else’s turn, or nobody’s; null: not within 400 days'),
    next: z.array(person).describe('whose turn it is then; empty: nobody’s'),
  })
  .meta({ id: 'OnCall' });
export type OnCallShown = z.infer<typeof onCallSchema>;

/** The years in which a schedule may begin. */
const [FIRST, LAST] = [Date.UTC(2000, 0, 1), Date.UTC(2100, 0, 1)];
export const moment = z.iso
  .datetime({ offset: true, error: 'expected a moment with its offset, such as 2026-03-01T09:00:00Z' })
  .refine((text) => Date.parse(text) >= FIRST && Date.parse(text) < LAST, 'expected a moment from 2000 to 2099');

export function onCallRoutes(app: App, prefix: string, { db, setup, now, authorised: may }: OnCallRoutes): void {
  app.get(
    `${prefix}/api/v1/oncall`,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags: ['on call'],
        summary: 'Who is on call, schedule by schedule',
        querystring: z.object({ at: moment.optional().describe('default: now') }),
        response: { 200: z.array(onCallSchema), ...problems() },
      },
    },
    async ({ query: { at } }) => {
      const asked = at === undefined ? now() : milliseconds(Date.parse(at));
      // From the store itself: what is over is not in force here, and was.
      const oncall = withStored(setup().oncall, await overridesFrom(db, asked));
      return viewOnCall(oncall, asked).map((one) => ({ ...one, onDuty: [...one.onDuty], next: [...one.next] }));
    },
  );
}
