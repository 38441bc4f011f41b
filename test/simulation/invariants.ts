/** What holds in every history, whatever the weather. Each names what it found. */

import type { Incident, Notification } from '#alerting/store.ts';
import type { Arrived } from '#test/kit/alerting.ts';
import { T0 } from '#test/kit/alerting.ts';
import { type History, IN_PAGERDUTY, PAGER } from './world.ts';

type Invariants = Readonly<Record<string, (history: History) => string | undefined>>;

/** Of what is kept. */
const OF_INCIDENTS: Invariants = {
  'nothing waits for ever': ({ store }) => {
    const waiting = all(store).filter(({ state }) => state === 'pending' || state === 'sending');
    return waiting.length === 0
      ? undefined
      : `${waiting.length} wait: ${waiting[0]?.destination} ${waiting[0]?.action}`;
  },
  'what has ended is let go': ({ store }) => {
    const { groups, incidents } = store.tables();
    const open = [...incidents.values()].filter(({ state }) => state !== 'resolved');
    if (groups.size > 0) return `${groups.size} groups are left`;
    return open.length === 0 ? undefined : `incident ${open[0]?.number} is still ${open[0]?.state}`;
  },
  'every critical alert was in an incident': ({ store, fired }) => {
    const incidents = [...store.tables().incidents.values()];
    const missed = fired.find(
      ({ labels, at, until }) =>
        labels['team'] === 'docs' &&
        labels['severity'] === 'critical' &&
        until > at &&
        !incidents.some((one) => holds(one, labels['service'] ?? '', at, until)),
    );
    return missed && `${JSON.stringify(missed)} is in none`;
  },
  'a warning that is not inhibited any more is told': ({ store, fired }) => {
    const incidents = [...store.tables().incidents.values()].filter(({ severity }) => severity === 'warning');
    for (const one of fired) {
      const { labels, at, until } = one;
      if (labels['team'] !== 'docs' || labels['severity'] !== 'warning') continue;
      const over = fired.filter(
        (other) => other.labels['severity'] === 'critical' && other.labels['service'] === labels['service'],
      );
      const free = Math.max(at, ...over.filter((other) => other.at < until).map((other) => other.until));
      if (until - free < LONG_ENOUGH) continue;
      const told = incidents.some(
        ({ service, openedAt, resolvedAt, told: to, resolvedBy, acknowledgedBy }) =>
          service === labels['service'] &&
          openedAt - T0 < until &&
          (resolvedAt ?? Number.POSITIVE_INFINITY) - T0 > at &&
          (to.length > 0 || resolvedBy !== undefined || acknowledgedBy !== undefined),
      );
      const refused = all(store).some(({ state }) => state === 'refused');
      if (!told && !refused) return `${JSON.stringify(one)} was told to nobody`;
    }
    return undefined;
  },
  'every page reached its destination, or was refused by it': ({ store, arrived }) => {
    for (const incident of store.tables().incidents.values()) {
      for (const destination of pagedOf(store, incident)) {
        const there = to(arrived, incident, destination).some((one) => isPage(one));
        const refused = all(store).some(
          (one) => one.incidentId === incident.id && one.destination === destination && one.state === 'refused',
        );
        if (!there && !refused) return `incident ${incident.number} never reached ${destination}`;
      }
    }
    return undefined;
  },
  'the first step is taken at once, and each next one in time': ({ store, answered }) => {
    for (const incident of store.tables().incidents.values()) {
      const wrong = stepsWrong(
        store,
        incident,
        answered.filter((one) => one.incident.id === incident.id),
      );
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  },
  'whoever is on it no more is followed by the policy, from its first step': ({ store, answered }) => {
    for (const { at, incident, what } of answered) {
      if (what !== 'reopen' || incident.state === 'open') continue;
      const now = store.tables().incidents.get(incident.id);
      if (now?.resolvedAt !== undefined && now.resolvedAt - T0 <= at + 1_000) continue;
      const paged = store
        .tables()
        .timeline.some(
          (row) =>
            row.incidentId === incident.id && PAGED.has(row.kind) && row.at - T0 >= at && row.at - T0 <= at + 1_000,
        );
      const again = answered.some((one) => one.incident.id === incident.id && one.at === at && one.what !== what);
      if (!paged && !again) return `incident ${incident.number} was reopened and paged nobody`;
    }
    return undefined;
  },
  'nobody is paged after the end, or after an answer': ({ store, answered }) => {
    for (const incident of store.tables().incidents.values()) {
      const pages = all(store).filter((one) => one.incidentId === incident.id && one.action === 'trigger');
      const ended = incident.resolvedAt ?? Number.POSITIVE_INFINITY;
      const late = pages.find(({ createdAt }) => createdAt > ended);
      if (late) return `incident ${incident.number} paged ${late.destination} after its end`;
      const last = answered.filter((one) => one.incident.id === incident.id).at(-1);
      if (last?.what === 'acknowledge' && pages.some(({ createdAt }) => createdAt - T0 > last.at)) {
        return `incident ${incident.number} paged after it was acknowledged`;
      }
    }
    return undefined;
  },
};

/** Of what arrives. */
const OF_MESSAGES: Invariants = {
  'whoever was told of a beginning is told of the end': ({ store, arrived }) => {
    for (const incident of store.tables().incidents.values()) {
      for (const destination of new Set(arrived.map((one) => one.destination))) {
        const mine = to(arrived, incident, destination);
        if (!mine.some(isPage)) continue;
        const last = mine.at(-1);
        // Where it was ended they know it.
        if (incident.resolvedBy === IN_PAGERDUTY.by && destination.includes('/pagerduty')) continue;
        const refused = all(store).some(
          (one) => one.incidentId === incident.id && one.destination === destination && one.state === 'refused',
        );
        if (!refused && last !== undefined && !isEnd(last))
          return `incident ${incident.number}: ${destination} was left alone`;
      }
    }
    return undefined;
  },
  'PagerDuty hears of each incident in order': ({ store, arrived }) => {
    for (const incident of store.tables().incidents.values()) {
      const actions = to(arrived, incident, 'receiver/pager/pagerduty[0]').map(
        ({ message }) => message.kind === 'incident' && message.action,
      );
      const end = actions.indexOf('resolve');
      if (actions.length > 0 && actions[0] !== 'trigger') return `incident ${incident.number} began with ${actions[0]}`;
      if (end >= 0 && actions.slice(end).some((one) => one !== 'resolve'))
        return `incident ${incident.number}: ${actions}`;
    }
    return undefined;
  },
  'a repeat says that it may be one': ({ arrived }) => {
    const seen = new Set<string>();
    for (const { circumstances, destination } of arrived) {
      if (seen.has(circumstances.id) && !circumstances.mayRepeat) return `${destination} got ${circumstances.id} twice`;
      seen.add(circumstances.id);
    }
    return undefined;
  },
  'patience that is asked for is kept': ({ attempts }) => {
    const rest = new Map<string, number>();
    for (const { at, destination, waitUntil } of attempts) {
      if (at < (rest.get(destination) ?? 0)) return `${destination} was written to too early`;
      if (waitUntil !== undefined) rest.set(destination, waitUntil);
    }
    return undefined;
  },
  'what failed is not tried again at once': ({ attempts }) => {
    const failed = new Map<string, number>();
    for (const { id, at, outcome } of attempts) {
      if (failed.get(id) === at) return `${id} was tried again in the moment in which it failed`;
      if (outcome === 'retry' || outcome === 'ambiguous') failed.set(id, at);
    }
    return undefined;
  },
  'only what a channel refuses is given up': ({ store, attempts }) => {
    const refused = new Set(attempts.filter(({ outcome }) => outcome === 'refused').map(({ id }) => id));
    const given = all(store).find(({ id, state }) => state === 'refused' && !refused.has(id));
    return given && `${given.destination} ${given.action} was given up`;
  },
  'the end of the last critical alert does not wait for the next round of its group': ({ store, fired }) => {
    // Everything that is left ends at once, in the calm.
    const last = Math.max(...fired.map(({ until }) => until));
    const late = [...store.tables().incidents.values()].find(
      ({ severity, resolvedAt, resolvedBy }) =>
        severity === 'critical' &&
        resolvedBy === undefined &&
        resolvedAt !== undefined &&
        resolvedAt - T0 > last + HURRIED,
    );
    return late && `incident ${late.number} ended ${(late.resolvedAt ?? 0) - T0 - last} ms after its last alert`;
  },
  'nobody hears of an end before it': ({ store, fired }) => {
    for (const incident of store.tables().incidents.values()) {
      if (incident.resolvedBy !== undefined || incident.resolvedAt === undefined || incident.told.length === 0)
        continue;
      const at = incident.resolvedAt - T0;
      const going = fired.find(
        ({ labels, at: from, until }) =>
          labels['team'] === 'docs' &&
          labels['severity'] === incident.severity &&
          labels['service'] === incident.service &&
          from < at &&
          until > at,
      );
      if (going !== undefined) return `incident ${incident.number} ended while ${going.labels['alertname']} fired`;
    }
    return undefined;
  },
};

/** Of the rest. */
const OF_GROUPS: Invariants = {
  'Slack gets one message a second': ({ attempts }) => {
    const last = new Map<string, number>();
    for (const { destination, at } of attempts) {
      if (!destination.includes('slack')) continue;
      const before = last.get(destination);
      if (before !== undefined && at - before < 1_000) return `${destination} got two within ${at - before} ms`;
      last.set(destination, at);
    }
    return undefined;
  },
  'a group that was told to fire is told to have ended': ({ store, arrived }) => {
    const groups = new Map<string, Arrived[]>();
    for (const one of arrived) {
      if (one.message.kind !== 'group') continue;
      const key = `${one.destination} ${one.message.groupKey}`;
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    for (const [key, mine] of groups) {
      const last = mine.at(-1)?.message;
      const refused = all(store).some(({ state, incidentId }) => state === 'refused' && incidentId === undefined);
      if (!refused && last?.kind === 'group' && last.status !== 'resolved') return `${key} ends firing`;
    }
    return undefined;
  },
  'a warning that a critical alert inhibits is no incident while it does': ({ store, fired }) => {
    for (const incident of store.tables().incidents.values()) {
      if (incident.severity !== 'warning') continue;
      const at = incident.openedAt - T0;
      const over = fired.find(
        (one) =>
          one.labels['severity'] === 'critical' &&
          one.labels['service'] === incident.service &&
          one.at < at &&
          one.until > at,
      );
      if (over !== undefined) return `incident ${incident.number} opened under ${over.labels['alertname']}`;
    }
    return undefined;
  },
  'every decision of an incident is written down': ({ store }) => {
    const { incidents, timeline } = store.tables();
    for (const { id, number, told } of incidents.values()) {
      const kinds = timeline.filter(({ incidentId }) => incidentId === id).map(({ kind }) => kind);
      // One that ended or was answered before its first step has told nobody.
      const needed =
        told.length > 0
          ? (['received', 'grouped', 'opened', 'paged', 'resolved'] as const)
          : (['received', 'grouped', 'opened', 'resolved'] as const);
      for (const kind of needed) {
        if (!kinds.includes(kind)) return `incident ${number} has no line "${kind}"`;
      }
    }
    return undefined;
  },
};

export const INVARIANTS: Invariants = { ...OF_INCIDENTS, ...OF_MESSAGES, ...OF_GROUPS };

const all = (store: History['store']): Notification[] => [...store.tables().notifications.values()];
const to = (arrived: readonly Arrived[], { id }: Incident, destination: string): Arrived[] =>
  arrived.filter(
    ({ message, destination: one }) => one === destination && message.kind === 'incident' && message.incident.id === id,
  );
const isPage = ({ message }: Arrived): boolean =>
  message.kind === 'incident' && (message.action === 'trigger' || message.action === 'missed');
const isEnd = ({ message }: Arrived): boolean =>
  message.kind === 'incident' && (message.action === 'resolve' || message.action === 'missed');

/** Where a step sent it, whatever became of the row. */
const pagedOf = (store: History['store'], { id }: Incident): Set<string> =>
  new Set(
    all(store)
      .filter((one) => one.incidentId === id && (one.action === 'trigger' || one.action === 'missed'))
      .map(({ destination }) => destination),
  );

/** Was it open for this service within that time, or closed by somebody who knew of the alert? */
function holds(
  { service, openedAt, resolvedAt, severity }: Incident,
  wanted: string,
  at: number,
  until: number,
): boolean {
  return (
    severity === 'critical' &&
    service === wanted &&
    openedAt - T0 <= until + SLACK &&
    (resolvedAt === undefined || resolvedAt - T0 >= at)
  );
}
/** A critical alert's end is looked at within this. */
const HURRIED = 5_000;
const PAGED: ReadonlySet<string> = new Set(['paged', 'escalated']);
/** Until the group is looked at again, and the warning has lasted. */
const LONG_ENOUGH = 200_000;
/** A look at a group that gathers comes this much later. */
const SLACK = 5_000;

/** The steps' times, computed from the policy alone, as long as nobody answered and no channel refused. */
function stepsWrong(store: History['store'], incident: Incident, answers: History['answered']): string | undefined {
  const rows = store
    .tables()
    .timeline.filter(
      ({ incidentId, kind }) => incidentId === incident.id && (kind === 'paged' || kind === 'escalated'),
    );
  const refused = store
    .tables()
    .timeline.some(({ incidentId, kind }) => incidentId === incident.id && kind === 'refused');
  const until = Math.min(incident.resolvedAt ?? Number.POSITIVE_INFINITY, ...answers.map(({ at }) => T0 + at));
  const due = plannedSteps(incident.openedAt, incident.severity).filter((at) => at < until);
  const early = rows.filter(({ at }) => at < until);
  if (early.length < due.length) {
    return `incident ${incident.number} took ${early.length} steps of ${due.length} by ${until - incident.openedAt} ms`;
  }
  if (refused) return undefined;
  const late = due.find((at, i) => (early[i]?.at ?? 0) - at > 1_000);
  return late === undefined ? undefined : `incident ${incident.number} took a step late`;
}

function plannedSteps(openedAt: number, severity: Incident['severity']): number[] {
  const times: number[] = [];
  let at = openedAt + (severity === 'warning' ? PAGER.warnings.after : 0);
  for (let round = 0; round <= PAGER.repeat.times; round++) {
    for (const [i, { delay }] of PAGER.steps.entries()) {
      at += i === 0 && round > 0 ? PAGER.repeat.after : delay;
      times.push(at);
    }
  }
  return times;
}

/** @returns what is wrong with a history. */
export const wrongsOf = (history: History): string[] =>
  Object.entries(INVARIANTS).flatMap(([name, check]) => {
    const wrong = check(history);
    return wrong === undefined ? [] : [`${name}: ${wrong}`];
  });
