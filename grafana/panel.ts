/**
 * The few kinds of panels that the dashboards are made of, so that all of one kind look and read alike. Each wants its
 * title, what it shows in a sentence, its unit and its queries; the rest is decided here.
 */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as sdk from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { PROMETHEUS } from './variable.ts';

export type Query = {
  /** PromQL, with Grafana's variables. */
  readonly expr: string;
  /** `{{label}}` is filled in. */
  readonly legend?: string;
  /** In a table the column is called after it: `Value #ref`. */
  readonly ref?: string;
  /** Asks for the traces that belong to it, too; of histograms that have them. */
  readonly exemplar?: true;
};

/** Where a value leads to. */
export type Link = { readonly title: string; readonly url: string };

/** Below the first value the first color, from a value on its own. */
export type Thresholds = readonly [calm: string, ...from: readonly (readonly [value: number, color: string])[]];

export type Common = {
  readonly title: string;
  readonly description: string;
  /** One of the SDK's units. */
  readonly unit: string;
  readonly queries: readonly Query[];
  readonly links?: readonly Link[];
  readonly thresholds?: Thresholds;
  readonly mappings?: readonly sdk.ValueMapping[];
  readonly decimals?: number;
  readonly max?: number;
  /** Of the 24 columns; default: what is left of its line, shared with the others. */
  readonly width?: number;
};

/** A panel that is not placed yet. */
export interface Placeable extends Builder<sdk.Panel> {
  id(id: number): this;
  gridPos(position: sdk.GridPos): this;
}
export type Panel = { readonly width: number | undefined; readonly builder: Placeable };

/** A number as of now. */
export function number(spec: Common): Panel {
  const builder = new stat.PanelBuilder()
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(spec.thresholds === undefined ? common.BigValueColorMode.None : common.BigValueColorMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  return finish(builder, spec, 'instant');
}

export type Lines = Common & {
  readonly stack?: true;
  /** Where the thresholds are drawn as lines over the values. */
  readonly limit?: true;
  /** Values may lie below 0; else the axis begins there. */
  readonly below?: true;
  /** Series by their name that are drawn dashed: what others are held to. */
  readonly dashed?: string;
};

/** Values over time. */
export function lines(spec: Lines): Panel {
  const builder = new timeseries.PanelBuilder()
    .lineWidth(1)
    .fillOpacity(spec.stack ? 40 : 8)
    .showPoints(common.VisibilityMode.Auto)
    .legend(legend())
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    );
  if (!spec.below) builder.min(0);
  if (spec.stack) builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('all'));
  if (spec.limit) {
    builder.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  }
  if (spec.dashed !== undefined) {
    builder.overrideByRegexp(spec.dashed, [
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'color', value: { mode: 'fixed', fixedColor: 'red' } },
    ]);
  }
  return finish(builder, spec, 'range');
}

/** How a histogram's values are spread over time. Its query is a sum by `le` of what grew in each bucket. */
export function spread(spec: Common): Panel {
  const builder = new heatmap.PanelBuilder()
    .calculate(false)
    .color(
      new heatmap.HeatmapColorOptionsBuilder()
        .mode(heatmap.HeatmapColorMode.Scheme)
        .scheme('Oranges')
        .steps(64)
        .exponent(0.5),
    )
    .cellGap(1)
    .yAxis(new heatmap.YAxisConfigBuilder().unit(spec.unit).axisPlacement(common.AxisPlacement.Left))
    .tooltip(new heatmap.HeatmapTooltipBuilder().mode(common.TooltipDisplayMode.Single).yHistogram(true));
  return finish(builder, spec, 'heatmap');
}

/** A bar for each name, as of now. */
export function bars(spec: Common): Panel {
  const builder = new bargauge.PanelBuilder()
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .orientation(common.VizOrientation.Horizontal)
    .min(0)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  return finish(builder, spec, 'instant');
}

/** Which of a few states something is in, over time. */
export function states(spec: Common): Panel {
  const builder = new statetimeline.PanelBuilder()
    .mergeValues(true)
    .showValue(common.VisibilityMode.Never)
    .rowHeight(0.8)
    .legend(legend());
  return finish(builder, spec, 'range');
}

export type Column = {
  /** A label, or `Value #ref` of a query. */
  readonly field: string;
  readonly title: string;
  readonly unit?: string;
  readonly thresholds?: Thresholds;
  readonly mappings?: readonly sdk.ValueMapping[];
  readonly links?: readonly Link[];
};
export type Rows = Omit<Common, 'unit'> & {
  /** The label that is the same in all queries: a row for each of its values. Undefined: there is one query. */
  readonly joinBy?: string;
  /** In this order; what is not named is left out. */
  readonly columns: readonly Column[];
};

export function rows({ joinBy, columns, ...spec }: Rows): Panel {
  const builder = new table.PanelBuilder().cellHeight(common.TableCellHeight.Sm);
  if (joinBy !== undefined) builder.withTransformation(transformer('joinByField', { byField: joinBy, mode: 'outer' }));
  const named = Object.fromEntries(columns.map(({ field, title }) => [field, title]));
  const order = Object.fromEntries(columns.map(({ field }, i) => [field, i]));
  builder
    .withTransformation(transformer('filterFieldsByName', { include: { names: columns.map(({ field }) => field) } }))
    .withTransformation(transformer('organize', { indexByName: order, renameByName: named, excludeByName: {} }));
  for (const { title, unit, thresholds, mappings, links } of columns) {
    builder.overrideByName(title, [
      ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
      ...(mappings === undefined ? [] : [{ id: 'mappings', value: mappings }]),
      ...(links === undefined ? [] : [{ id: 'links', value: links }]),
      ...(thresholds === undefined && mappings === undefined
        ? []
        : [{ id: 'custom.cellOptions', value: { type: 'color-text' } }]),
      ...(thresholds === undefined ? [] : [{ id: 'thresholds', value: thresholdsOf(thresholds).build() }]),
    ]);
  }
  return finish(builder, { ...spec, unit: 'none' }, 'table');
}

type Asked = 'instant' | 'range' | 'heatmap' | 'table';
type AnyBuilder = Placeable & Pick<timeseries.PanelBuilder, Shared>;
type Shared =
  | 'title'
  | 'description'
  | 'datasource'
  | 'unit'
  | 'withTarget'
  | 'thresholds'
  | 'mappings'
  | 'decimals'
  | 'max'
  | 'dataLinks';

function finish(builder: Placeable, spec: Common, asked: Asked): Panel {
  // Every panel's builder has these; the SDK has no common type for them.
  const panel = builder as AnyBuilder;
  panel.title(spec.title).description(spec.description).datasource(PROMETHEUS).unit(spec.unit);
  spec.queries.forEach((query, i) => {
    panel.withTarget(target(query, query.ref ?? String.fromCharCode(65 + i), asked));
  });
  panel.thresholds(thresholdsOf(spec.thresholds ?? ['green']));
  if (spec.mappings !== undefined) panel.mappings([...spec.mappings]);
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.max !== undefined) panel.max(spec.max);
  if (spec.links !== undefined) {
    panel.dataLinks(spec.links.map(({ title, url }) => new sdk.DashboardLinkBuilder(title).url(url)));
  }
  return { width: spec.width, builder };
}

function target({ expr, legend: name, exemplar }: Query, ref: string, asked: Asked): DataqueryBuilder {
  const query = new DataqueryBuilder().datasource(PROMETHEUS).expr(expr).refId(ref);
  if (name !== undefined) query.legendFormat(name);
  if (exemplar) query.exemplar(true);
  if (asked === 'heatmap') query.format(PromQueryFormat.Heatmap).legendFormat('{{le}}');
  if (asked === 'table') query.format(PromQueryFormat.Table);
  return asked === 'instant' || asked === 'table' ? query.instant() : query.range();
}

const legend = () =>
  new common.VizLegendOptionsBuilder()
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);

const transformer = (id: string, options: object): sdk.DataTransformerConfig => ({ id, options });

function thresholdsOf([calm, ...from]: Thresholds): sdk.ThresholdsConfigBuilder {
  const steps = [{ value: null, color: calm }, ...from.map(([value, color]) => ({ value, color }))];
  return new sdk.ThresholdsConfigBuilder().mode(sdk.ThresholdsMode.Absolute).steps(steps);
}

/** What the numbers of a state are called. */
export const named = (
  ...names: readonly (readonly [value: number, text: string, color: string])[]
): sdk.ValueMapping => ({
  type: sdk.MappingType.ValueToText,
  options: Object.fromEntries(names.map(([value, text, color], index) => [String(value), { text, color, index }])),
});
