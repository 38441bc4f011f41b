/** What Grafana asks a Prometheus for the dashboards: every query of their panels, choices and marks, filled in. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** As much of a dashboard's file as is asked or looked at. */
export type PanelFile = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string };
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly instant?: boolean;
    readonly exemplar?: boolean;
  }[];
  readonly transformations?: readonly { readonly id: string; readonly options: Readonly<Record<string, unknown>> }[];
};
export type DashboardFile = {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly schemaVersion: number;
  readonly time: { readonly from: string };
  readonly panels: readonly PanelFile[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly query: string | { readonly query: string };
    }[];
  };
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly expr: string; readonly step: string }[];
  };
  readonly links: readonly { readonly title: string; readonly url?: string; readonly placement?: string }[];
};

export type Asked = {
  readonly dashboard: string;
  /** Unique: the dashboard, what of it asks, and which query. */
  readonly where: string;
  /** Still with Grafana's variables. */
  readonly expr: string;
  /** A choice asks for values of this label. */
  readonly label?: string;
  readonly instant: boolean;
  readonly exemplar: boolean;
};

export const readDashboards = (): ReadonlyMap<string, DashboardFile> =>
  new Map(
    globSync('grafana/dashboards/*.json')
      .sort()
      .map((path) => [basename(path), JSON.parse(readFileSync(path, 'utf8')) as DashboardFile]),
  );

export function queriesOf(dashboard: DashboardFile): Asked[] {
  const { uid, panels, templating, annotations } = dashboard;
  const common = { dashboard: uid, exemplar: false };
  return [
    ...panels.flatMap(({ id, title, targets = [] }) =>
      targets.map(({ refId, expr, instant = false, exemplar = false }) => {
        return { ...common, where: `${uid}: ${title} (${id} ${refId})`, expr, instant, exemplar };
      }),
    ),
    ...templating.list.flatMap(({ name, type, query }): Asked[] => {
      if (type !== 'query') return [];
      const text = typeof query === 'string' ? query : query.query;
      const [, expr = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? [];
      return [{ ...common, where: `${uid}: choice ${name}`, expr, label, instant: true }];
    }),
    ...annotations.list.map(({ name, expr }) => ({ ...common, where: `${uid}: mark ${name}`, expr, instant: false })),
  ];
}

/** @param values of the dashboard's choices. @param range what is looked at, as PromQL's duration. */
export function filledIn(
  expr: string,
  values: Readonly<Record<string, string>>,
  range: string,
  interval: string,
): string {
  return expr
    .replaceAll('$__rate_interval', interval)
    .replaceAll('$__interval', interval)
    .replaceAll('$__range', range)
    .replace(/\$(\w+)/g, (whole, name: string) => values[name] ?? whole);
}
