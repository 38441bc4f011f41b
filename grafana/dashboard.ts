/** A dashboard of sections, lines and panels: numbers and places are given here, the same ones each time. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as sdk from '@grafana/grafana-foundation-sdk/dashboard';
import type { Link, Panel } from './panel.ts';
import { PROMETHEUS, prometheus } from './variable.ts';

/** Panels side by side, of one height in rows of some 30 pixels. */
export type Line = { readonly height: number; readonly panels: readonly Panel[] };
export type Section = { readonly title: string; readonly lines: readonly Line[] };
/** What happened, as marks in every panel over time. */
export type Mark = {
  readonly name: string;
  readonly expr: string;
  readonly color: string;
  /** `{{label}}` is filled in. */
  readonly title: string;
  readonly text: string;
};
export type Spec = {
  /** In every address of it: never changes. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** How far back at first. */
  readonly from: string;
  /** After the data source, which every dashboard has. */
  readonly choices?: readonly Builder<sdk.VariableModel>[];
  readonly marks?: readonly Mark[];
  /** Beside that to the other dashboards. */
  readonly links?: readonly Link[];
  readonly sections: readonly Section[];
};

const COLUMNS = 24;
export const TAG = 'burnline';

export const section = (title: string, ...lines: readonly Line[]): Section => ({ title, lines });
export const line = (height: number, ...panels: readonly Panel[]): Line => ({ height, panels });

export function dashboard(spec: Spec): sdk.Dashboard {
  const builder = new sdk.DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags([TAG])
    .editable()
    .tooltip(sdk.DashboardCursorSync.Crosshair)
    .time({ from: spec.from, to: 'now' })
    .refresh('30s')
    .variables([prometheus(), ...(spec.choices ?? [])])
    .annotations((spec.marks ?? []).map(annotation))
    .links([
      new sdk.DashboardLinkBuilder('Burnline')
        .type(sdk.DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
      ...(spec.links ?? []).map(({ title, url }) =>
        new sdk.DashboardLinkBuilder(title).type(sdk.DashboardLinkType.Link).icon('external link').url(url),
      ),
    ]);
  let id = 1;
  let y = 0;
  for (const { title, lines } of spec.sections) {
    builder.withRow(new sdk.RowBuilder(title).id(id++).gridPos({ x: 0, y, w: COLUMNS, h: 1 }));
    y += 1;
    for (const { height, panels } of lines) {
      let x = 0;
      for (const [i, w] of widths(panels).entries()) {
        const panel = panels[i];
        if (panel !== undefined) builder.withPanel(panel.builder.id(id++).gridPos({ x, y, w, h: height }));
        x += w;
      }
      y += height;
    }
  }
  const built = builder.build();
  // The SDK hides links in a menu, and has no word for not doing so.
  for (const link of built.links ?? []) delete link.placement;
  return built;
}

/** What is left of a line is shared by those that do not say how wide they are; the last takes the rest. */
function widths(panels: readonly Panel[]): number[] {
  const left = COLUMNS - panels.reduce((sum, { width = 0 }) => sum + width, 0);
  const open = panels.filter(({ width }) => width === undefined).length;
  const share = Math.floor(left / open);
  let seen = 0;
  return panels.map(({ width }) => width ?? (++seen === open ? left - share * (open - 1) : share));
}

const annotation = ({ name, expr, color, title, text }: Mark): sdk.AnnotationQueryBuilder =>
  new sdk.AnnotationQueryBuilder()
    .name(name)
    .datasource(PROMETHEUS)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .step('60s')
    .titleFormat(title)
    .textFormat(text);
