/** Ways into Explore: the traces and the log lines of the time that is looked at. */
import type { Link } from './panel.ts';

/** https://grafana.com/docs/grafana/latest/explore/: panes as JSON; its variables must stay readable. */
function explore(title: string, source: string, query: object): Link {
  const panes = {
    a: {
      datasource: source,
      queries: [{ refId: 'A', datasource: { uid: source }, ...query }],
      range: { from: '${__from}', to: '${__to}' },
    },
  };
  const text = encodeURIComponent(JSON.stringify(panes)).replace(/%24%7B(\w+)%7D/g, '$${$1}');
  return { title, url: `/explore?schemaVersion=1&panes=${text}` };
}

const traces = (title: string, query: string): Link =>
  explore(title, '${traces}', { queryType: 'traceql', query, limit: 20 });

export const EXPLORE_DOCUMENT_TRACES = traces(
  'Traces with an error',
  '{ resource.service.name =~ "burnline-.*" && status = error }',
);
export const EXPLORE_VENDOR_TRACES = traces(
  'Slow vendor calls',
  '{ resource.service.name =~ "burnline-.*" && kind = client && span.server.address != nil && duration > 2s }',
);
export const EXPLORE_SLOW_STATEMENTS = traces(
  'Slow statements',
  '{ span.db.query.summary != nil && duration > 200ms }',
);
export const EXPLORE_DOCUMENT_LOGS = explore('Logs', '${logs}', {
  expr: '{service_name=~"burnline-.*"} | detected_level=~"warn|error"',
});
export const EXPLORE_ROUTER_LOGS = explore('Logs of the router', '${logs}', {
  expr: '{service_name="burnline-router"}',
});
