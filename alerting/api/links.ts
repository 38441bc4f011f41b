/** What the signed links in messages lead to. Whoever has one may do that one thing; nobody needs to log in at 03:00. */
import { z } from 'zod';
import { audit } from '#access/audit.ts';
import { DEFAULT_TENANT, type Principal } from '#access/roles.ts';
import type { Answer } from '#alerting/answer.ts';
import { common } from '#alerting/compose.ts';
import { isSigned, type LinkAction } from '#alerting/links.ts';
import { type Matcher, makeMatcher } from '#alerting/matcher.ts';
import { findIncident } from '#alerting/rows/incidents.ts';
import { putSilence } from '#alerting/rows/silences.ts';
import { saysWhatIsSilenced } from '#alerting/silenced-labels.ts';
import type { Incident } from '#alerting/store.ts';
import type { Db } from '#kernel/database.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { type Doer, deedOf } from '#serving/deed.ts';
import { askPage, donePage, PAGE_POLICY, refusedPage } from './link-page.ts';

export type LinkRoutes = {
  readonly db: Db;
  readonly now: () => Milliseconds;
  readonly newId: () => string;
  readonly signingKey: Secret;
  readonly answer: (incidentId: string, given: Answer) => Promise<Incident | undefined>;
};

const ACTIONS = ['acknowledge', 'silence'] as const satisfies readonly LinkAction[];
const SILENCE_FOR = 2 * 3_600_000;
const WHO = 'whoever had the link';
const LINK: Principal = { tenant: DEFAULT_TENANT, subject: 'link', roles: [], via: 'anonymous' };

export const LINK_PATH = '/incidents/:id/:action';

export function linkRoutes(app: App, prefix: string, routes: LinkRoutes): void {
  const schema = {
    hide: true,
    params: z.object({ id: z.string().max(100), action: z.enum(ACTIONS) }),
    querystring: z.object({ until: z.coerce.number().int(), signature: z.string().max(100) }),
  };
  // A form posts its fields in a body of this type; ours has none.
  app.addContentTypeParser('application/x-www-form-urlencoded', (_request, body, done) => {
    body.resume();
    done(null, {});
  });
  const opened = async (id: string, action: LinkAction, until: number, signature: string) => {
    if (!isSigned(routes.signingKey, action, id, until, signature, routes.now())) {
      return { kind: 'refused', why: 'It has expired, or was changed on its way.' } as const;
    }
    const incident = await findIncident(routes.db, id);
    if (incident === undefined) return { kind: 'refused', why: 'There is no such incident.' } as const;
    return { kind: 'opened', incident } as const;
  };
  const path = `${prefix}${LINK_PATH}`;
  app.get(path, { schema }, async ({ params: { id, action }, query: { until, signature } }, reply) => {
    const found = await opened(id, action, until, signature);
    reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).serializer(String);
    if (found.kind === 'refused') return await reply.code(403).send(refusedPage(found.why));
    return await reply.send(askPage(found.incident, action));
  });
  app.post(path, { schema }, async ({ params: { id, action }, query: { until, signature }, correlationId }, reply) => {
    const found = await opened(id, action, until, signature);
    reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).serializer(String);
    if (found.kind === 'refused') return await reply.code(403).send(refusedPage(found.why));
    // Nobody is known: whoever was sent the link may do this one thing.
    const doer: Doer = { principal: LINK, correlationId };
    const deed = deedOf(doer, 'incidents:acknowledge', found.incident.id, routes.now());
    if (action === 'acknowledge') await routes.answer(id, { kind: 'acknowledge', by: WHO, deed });
    else await silence(routes, found.incident, doer);
    return await reply.send(donePage(found.incident, action));
  });
}

async function silence({ db, now, newId, answer }: LinkRoutes, incident: Incident, doer: Doer): Promise<void> {
  const labels = common(incident.message.alerts.list.map((alert) => alert.labels));
  const matchers = Object.entries(labels).flatMap(([name, value]): Matcher[] => {
    const made = saysWhatIsSilenced(name) ? makeMatcher(name, '=', value) : undefined;
    return made?.kind === 'matcher' ? [made.matcher] : [];
  });
  // Nothing in common: a silence without a matcher would silence everything.
  if (matchers.length === 0) return;
  const [id, at] = [newId(), now()];
  await db.tx(async (q) => {
    await putSilence(q, {
      id,
      matchers,
      startsAt: at,
      endsAt: (at + SILENCE_FOR) as Milliseconds,
      createdBy: WHO,
      comment: `from the link of incident #${incident.number}`,
      annotations: {},
      updatedAt: at,
    });
    await audit(q, deedOf(doer, 'silences:create', id, at));
  });
  await answer(incident.id, { kind: 'note', by: WHO, text: `silenced for two hours: ${id}` });
}
