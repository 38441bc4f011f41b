/**
 * The walk down the tree of routes, and the group in which an alert lands at a route. Pure.
 *
 * Source: prometheus/alertmanager dispatch/route.go (Match) and dispatch/dispatch.go (getGroupLabels, GroupKey).
 */
import type { Route } from '#alerting/config/config.ts';
import { type Labels, labelsText } from './labels.ts';
import { matchesAll } from './matcher.ts';

/**
 * Every route at which these labels end, in the order of the file: the deepest that match, the first of its siblings unless
 * it says `continue`. At least one, for the root takes what no other does.
 */
export function routesOf(root: Route, labels: Labels): readonly Route[] {
  const below: Route[] = [];
  for (const child of root.routes) {
    if (!matchesAll(child.matchers, labels)) continue;
    below.push(...routesOf(child, labels));
    if (!child.continue) break;
  }
  return below.length === 0 ? [root] : below;
}

export type Group = {
  /** As a webhook's `groupKey`. Two routes with the same matchers at the same place of the tree share it. */
  readonly key: string;
  /** Unique: with the route's place. */
  readonly id: string;
  readonly labels: Labels;
};

/** A label that the alert has not is not in its group's labels. */
export function groupOf(route: Route, labels: Labels): Group {
  const grouped = route.groupBy === 'all' ? labels : pick(labels, route.groupBy);
  const text = labelsText(grouped);
  return { key: `${route.key}:${text}`, id: `${route.id}:${text}`, labels: grouped };
}

function pick(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(
    names.flatMap((name) => (Object.hasOwn(labels, name) ? [[name, labels[name] ?? ''] as const] : [])),
  );
}

/** Every route, each before those below it. */
export function* allRoutes(root: Route): Generator<Route> {
  yield root;
  for (const child of root.routes) yield* allRoutes(child);
}
