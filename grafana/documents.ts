/** A document's life: how many end how, how long they and their steps take, and what waits. */
import { dashboard, line, section } from './dashboard.ts';
import { EXPLORE_DOCUMENT_LOGS, EXPLORE_DOCUMENT_TRACES } from './explore.ts';
import { lines, number, spread } from './panel.ts';
import { choice, loki, tempo } from './variable.ts';

export const documents = dashboard({
  uid: 'burnline-documents',
  title: 'Burnline / Documents',
  description: 'Documents by outcome, durations of steps, what waits and for how long, retries and refusals by reason.',
  from: 'now-6h',
  choices: [tempo(), loki(), choice({ name: 'step', label: 'Step', of: 'document_step_attempts_total', by: 'step' })],
  links: [EXPLORE_DOCUMENT_TRACES, EXPLORE_DOCUMENT_LOGS],
  sections: [
    section(
      'Now',
      line(
        4,
        number({
          title: 'Finished',
          description: 'Documents that reached an end in the chosen range, canaries apart.',
          unit: 'short',
          queries: [{ expr: 'sum(increase(documents_finished_total[$__range]))' }],
        }),
        number({
          title: 'Failed',
          description: 'Share of what was completed or failed in the chosen range. The promise is 2 % at most.',
          unit: 'percentunit',
          decimals: 2,
          queries: [
            {
              expr: 'sum(increase(documents_finished_total{outcome="failed"}[$__range])) / (sum(increase(documents_finished_total{outcome=~"completed|failed"}[$__range])) > 0)',
            },
          ],
          thresholds: ['green', [0.01, 'yellow'], [0.02, 'red']],
        }),
        number({
          title: 'Unfinished',
          description: 'Documents that are accepted and not at an end.',
          unit: 'short',
          queries: [{ expr: 'sum(max by (status) (documents_unfinished))' }],
        }),
        number({
          title: 'Oldest',
          description:
            'Age of the oldest document that is not at an end. Over two minutes is a bad slice of documents-not-stuck.',
          unit: 's',
          queries: [{ expr: 'max(document_oldest_unfinished_age_seconds)' }],
          thresholds: ['green', [60, 'yellow'], [120, 'red']],
        }),
        number({
          title: 'Queue age',
          description: 'How long the oldest due job has been waiting for a worker: scale workers by it.',
          unit: 's',
          queries: [{ expr: 'max(queue_oldest_ready_age_seconds)' }],
          thresholds: ['green', [30, 'yellow'], [120, 'red']],
        }),
        number({
          title: 'Wait for a new one',
          description: 'How long a document uploaded now would wait; over 15 minutes uploads are refused.',
          unit: 's',
          queries: [{ expr: 'max(queue_estimated_wait_seconds)' }],
          thresholds: ['green', [300, 'yellow'], [900, 'red']],
        }),
        number({
          title: 'Worker seen',
          description:
            'Since any worker last proved that it lives. After 30 s WorkerGone pages, if documents are unfinished.',
          unit: 's',
          queries: [{ expr: 'clamp_min(time() - max(worker_last_seen_timestamp_seconds), 0)' }],
          thresholds: ['green', [15, 'yellow'], [30, 'red']],
        }),
      ),
    ),
    section(
      'Outcomes',
      line(
        8,
        lines({
          title: 'Documents by outcome',
          description: 'A second. rejected is the document’s own fault and spends no error budget.',
          unit: 'ops',
          queries: [{ expr: 'burnline:documents_finished:rate5m', legend: '{{outcome}}' }],
          stack: true,
        }),
        lines({
          title: 'Share that failed',
          description: 'Of what was completed or failed, over five minutes; the line is what the objective allows.',
          unit: 'percentunit',
          queries: [
            { expr: 'burnline:documents_failed:ratio_rate5m', legend: 'failed' },
            { expr: 'max(slo:error_budget:ratio{sloth_slo="documents-processed"})', legend: 'allowed' },
          ],
          dashed: 'allowed',
        }),
        lines({
          title: 'From upload to completed',
          description: 'Half, 95 % and 99 % of the documents were faster. documents-on-time wants 30 s.',
          unit: 's',
          queries: [
            { expr: 'burnline:document_processing_duration_seconds:p50_5m', legend: 'p50' },
            { expr: 'burnline:document_processing_duration_seconds:p95_5m', legend: 'p95' },
            { expr: 'burnline:document_processing_duration_seconds:p99_5m', legend: 'p99' },
          ],
          thresholds: ['green', [30, 'red']],
          limit: true,
        }),
      ),
    ),
    section(
      'Steps',
      line(
        9,
        spread({
          title: 'Durations of steps',
          description: 'How many attempts at the chosen steps took how long.',
          unit: 's',
          queries: [
            { expr: 'sum by (le) (increase(document_step_duration_seconds_bucket{step=~"$step"}[$__rate_interval]))' },
          ],
        }),
        lines({
          title: 'Slowest twentieth of each step',
          description: '95 % of the attempts were faster.',
          unit: 's',
          queries: [{ expr: 'burnline:document_step_duration_seconds:p95_5m{step=~"$step"}', legend: '{{step}}' }],
        }),
      ),
      line(
        8,
        lines({
          title: 'Attempts by outcome',
          description: 'A second, of the chosen steps. deferred waited for a quota: nobody’s failure.',
          unit: 'ops',
          queries: [
            {
              expr: 'sum by (outcome) (burnline:document_step_attempts:rate5m{step=~"$step"})',
              legend: '{{outcome}}',
            },
          ],
          stack: true,
        }),
        lines({
          title: 'Attempts that failed',
          description: 'A second, by step. Most are tried again; this moves before documents fail.',
          unit: 'ops',
          queries: [
            { expr: 'burnline:document_step_attempts:rate5m{step=~"$step",outcome="failed"}', legend: '{{step}}' },
          ],
          stack: true,
        }),
        lines({
          title: 'Failures by reason',
          description: 'Requests to vendors that did not go well, a second, by what they were answered.',
          unit: 'reqps',
          queries: [{ expr: 'burnline:vendor_requests:rate5m{outcome!="ok"}', legend: '{{vendor}} {{outcome}}' }],
          stack: true,
          links: [{ title: 'Vendors and cost', url: '/d/burnline-vendors?${datasource:queryparam}' }],
        }),
      ),
      line(
        8,
        lines({
          title: 'Attempts for each document',
          description:
            'At a step, for each document that reached an end: 1 where nothing is tried again, less where a cache helps.',
          unit: 'none',
          queries: [
            {
              expr: 'sum by (step) (burnline:document_step_attempts:rate5m{step=~"$step",outcome!="deferred"}) / on () group_left () (sum(burnline:documents_finished:rate5m) > 0)',
              legend: '{{step}}',
            },
          ],
        }),
        lines({
          title: 'Work done again',
          description:
            'Jobs taken over from a worker that went silent, and leases that a worker lost, in five minutes.',
          unit: 'short',
          queries: [
            { expr: 'sum by (reason) (increase(jobs_reclaimed_total[5m]))', legend: '{{reason}}' },
            { expr: 'sum(increase(lease_lost_total[5m]))', legend: 'lease lost' },
          ],
        }),
        lines({
          title: 'Taken from the cache',
          description: 'Share of lookups whose result had been bought before.',
          unit: 'percentunit',
          queries: [
            {
              expr: 'sum by (step) (rate(step_cache_total{result="hit"}[$__rate_interval])) / (sum by (step) (rate(step_cache_total[$__rate_interval])) > 0)',
              legend: '{{step}}',
            },
          ],
          max: 1,
        }),
      ),
    ),
    section(
      'Queue',
      line(
        8,
        lines({
          title: 'Unfinished documents',
          description: 'In the whole database, by where they are.',
          unit: 'short',
          queries: [{ expr: 'max by (status) (documents_unfinished)', legend: '{{status}}' }],
          stack: true,
        }),
        lines({
          title: 'Jobs',
          description: 'In the whole database: due now, due later, in a worker’s hands.',
          unit: 'short',
          queries: [{ expr: 'max by (state) (queue_jobs)', legend: '{{state}}' }],
          stack: true,
        }),
        lines({
          title: 'Ages',
          description:
            'Of the oldest unfinished document and of the oldest due job; over the line a document counts as stuck.',
          unit: 's',
          queries: [
            { expr: 'max(document_oldest_unfinished_age_seconds)', legend: 'document' },
            { expr: 'max(queue_oldest_ready_age_seconds)', legend: 'job' },
          ],
          thresholds: ['green', [120, 'red']],
          limit: true,
        }),
        lines({
          title: 'Waiting for a worker',
          description: '95 % of the jobs were claimed sooner; and what a new document would wait.',
          unit: 's',
          queries: [
            { expr: 'burnline:job_wait_duration_seconds:p95_5m', legend: 'p95' },
            { expr: 'max(queue_estimated_wait_seconds)', legend: 'a new document' },
          ],
        }),
      ),
    ),
    section(
      'In and out',
      line(
        8,
        lines({
          title: 'Uploads',
          description: 'Answered, a second, by status code.',
          unit: 'reqps',
          queries: [
            {
              expr: 'sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count{http_route="/v1/documents",http_request_method="POST"}[$__rate_interval]))',
              legend: '{{http_response_status_code}}',
            },
          ],
          stack: true,
        }),
        lines({
          title: 'Uploads refused',
          description: 'In five minutes, by reason. overloaded: a new document would wait too long.',
          unit: 'short',
          queries: [{ expr: 'sum by (reason) (increase(uploads_refused_total[5m]))', legend: '{{reason}}' }],
        }),
        lines({
          title: 'Webhooks',
          description: 'Attempts to tell owners that their document is finished, in five minutes.',
          unit: 'short',
          queries: [{ expr: 'sum by (outcome) (increase(webhook_deliveries_total[5m]))', legend: '{{outcome}}' }],
        }),
        lines({
          title: 'Canaries',
          description: 'Synthetic documents by how they ended, in five minutes.',
          unit: 'short',
          queries: [{ expr: 'sum by (outcome) (increase(canary_finished_total[5m]))', legend: '{{outcome}}' }],
        }),
      ),
      line(
        9,
        lines({
          title: 'Spans',
          description: 'The slowest twentieth of each kind of span; a dot is one trace and leads to it.',
          unit: 's',
          queries: [
            {
              expr: 'histogram_quantile(0.95, sum by (le, span_name) (rate(traces_span_metrics_duration_seconds_bucket{span_kind="SPAN_KIND_CONSUMER"}[$__rate_interval])))',
              legend: '{{span_name}}',
              exemplar: true,
            },
          ],
        }),
        lines({
          title: 'Spans with an error',
          description: 'A second, by service. Each of their traces is kept.',
          unit: 'ops',
          queries: [
            {
              expr: 'sum by (service_name) (rate(traces_span_metrics_calls_total{status_code="STATUS_CODE_ERROR"}[$__rate_interval]))',
              legend: '{{service_name}}',
            },
          ],
          links: [EXPLORE_DOCUMENT_TRACES],
        }),
      ),
    ),
  ],
});
