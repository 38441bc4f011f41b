/** All of them, in the order in which somebody looks at them. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { documents } from './documents.ts';
import { hosts } from './hosts.ts';
import { loadTest } from './load-test.ts';
import { paging } from './paging.ts';
import { sloDetail } from './slo-detail.ts';
import { sloOverview } from './slo-overview.ts';
import { vendors } from './vendors.ts';

export const DASHBOARDS: readonly Dashboard[] = [sloOverview, sloDetail, documents, vendors, paging, hosts, loadTest];

/** File and text of each, as they are committed. */
export const dashboardFiles = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    DASHBOARDS.map((one) => [`${one.uid?.replace(/^burnline-/, '')}.json`, `${JSON.stringify(one, undefined, 2)}\n`]),
  );
