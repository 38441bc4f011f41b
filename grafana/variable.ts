/**
 * What a viewer chooses. Data sources are among it, so that the dashboards can be imported into any Grafana: no query
 * names one.
 */
import * as sdk from '@grafana/grafana-foundation-sdk/dashboard';

export const PROMETHEUS = { type: 'prometheus', uid: '${datasource}' };

export const prometheus = () =>
  new sdk.DatasourceVariableBuilder('datasource').type('prometheus').label('Prometheus').regex('');
export const tempo = () => new sdk.DatasourceVariableBuilder('traces').type('tempo').label('Traces');
export const loki = () => new sdk.DatasourceVariableBuilder('logs').type('loki').label('Logs');

export type Choice = {
  readonly name: string;
  readonly label: string;
  /** The series whose label is offered; it may name choices before it. */
  readonly of: string;
  /** Its label. */
  readonly by: string;
  /** One only; else any number, at first all. */
  readonly one?: true;
};

/** Values of a label, as they are now. `all` also takes what lacks the label. */
export function choice({ name, label, of, by, one }: Choice): sdk.QueryVariableBuilder {
  const query = `label_values(${of}, ${by})`;
  const variable = new sdk.QueryVariableBuilder(name)
    .label(label)
    .datasource(PROMETHEUS)
    .query({ query, refId: name })
    .definition(query)
    .refresh(sdk.VariableRefresh.OnTimeRangeChanged)
    .sort(sdk.VariableSort.AlphabeticalAsc);
  if (one) return variable;
  return variable
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}
