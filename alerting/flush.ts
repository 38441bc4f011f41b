/**
 * A group is looked at: who is to be told what. Alertmanager's rules of what is news (notify/dedup_stage.go), for routes
 * without a policy; for a route with a policy, which incidents open, grow and end. Pure.
 */
import type { Milliseconds } from '#kernel/units.ts';
import { isResolved } from './alert.ts';
import type { Route } from './config/config.ts';
import type { Suppression } from './muting.ts';
import type { Policy } from './oncall/model.ts';
import { severityOf } from './severity.ts';
import type { Group, Incident, IncidentSeverity, Member, TimelineRow } from './store.ts';
import type { MuteReason } from './time-interval.ts';

export type GroupView = {
  readonly group: Group;
  readonly route: Route;
  readonly policy: Policy | undefined;
  readonly members: readonly Member[];
  readonly muted: ReadonlyMap<string, Suppression>;
  /** The route is muted as a whole at this moment, and by which interval. */
  readonly quiet: MuteReason | undefined;
  readonly incidents: readonly Incident[];
};

export type Flush = {
  /** Undefined: nothing is left in it. */
  readonly dueAt: Milliseconds | undefined;
  /** Something is told now, of these; undefined: nothing is news. */
  readonly tell: Telling | undefined;
  readonly incidents: readonly IncidentChange[];
  /** Those that are known to fire from now on. */
  readonly nowFiring: readonly string[];
  /** Those of which nobody knows any more that they fire: it was another time. */
  readonly forgotten: readonly string[];
  readonly leaving: readonly string[];
  readonly timeline: readonly TimelineRow[];
};

export type Telling = {
  readonly reason: 'first' | 'new' | 'resolved' | 'all resolved' | 'repeat';
  readonly firing: readonly Member[];
  readonly resolved: readonly Member[];
};

export type IncidentChange =
  | { readonly kind: 'open'; readonly severity: IncidentSeverity; readonly alerts: readonly Member[] }
  | {
      readonly kind: 'join';
      readonly incident: Incident;
      readonly alerts: readonly Member[];
      readonly joined: readonly Member[];
    }
  | { readonly kind: 'resolve'; readonly incident: Incident; readonly alerts: readonly Member[] }
  /** Nobody was told of it yet, and nothing of it is to be told now. */
  | { readonly kind: 'withdraw'; readonly incident: Incident; readonly alerts: readonly Member[] };

export function decideFlush(view: GroupView, now: Milliseconds): Flush {
  const { group, route, policy, members, muted, quiet } = view;
  const heard = quiet === undefined ? members.filter(({ alert }) => !muted.has(alert.fingerprint)) : [];
  const firing = heard.filter(({ alert }) => !isResolved(alert, now));
  const over = members.filter(({ alert }) => isResolved(alert, now));
  // Whoever was told that it fires is told that it has ended, silenced or not; in quiet hours, when they are over.
  const ended = over.filter((one) => one.told === 'firing');
  const incidents = policy === undefined ? [] : incidentChanges(view, firing, now);
  const asked = policy === undefined && quiet === undefined;
  const telling = asked ? tellingOf(group, route, firing, ended, now) : undefined;
  const anew = new Set(policy === undefined ? [] : members.filter((one) => isAnew(view, one)));
  // With a policy each look is told; without one, only what is sent is known to those who read it.
  const told = policy !== undefined || telling !== undefined;
  const kept = quiet !== undefined && policy === undefined ? new Set(ended) : new Set<Member>();
  const leaving = over.filter((one) => !kept.has(one));
  const stays = members.length - leaving.length;
  return {
    dueAt: stays === 0 ? undefined : ((now + route.groupInterval) as Milliseconds),
    tell: telling,
    incidents,
    nowFiring: told ? fingerprints(firing.filter((one) => one.told !== 'firing' || anew.has(one))) : [],
    forgotten: fingerprints([...anew]),
    leaving: fingerprints(leaving),
    timeline: suppressed(view, now),
  };
}

const fingerprints = (members: readonly Member[]): string[] => members.map(({ alert }) => alert.fingerprint);

/** @returns undefined when those who read it know all of it already. */
function tellingOf(
  group: Group,
  route: Route,
  firing: readonly Member[],
  ended: readonly Member[],
  now: Milliseconds,
): Telling | undefined {
  const telling = (reason: Telling['reason']): Telling => ({ reason, firing, resolved: ended });
  if (group.toldAt === undefined) return firing.length > 0 ? telling('first') : undefined;
  if (firing.some(({ told }) => told !== 'firing')) return telling('new');
  if (firing.length === 0) return ended.length > 0 ? telling('all resolved') : undefined;
  if (ended.length > 0) return telling('resolved');
  return now - group.toldAt >= route.repeatInterval ? telling('repeat') : undefined;
}

const CLASSES: readonly IncidentSeverity[] = ['critical', 'warning'];

/**
 * What is silenced or inhibited opens nothing and joins nothing, but while it fires it holds open what is open: nobody is
 * told that it has ended before it has.
 */
function incidentChanges(view: GroupView, firing: readonly Member[], now: Milliseconds): IncidentChange[] {
  return CLASSES.flatMap((severity): IncidentChange[] => {
    const ofClass = ({ alert }: Member): boolean => severityOf(alert.labels) === severity;
    const incident = view.incidents.find((one) => one.severity === severity);
    const alerts = firing.filter(ofClass);
    if (incident === undefined) return isReason(view, alerts, now) ? [{ kind: 'open', severity, alerts }] : [];
    const all = view.members.filter(ofClass);
    if (all.every(({ alert }) => isResolved(alert, now))) return [{ kind: 'resolve', incident, alerts: all }];
    if (alerts.length === 0 && incident.told.length === 0) return [{ kind: 'withdraw', incident, alerts: all }];
    const joined = alerts.filter(({ told }) => told !== 'firing');
    return joined.length > 0 ? [{ kind: 'join', incident, alerts, joined }] : [];
  });
}

/** What somebody has closed while it fired is not opened again by what they knew, until it would be repeated. */
function isReason(view: GroupView, alerts: readonly Member[], now: Milliseconds): boolean {
  if (alerts.length === 0) return false;
  const { group, route } = view;
  const known = group.toldAt !== undefined && now - group.toldAt < route.repeatInterval;
  return !known || alerts.some((one) => one.told !== 'firing' || isAnew(view, one));
}

/**
 * It has ended and begun again since the last look, and is in no open incident: what was known of it was another time. Also
 * of what is suppressed now: it is told when that is over.
 */
function isAnew({ group: { flushedAt }, incidents }: GroupView, { alert, told }: Member): boolean {
  if (told !== 'firing' || flushedAt === undefined || alert.receivedAt <= flushedAt) return false;
  return !incidents.some(({ severity }) => severity === severityOf(alert.labels));
}

/** In a storm each alert may have a reason of its own. */
const REASONS_MOST = 5;

/** Said once for each alert that is kept from being told of: when it is new here, or a silence of it is. */
function suppressed({ group, route, members, muted, quiet, incidents }: GroupView, now: Milliseconds): TimelineRow[] {
  const isNews = (at: Milliseconds | undefined): boolean =>
    at !== undefined && (group.flushedAt === undefined || at > group.flushedAt);
  const firing = members.filter(({ alert }) => !isResolved(alert, now));
  const row = (because: string): TimelineRow => ({
    incidentId: incidents[0]?.id,
    groupId: group.id,
    at: now,
    kind: 'suppressed',
    because,
    chatter: true,
  });
  if (quiet !== undefined) {
    const news = firing.filter(({ joinedAt }) => isNews(joinedAt));
    const why = `${quiet.kind === 'mute' ? 'inside' : 'outside'} ${quiet.names.join(', ')}`;
    return news.length === 0 ? [] : [row(`${alertsText(news.length)}: the route ${route.id} is muted, ${why}`)];
  }
  const reasons = new Map<string, number>();
  for (const { alert, joinedAt } of firing) {
    const why = muted.get(alert.fingerprint);
    if (why === undefined || (!isNews(joinedAt) && !isNews(why.silencedAt))) continue;
    reasons.set(becauseOf(why), (reasons.get(becauseOf(why)) ?? 0) + 1);
  }
  const most = [...reasons].sort(([, a], [, b]) => b - a);
  const rows = most.slice(0, REASONS_MOST).map(([because, count]) => row(`${alertsText(count)} ${because}`));
  const others = most.slice(REASONS_MOST);
  const left = others.reduce((sum, [, count]) => sum + count, 0);
  return left === 0 ? rows : [...rows, row(`${alertsText(left)} for ${others.length} other reasons`)];
}

export const becauseOf = ({ silencedBy, inhibitedBy }: Suppression): string =>
  silencedBy.length > 0 ? `silenced by ${silencedBy.join(', ')}` : `inhibited by ${inhibitedBy.join(', ')}`;

const alertsText = (count: number): string => (count === 1 ? '1 alert' : `${count} alerts`);
