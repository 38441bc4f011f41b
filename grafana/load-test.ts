/**
 * A load test beside what it does to the service: `npm run loadtest -- SCENARIO --prometheus URL`. k6 writes its metrics by
 * remote write, with native histograms: quantiles of several k6 add up then.
 *
 * Source: https://grafana.com/docs/k6/latest/results-output/real-time/prometheus-remote-write/
 */
import { dashboard, line, section } from './dashboard.ts';
import { lines, number } from './panel.ts';
import { choice } from './variable.ts';

/** Without `--tag testid=…` the label is not there, and `.*` takes that too. */
const TEST = 'testid=~"$test"';
const SCENARIO = `${TEST},scenario=~"$scenario"`;

const quantile = (q: number, histogram: string): string =>
  `histogram_quantile(${q}, sum(rate(${histogram}[$__rate_interval])))`;

/** As the test's objectives count it; the limits of colour are those that ship. */
const promise = (title: string, description: string, rate: string, target: number) =>
  number({
    title,
    description: `${description} Of all phases the worst.`,
    unit: 'percentunit',
    decimals: 2,
    queries: [{ expr: `min(k6_${rate}_rate{${SCENARIO}})` }],
    thresholds: ['red', [target, 'green']],
  });

export const loadTest = dashboard({
  uid: 'burnline-load-test',
  title: 'Burnline / Load test',
  description: 'What k6 asks for and gets, beside the documents, queues and processes that it loads.',
  from: 'now-30m',
  choices: [
    choice({ name: 'test', label: 'Test', of: 'k6_vus', by: 'testid' }),
    choice({ name: 'scenario', label: 'Scenario', of: 'k6_http_reqs_total{testid=~"$test"}', by: 'scenario' }),
  ],
  sections: [
    section(
      'k6',
      line(
        4,
        number({
          title: 'Virtual users',
          description: 'That are at work now.',
          unit: 'none',
          queries: [{ expr: `sum(k6_vus{${TEST}})` }],
        }),
        number({
          title: 'Requests',
          description: 'Sent in the chosen range.',
          unit: 'short',
          queries: [{ expr: `sum(increase(k6_http_reqs_total{${SCENARIO}}[$__range]))` }],
        }),
        number({
          title: 'Failed',
          description: 'Share of the requests that k6 counts as failed, as of its last word.',
          unit: 'percentunit',
          decimals: 2,
          queries: [{ expr: `max(k6_http_req_failed_rate{${SCENARIO}})` }],
          thresholds: ['green', [0.01, 'yellow'], [0.05, 'red']],
        }),
        number({
          title: 'Checks',
          description: 'Share of the checks that held; the worst of them.',
          unit: 'percentunit',
          decimals: 2,
          queries: [{ expr: `min(k6_checks_rate{${SCENARIO}})` }],
          thresholds: ['red', [0.99, 'yellow'], [1, 'green']],
        }),
        number({
          title: 'Lost',
          description: 'Documents that were accepted and then not there. One is too many.',
          unit: 'short',
          queries: [{ expr: `sum(increase(k6_documents_missing_total{${SCENARIO}}[$__range])) or vector(0)` }],
          thresholds: ['green', [1, 'red']],
        }),
        number({
          title: 'Left out',
          description: 'Iterations that k6 could not begin in time: the load was less than it was meant to be.',
          unit: 'short',
          queries: [{ expr: `sum(increase(k6_dropped_iterations_total{${SCENARIO}}[$__range])) or vector(0)` }],
          thresholds: ['green', [1, 'yellow']],
        }),
      ),
      line(
        4,
        promise(
          'Processed',
          'Share of the documents that were completed, of those completed or failed.',
          'document_processed',
          0.98,
        ),
        promise('On time', 'Share of the completed documents that were completed in time.', 'document_on_time', 0.95),
        promise('API available', 'Share of the answers that are no failure of ours.', 'api_available', 0.999),
        promise('API fast', 'Share of the answers, without uploads, that came in time.', 'api_fast', 0.95),
        promise('As expected', 'Share of the documents that ended as such a document must.', 'document_as_expected', 1),
      ),
      line(
        8,
        lines({
          title: 'Requests',
          description: 'A second, by status code.',
          unit: 'reqps',
          queries: [
            {
              expr: `sum by (status) (rate(k6_http_reqs_total{${SCENARIO}}[$__rate_interval]))`,
              legend: '{{status}}',
            },
          ],
          stack: true,
        }),
        lines({
          title: 'Durations as k6 sees them',
          description: 'Of all kinds of requests, half, 95 % and 99 % were faster.',
          unit: 's',
          queries: [
            { expr: quantile(0.5, `k6_http_req_duration_seconds{${SCENARIO}}`), legend: 'p50' },
            { expr: quantile(0.95, `k6_http_req_duration_seconds{${SCENARIO}}`), legend: 'p95' },
            { expr: quantile(0.99, `k6_http_req_duration_seconds{${SCENARIO}}`), legend: 'p99' },
          ],
        }),
        lines({
          title: 'Documents as k6 sees them',
          description:
            'From the upload to completed, by whoever asks again and again; half and 95 % were faster. documents-on-time wants 30 s.',
          unit: 's',
          queries: [
            { expr: quantile(0.5, `k6_document_duration_seconds{${SCENARIO}}`), legend: 'p50' },
            { expr: quantile(0.95, `k6_document_duration_seconds{${SCENARIO}}`), legend: 'p95' },
          ],
        }),
        lines({
          title: 'Documents as k6 counts them',
          description: 'A second: sent, and completed. Where they part, documents wait.',
          unit: 'ops',
          queries: (['sent', 'completed'] as const).map((what) => ({
            expr: `sum(rate(k6_documents_${what}_total{${SCENARIO}}[$__rate_interval]))`,
            legend: what,
          })),
        }),
        lines({
          title: 'Users and iterations',
          description: 'Virtual users, and iterations that are done a second.',
          unit: 'none',
          queries: [
            { expr: `sum(k6_vus{${TEST}})`, legend: 'users' },
            { expr: `sum(rate(k6_iterations_total{${SCENARIO}}[$__rate_interval]))`, legend: 'iterations a second' },
          ],
        }),
        lines({
          title: 'Bytes',
          description: 'Sent and received by k6.',
          unit: 'binBps',
          queries: [
            { expr: `sum(rate(k6_data_sent_total{${TEST}}[$__rate_interval]))`, legend: 'sent' },
            { expr: `sum(rate(k6_data_received_total{${TEST}}[$__rate_interval]))`, legend: 'received' },
          ],
        }),
      ),
    ),
    section(
      'The service meanwhile',
      line(
        8,
        lines({
          title: 'Documents by outcome',
          description: 'A second.',
          unit: 'ops',
          queries: [
            { expr: 'sum by (outcome) (rate(documents_finished_total[$__rate_interval]))', legend: '{{outcome}}' },
          ],
          stack: true,
        }),
        lines({
          title: 'Requests as the API sees them',
          description: 'The slowest twentieth; where k6 sees more, it waits for the network or for itself.',
          unit: 's',
          queries: [
            {
              expr: 'histogram_quantile(0.95, sum by (le, http_route) (rate(http_server_request_duration_seconds_bucket{http_route=~"/v1/.+"}[$__rate_interval])))',
              legend: '{{http_route}}',
            },
          ],
        }),
        lines({
          title: 'Uploads refused',
          description: 'A second, by reason.',
          unit: 'reqps',
          queries: [{ expr: 'sum by (reason) (rate(uploads_refused_total[$__rate_interval]))', legend: '{{reason}}' }],
        }),
      ),
      line(
        8,
        lines({
          title: 'What waits',
          description: 'Unfinished documents, and jobs that are due.',
          unit: 'short',
          queries: [
            { expr: 'sum(max by (status) (documents_unfinished))', legend: 'documents' },
            { expr: 'max(queue_jobs{state="ready"})', legend: 'jobs due' },
          ],
        }),
        lines({
          title: 'Processors',
          description: 'That each process keeps busy.',
          unit: 'none',
          queries: [
            {
              expr: 'sum by (job, instance) (rate(process_cpu_seconds_total[$__rate_interval]))',
              legend: '{{job}} {{instance}}',
            },
          ],
        }),
        lines({
          title: 'Budgets burn',
          description: 'Over five minutes, every objective; at 1 a budget lasts its period.',
          unit: 'none',
          queries: [{ expr: 'max by (sloth_id) (slo:current_burn_rate:ratio)', legend: '{{sloth_id}}' }],
          links: [
            {
              title: 'Detail',
              url: '/d/burnline-slo-detail?var-objective=${__field.labels.sloth_id}&${datasource:queryparam}',
            },
          ],
        }),
      ),
    ),
  ],
});
