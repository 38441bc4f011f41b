/** The calendar of who is on call, and overrides: who takes over a shift. */
import { z } from 'zod';
import { audit } from '#access/audit.ts';
import type { Principal } from '#access/roles.ts';
import { calendarOf, type ScheduleCalendar } from '#alerting/oncall/calendar.ts';
import { type StoredOverride, withStored } from '#alerting/oncall/override.ts';
import { endOverride, insertOverride, overridesFrom } from '#alerting/rows/overrides.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Db } from '#kernel/database.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import { storable } from './text.ts';
import { by, iso, time } from './v1-incidents.ts';
import { moment, type OnCallRoutes } from './v1-oncall.ts';

export type OverrideRoutes = OnCallRoutes & {
  readonly newId: () => string;
  /** What was made or ended is in force in this router when it resolves. */
  readonly overridden: () => Promise<void>;
};

const shiftSchema = z.object({ from: time, to: time, person: z.string(), displayName: z.string() });
const overrideSchema = z
  .object({
    id: z.string().nullable().describe('null: it stands in oncall.yaml'),
    schedule: z.string(),
    person: z.string(),
    displayName: z.string(),
    from: time,
    to: time,
    because: z.string().nullable(),
    createdBy: z.string().nullable(),
    createdAt: time.nullable(),
    fromFile: z.boolean(),
  })
  .meta({ id: 'Override' });
export type OverrideShown = z.infer<typeof overrideSchema>;
const calendarSchema = z
  .object({
    schedule: z.string(),
    timeZone: z.string(),
    shifts: z.array(
      shiftSchema.extend({
        layer: z.string().nullable(),
        override: z.string().nullable().describe('its id'),
        fromFile: z.boolean().describe('an override of oncall.yaml, which has no id'),
      }),
    ),
    layers: z.array(z.object({ name: z.string(), shifts: z.array(shiftSchema) })).describe('each by itself'),
    gaps: z.array(z.object({ from: time, to: time })).describe('nobody is on call'),
    overrides: z.array(overrideSchema),
  })
  .meta({ id: 'OnCallCalendar' });
export type OnCallCalendarShown = z.infer<typeof calendarSchema>;

const DAY = 86_400_000;
const CALENDAR_MOST = 62 * DAY;
/** A rotation by the hour of a dozen schedules: more is no page. */
const SHIFTS_MOST = 20_000;
const LENGTH_MOST = 90 * DAY;
const AHEAD_MOST = 400 * DAY;
/** That hold or will, of all schedules. */
const OVERRIDES_MOST = 1_000;
const tags = ['on call'];

export function overrideRoutes(app: App, prefix: string, routes: OverrideRoutes): void {
  const { db, now, setup, newId, overridden, authorised: may } = routes;
  const path = `${prefix}/api/v1/oncall`;
  calendarRoute(app, `${path}/calendar`, routes);
  app.post(
    `${path}/overrides`,
    {
      onRequest: may('incidents:act'),
      schema: {
        tags,
        summary: 'Somebody takes over a shift',
        body: z.object({
          schedule: z.string().min(1).max(300),
          person: z.string().min(1).max(300),
          from: moment.describe('what is past of it does not count'),
          to: moment,
          because: storable(1_000).trim().optional(),
          by,
        }),
        response: { 201: overrideSchema, ...problems('too_large', 'unsupported_media_type') },
      },
    },
    async ({ body, principal }, reply) => {
      const at = now();
      const from = milliseconds(Math.max(at, Date.parse(body.from)));
      const asked = { schedule: body.schedule, person: body.person, from, to: milliseconds(Date.parse(body.to)) };
      checkOverride(setup(), asked, at);
      const because = body.because === undefined || body.because === '' ? undefined : body.because;
      const made = { ...asked, id: newId(), because, createdBy: body.by ?? principal.subject, createdAt: at };
      await db.tx(async (q) => {
        if (!(await insertOverride(q, made, OVERRIDES_MOST))) {
          throw refuse('bad_request', `${OVERRIDES_MOST} overrides hold or will, which is the most`);
        }
        await audit(q, actOf(principal, 'oncall:override', made.id, at));
      });
      await overridden();
      return await reply.code(201).send(overrideShown(setup(), made));
    },
  );
  app.delete(
    `${path}/overrides/:id`,
    {
      onRequest: may('incidents:act'),
      schema: {
        tags,
        params: z.object({ id: z.string().min(1).max(100) }),
        querystring: z.object({ by }),
        summary: 'Ends an override now, or takes back one that has not begun',
        response: { 204: z.null().describe('it holds no more'), ...problems('not_found', 'uri_too_long') },
      },
    },
    async ({ params: { id }, query, principal }, reply) => {
      const at = now();
      await db.tx(async (q) => {
        if (!(await endOverride(q, id, query.by ?? principal.subject, at))) {
          throw refuse('not_found', `There is no override ${id} that holds or will; those of oncall.yaml end there`);
        }
        await audit(q, actOf(principal, 'oncall:end-override', id, at));
      });
      await overridden();
      return await reply.code(204).send(null);
    },
  );
}

function calendarRoute(app: App, path: string, { db, now, setup, authorised: may }: OverrideRoutes): void {
  app.get(
    path,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags,
        querystring: z.object({
          from: moment.optional().describe('default: now'),
          to: moment.optional().describe('default: a week later; at most 62 days'),
          schedule: z.string().min(1).max(300).optional().describe('this one alone'),
        }),
        summary: 'Who has which shift, layer by layer, with gaps and overrides',
        response: { 200: z.array(calendarSchema), ...problems('not_found') },
      },
    },
    async ({ query }) => {
      const from = query.from === undefined ? now() : milliseconds(Date.parse(query.from));
      const to = milliseconds(query.to === undefined ? from + 7 * DAY : Date.parse(query.to));
      if (from >= to) throw refuse('bad_request', 'parameter "to": must be after "from"');
      if (to - from > CALENDAR_MOST) throw refuse('bad_request', 'parameter "to": at most 62 days after "from"');
      return await calendars(db, setup(), { from, to, schedule: query.schedule });
    },
  );
}

type Asked = { readonly from: Milliseconds; readonly to: Milliseconds; readonly schedule: string | undefined };

async function calendars(db: Db, setup: Setup, { from, to, schedule: name }: Asked): Promise<OnCallCalendarShown[]> {
  // From the store itself: also what was over before this router last looked.
  const oncall = withStored(setup.oncall, await overridesFrom(db, from));
  const asked = [...oncall.schedules.values()].filter((one) => name === undefined || one.name === name);
  if (name !== undefined && asked.length === 0) throw refuse('not_found', `There is no schedule ${name}`);
  let count = 0;
  return asked.map((schedule) => {
    const one = calendarOf(oncall, schedule, from, to);
    count += one.shifts.length + one.layers.reduce((sum, { shifts }) => sum + shifts.length, 0);
    if (count > SHIFTS_MOST) {
      throw refuse('bad_request', `more than ${SHIFTS_MOST} shifts: ask for fewer days, or for one schedule`);
    }
    return calendarShown(setup, one);
  });
}

type Draft = Pick<StoredOverride, 'schedule' | 'person' | 'from' | 'to'>;

/** @throws {Refusal} by its field. */
function checkOverride({ oncall }: Setup, { schedule, person, from, to }: Draft, now: Milliseconds): void {
  const wrong = (field: string, what: string) => refuse('bad_request', `body "${field}": ${what}`);
  if (!oncall.schedules.has(schedule)) throw wrong('schedule', `there is no schedule ${schedule} in oncall.yaml`);
  if (!oncall.people.has(person)) throw wrong('person', `there is no person ${person} in oncall.yaml`);
  if (to <= now) throw wrong('to', 'is past');
  if (from >= to) throw wrong('to', 'must be after "from"');
  if (to - from > LENGTH_MOST) throw wrong('to', 'at most 90 days after "from": for longer, change oncall.yaml');
  if (from > now + AHEAD_MOST) throw wrong('from', 'at most 400 days from now');
}

const actOf = ({ tenant, subject }: Principal, action: string, target: string, at: Milliseconds) =>
  ({ at, tenant, subject, action, target, outcome: 'done' }) as const;

const spanShown = ({ from, to }: { readonly from: Milliseconds; readonly to: Milliseconds }) => ({
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
});

function overrideShown({ oncall }: Setup, one: StoredOverride): OverrideShown {
  return {
    id: one.id,
    schedule: one.schedule,
    person: one.person,
    displayName: oncall.people.get(one.person)?.displayName ?? one.person,
    ...spanShown(one),
    because: one.because ?? null,
    createdBy: one.createdBy,
    createdAt: iso(one.createdAt),
    fromFile: false,
  };
}

function calendarShown(setup: Setup, one: ScheduleCalendar): OnCallCalendarShown {
  const shift = ({ person, displayName, ...span }: ScheduleCalendar['layers'][number]['shifts'][number]) => ({
    ...spanShown(span),
    person,
    displayName,
  });
  return {
    schedule: one.schedule,
    timeZone: one.timeZone,
    shifts: one.shifts.map(({ layer, override, ...rest }) => ({
      ...shift(rest),
      layer: layer ?? null,
      override: override?.made?.id ?? null,
      fromFile: override !== undefined && override.made === undefined,
    })),
    layers: one.layers.map(({ name, shifts }) => ({ name, shifts: shifts.map(shift) })),
    gaps: one.gaps.map(spanShown),
    overrides: one.overrides.map(({ made, person, displayName, ...span }): OverrideShown => {
      if (made !== undefined) return overrideShown(setup, made);
      const ofFile = { id: null, because: null, createdBy: null, createdAt: null, fromFile: true } as const;
      return { ...ofFile, schedule: one.schedule, person, displayName, ...spanShown(span) };
    }),
  };
}
