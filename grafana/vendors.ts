/** LlamaParse, OpenAI and our own parsers: how fast and how well they answer, and what that costs. */
import { dashboard, line, section } from './dashboard.ts';
import { EXPLORE_VENDOR_TRACES } from './explore.ts';
import { bars, lines, named, number, spread, states } from './panel.ts';
import { choice, tempo } from './variable.ts';

const WHICH = 'vendor=~"$vendor"';

export const vendors = dashboard({
  uid: 'burnline-vendors',
  title: 'Burnline / Vendors and cost',
  description:
    'Latency, errors and rate limits of each vendor; tokens, pages, credits; money for each document and each day.',
  from: 'now-24h',
  choices: [
    tempo(),
    choice({ name: 'vendor', label: 'Vendor', of: 'vendor_request_duration_seconds_count', by: 'vendor' }),
  ],
  links: [EXPLORE_VENDOR_TRACES],
  sections: [
    section(
      'Now',
      line(
        4,
        number({
          title: 'Cost',
          description: 'What calls cost in the chosen range, by our dated price table.',
          unit: 'currencyUSD',
          queries: [{ expr: `sum(increase(document_cost_usd_total{${WHICH}}[$__range]))` }],
        }),
        number({
          title: 'For a document',
          description: 'Cost by documents that were completed, in the chosen range.',
          unit: 'currencyUSD',
          decimals: 4,
          queries: [
            {
              expr: `sum(increase(document_cost_usd_total{${WHICH}}[$__range])) / (sum(increase(documents_finished_total{outcome="completed"}[$__range])) > 0)`,
            },
          ],
        }),
        number({
          title: 'Wasted',
          description: 'Share of the cost whose result was lost and bought again.',
          unit: 'percentunit',
          decimals: 2,
          queries: [
            {
              expr: `sum(increase(document_cost_wasted_usd_total{${WHICH}}[$__range])) / (sum(increase(document_cost_usd_total{${WHICH}}[$__range])) > 0)`,
            },
          ],
          thresholds: ['green', [0.02, 'yellow'], [0.1, 'red']],
        }),
        number({
          title: 'Requests that failed',
          description: 'Share of the requests in the chosen range, rate limits among them.',
          unit: 'percentunit',
          decimals: 2,
          queries: [
            {
              expr: `sum(increase(vendor_request_duration_seconds_count{${WHICH},outcome!="ok"}[$__range])) / (sum(increase(vendor_request_duration_seconds_count{${WHICH}}[$__range])) > 0)`,
            },
          ],
          thresholds: ['green', [0.01, 'yellow'], [0.05, 'red']],
        }),
        number({
          title: 'Pages',
          description: 'Pages parsed in the chosen range.',
          unit: 'short',
          queries: [{ expr: `sum(increase(vendor_pages_total{${WHICH}}[$__range]))` }],
        }),
        number({
          title: 'Tokens',
          description: 'Tokens billed in the chosen range.',
          unit: 'short',
          queries: [{ expr: `sum(increase(vendor_tokens_total{${WHICH}}[$__range]))` }],
        }),
      ),
    ),
    section(
      'Answers',
      line(
        9,
        lines({
          title: 'Slowest twentieth',
          description: '95 % of the requests were faster, whatever came of them. One attempt has 10 s.',
          unit: 's',
          queries: [{ expr: `burnline:vendor_request_duration_seconds:p95_5m{${WHICH}}`, legend: '{{vendor}}' }],
          thresholds: ['green', [10, 'red']],
          limit: true,
        }),
        spread({
          title: 'Latency of requests that went well',
          description: 'How many took how long.',
          unit: 's',
          queries: [
            {
              expr: `sum by (le) (increase(vendor_request_duration_seconds_bucket{${WHICH},outcome="ok"}[$__rate_interval]))`,
            },
          ],
        }),
        lines({
          title: 'Calls as traces see them',
          description: 'The slowest twentieth of client spans by vendor; a dot is one trace and leads to it.',
          unit: 's',
          queries: [
            {
              expr: 'histogram_quantile(0.95, sum by (le, span_name) (rate(traces_span_metrics_duration_seconds_bucket{span_kind="SPAN_KIND_CLIENT",span_name=~"POST|GET|embeddings.*"}[$__rate_interval])))',
              legend: '{{span_name}}',
              exemplar: true,
            },
          ],
        }),
      ),
      line(
        8,
        lines({
          title: 'Requests by outcome',
          description: 'A second.',
          unit: 'reqps',
          queries: [{ expr: `burnline:vendor_requests:rate5m{${WHICH}}`, legend: '{{vendor}} {{outcome}}' }],
          stack: true,
        }),
        lines({
          title: 'Share that failed',
          description: 'Of each vendor’s requests, over five minutes.',
          unit: 'percentunit',
          queries: [
            {
              expr: `sum by (vendor) (burnline:vendor_requests:rate5m{${WHICH},outcome!="ok"}) / (sum by (vendor) (burnline:vendor_requests:rate5m{${WHICH}}) > 0)`,
              legend: '{{vendor}}',
            },
          ],
        }),
        lines({
          title: 'Rate limits and empty accounts',
          description: 'Requests answered 429 or 402, in five minutes.',
          unit: 'short',
          queries: [
            {
              expr: `sum by (vendor, outcome) (increase(vendor_request_duration_seconds_count{${WHICH},outcome=~"rate_limited|out_of_credit"}[5m]))`,
              legend: '{{vendor}} {{outcome}}',
            },
          ],
        }),
        states({
          title: 'Circuit breakers',
          description: 'Whether calls to a vendor are let through, in any process.',
          unit: 'none',
          queries: [{ expr: `max by (vendor) (vendor_circuit_state{${WHICH}})`, legend: '{{vendor}}' }],
          mappings: [named([0, 'closed', 'green'], [1, 'half open', 'yellow'], [2, 'open', 'red'])],
        }),
      ),
    ),
    section(
      'Amounts',
      line(
        8,
        lines({
          title: 'Tokens an hour',
          description: 'That a vendor billed, by direction.',
          unit: 'short',
          queries: [{ expr: `burnline:vendor_tokens:increase1h{${WHICH}}`, legend: '{{vendor}} {{kind}}' }],
          stack: true,
        }),
        lines({
          title: 'Pages an hour',
          description: 'Parsed, by whom.',
          unit: 'short',
          queries: [{ expr: `sum by (vendor) (increase(vendor_pages_total{${WHICH}}[1h]))`, legend: '{{vendor}}' }],
          stack: true,
        }),
        lines({
          title: 'Credits an hour',
          description: 'That a vendor billed.',
          unit: 'short',
          queries: [{ expr: `burnline:vendor_credits:increase1h{${WHICH}}`, legend: '{{vendor}}' }],
          stack: true,
        }),
      ),
    ),
    section(
      'Money',
      line(
        8,
        lines({
          title: 'An hour',
          description: 'Cost of the hour before each moment, by vendor.',
          unit: 'currencyUSD',
          queries: [{ expr: `burnline:document_cost_usd:increase1h{${WHICH}}`, legend: '{{vendor}}' }],
          stack: true,
        }),
        lines({
          title: 'A document',
          description: 'Cost of the hour before each moment by the documents that were completed in it.',
          unit: 'currencyUSD',
          decimals: 4,
          queries: [{ expr: 'burnline:document_cost_usd:per_document_1h', legend: 'a document' }],
        }),
        lines({
          title: 'Wasted an hour',
          description: 'Of it, what had to be bought again.',
          unit: 'currencyUSD',
          decimals: 4,
          queries: [{ expr: `burnline:document_cost_wasted_usd:increase1h{${WHICH}}`, legend: '{{vendor}}' }],
        }),
        bars({
          title: 'The last day',
          description: 'Cost of the last 24 hours, by vendor.',
          unit: 'currencyUSD',
          queries: [
            { expr: `sum by (vendor) (increase(document_cost_usd_total{${WHICH}}[1d]))`, legend: '{{vendor}}' },
          ],
        }),
        lines({
          title: 'A day',
          description: 'Cost of the 24 hours before each moment.',
          unit: 'currencyUSD',
          queries: [
            { expr: `sum by (vendor) (increase(document_cost_usd_total{${WHICH}}[1d]))`, legend: '{{vendor}}' },
          ],
          stack: true,
        }),
      ),
    ),
  ],
});
