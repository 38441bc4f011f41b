/** What everything stands on: machines, our processes, databases, and the telemetry itself. */
import { dashboard, line, section } from './dashboard.ts';
import { EXPLORE_SLOW_STATEMENTS } from './explore.ts';
import { lines, number, rows, spread } from './panel.ts';
import { choice, tempo } from './variable.ts';

const HOST = 'host_name=~"$host"';
const JOB = 'job=~"$job"';
/** From here on a statement counts as slow: a bucket's bound of the histogram. */
const SLOW = '0.2';

export const hosts = dashboard({
  uid: 'burnline-hosts',
  title: 'Burnline / Hosts and database',
  description:
    'CPU, memory, disks and networks of hosts; our processes; connections and slow statements of the databases; the telemetry about the telemetry.',
  from: 'now-6h',
  choices: [
    tempo(),
    choice({ name: 'host', label: 'Host', of: 'system_memory_usage_bytes', by: 'host_name' }),
    choice({ name: 'job', label: 'Job', of: 'process_resident_memory_bytes', by: 'job' }),
  ],
  links: [EXPLORE_SLOW_STATEMENTS],
  sections: [
    section(
      'Hosts',
      line(
        8,
        lines({
          title: 'CPU',
          description: 'Share of each host’s processors that was busy.',
          unit: 'percentunit',
          queries: [
            {
              expr: `1 - avg by (host_name) (system_cpu_utilization_ratio{${HOST},state="idle"})`,
              legend: '{{host_name}}',
            },
          ],
          thresholds: ['green', [0.9, 'red']],
          limit: true,
          max: 1,
        }),
        lines({
          title: 'Load',
          description: 'Tasks that run or want to, mean of a minute and of a quarter of an hour.',
          unit: 'none',
          queries: [
            { expr: `system_cpu_load_average_1m{${HOST}}`, legend: '{{host_name}} 1m' },
            { expr: `system_cpu_load_average_15m{${HOST}}`, legend: '{{host_name}} 15m' },
          ],
        }),
        lines({
          title: 'Memory',
          description: 'By what it is used for; cached and buffered is given back when it is wanted.',
          unit: 'bytes',
          queries: [{ expr: `sum by (state) (system_memory_usage_bytes{${HOST}})`, legend: '{{state}}' }],
          stack: true,
        }),
      ),
      line(
        8,
        lines({
          title: 'File systems',
          description: 'Share that is full. At 95 % DiskFull pages.',
          unit: 'percentunit',
          queries: [
            {
              expr: `max by (host_name, mountpoint) (system_filesystem_utilization_ratio{${HOST}})`,
              legend: '{{host_name}} {{mountpoint}}',
            },
          ],
          thresholds: ['green', [0.85, 'yellow'], [0.95, 'red']],
          limit: true,
          max: 1,
        }),
        lines({
          title: 'Disks',
          description: 'Read and written, by device.',
          unit: 'binBps',
          queries: [
            {
              expr: `sum by (device, direction) (rate(system_disk_io_bytes_total{${HOST}}[$__rate_interval]))`,
              legend: '{{device}} {{direction}}',
            },
          ],
        }),
        lines({
          title: 'Disks are busy',
          description: 'Share of the time in which a device had something to do.',
          unit: 'percentunit',
          queries: [
            {
              expr: `sum by (host_name, device) (rate(system_disk_io_time_seconds_total{${HOST}}[$__rate_interval]))`,
              legend: '{{host_name}} {{device}}',
            },
          ],
        }),
        lines({
          title: 'Network',
          description: 'Received and sent, by device, loopback apart.',
          unit: 'binBps',
          queries: [
            {
              expr: `sum by (device, direction) (rate(system_network_io_bytes_total{${HOST}}[$__rate_interval]))`,
              legend: '{{device}} {{direction}}',
            },
          ],
        }),
        lines({
          title: 'Network errors',
          description: 'Packets that were damaged or dropped, a second.',
          unit: 'pps',
          queries: [
            {
              expr: `sum by (device) (rate(system_network_errors_total{${HOST}}[$__rate_interval]))`,
              legend: '{{device}} errors',
            },
            {
              expr: `sum by (device) (rate(system_network_dropped_total{${HOST}}[$__rate_interval]))`,
              legend: '{{device}} dropped',
            },
          ],
        }),
      ),
    ),
    section(
      'Processes',
      line(
        8,
        lines({
          title: 'CPU',
          description: 'Processors that each process keeps busy.',
          unit: 'none',
          queries: [{ expr: `burnline:process_cpu:rate5m{${JOB}}`, legend: '{{job}} {{instance}}' }],
        }),
        lines({
          title: 'Memory',
          description: 'That each process holds.',
          unit: 'bytes',
          queries: [{ expr: `process_resident_memory_bytes{${JOB}}`, legend: '{{job}} {{instance}}' }],
        }),
        lines({
          title: 'Heap',
          description: 'JavaScript objects in use.',
          unit: 'bytes',
          queries: [{ expr: `nodejs_heap_size_used_bytes{${JOB}}`, legend: '{{job}} {{instance}}' }],
        }),
        lines({
          title: 'Event loop',
          description: 'How late 99 of 100 timers ran at most, and the worst: a blocked thread shows here first.',
          unit: 's',
          queries: [
            { expr: `nodejs_eventloop_lag_p99_seconds{${JOB}}`, legend: '{{job}} {{instance}} p99' },
            { expr: `nodejs_eventloop_lag_max_seconds{${JOB}}`, legend: '{{job}} {{instance}} worst' },
          ],
        }),
        lines({
          title: 'Event loop is busy',
          description: 'Share of the time; near 1 everything waits.',
          unit: 'percentunit',
          queries: [{ expr: `nodejs_eventloop_utilization_ratio{${JOB}}`, legend: '{{job}} {{instance}}' }],
          max: 1,
        }),
      ),
      line(
        8,
        rows({
          title: 'What runs',
          description: 'Each role, its version and where it is scraped.',
          queries: [{ ref: 'build', expr: `max by (role, version, job, instance) (burnline_build_info{${JOB}})` }],
          columns: [
            { field: 'role', title: 'Role' },
            { field: 'version', title: 'Version' },
            { field: 'job', title: 'Job' },
            { field: 'instance', title: 'Instance' },
          ],
        }),
        lines({
          title: 'Slowest twentieth of requests',
          description: '95 % of a route’s requests were faster. api-fast wants 200 ms, uploads apart.',
          unit: 's',
          queries: [
            {
              expr: `burnline:http_server_request_duration_seconds:p95_5m{${JOB}}`,
              legend: '{{job}} {{http_route}}',
            },
          ],
          thresholds: ['green', [0.2, 'red']],
          limit: true,
        }),
        lines({
          title: 'Requests refused for who asked',
          description: 'No or a bad credential, no right, a wrong address, too many; in five minutes.',
          unit: 'none',
          queries: [{ expr: `sum by (reason) (increase(access_refused_total{${JOB}}[5m]))`, legend: '{{reason}}' }],
        }),
      ),
    ),
    section(
      'Databases',
      line(
        8,
        lines({
          title: 'Connections',
          description:
            'Of all programs together, to the database that a role keeps its state in, and how many it accepts.',
          unit: 'none',
          queries: [
            { expr: `max by (job, state) (database_connections{${JOB}})`, legend: '{{job}} {{state}}' },
            { expr: `max by (job) (database_connections_max{${JOB}})`, legend: '{{job}} most' },
          ],
          dashed: '.* most',
        }),
        lines({
          title: 'Statements',
          description: 'A second, by what they do.',
          unit: 'ops',
          queries: [
            {
              expr: `sum by (db_operation_name) (rate(db_client_operation_duration_seconds_count{${JOB}}[$__rate_interval]))`,
              legend: '{{db_operation_name}}',
            },
          ],
          stack: true,
        }),
        lines({
          title: 'Slowest twentieth',
          description: '95 % of the statements were faster, by what they do.',
          unit: 's',
          queries: [
            {
              expr: `burnline:db_client_operation_duration_seconds:p95_5m{${JOB}}`,
              legend: '{{job}} {{db_operation_name}}',
            },
          ],
        }),
      ),
      line(
        8,
        spread({
          title: 'Durations of statements',
          description: 'How many took how long.',
          unit: 's',
          queries: [
            {
              expr: `sum by (le) (increase(db_client_operation_duration_seconds_bucket{${JOB}}[$__rate_interval]))`,
            },
          ],
        }),
        lines({
          title: 'Slow statements',
          description: `Share that took over ${Number(SLOW) * 1_000} ms, by job. The link leads to their traces.`,
          unit: 'percentunit',
          queries: [
            {
              expr: `1 - sum by (job) (rate(db_client_operation_duration_seconds_bucket{${JOB},le="${SLOW}"}[$__rate_interval])) / (sum by (job) (rate(db_client_operation_duration_seconds_count{${JOB}}[$__rate_interval])) > 0)`,
              legend: '{{job}}',
            },
          ],
          links: [EXPLORE_SLOW_STATEMENTS],
        }),
        lines({
          title: 'Statements that failed',
          description: 'In five minutes, by why.',
          unit: 'none',
          queries: [
            {
              expr: `sum by (job, error_type) (increase(db_client_operation_duration_seconds_count{${JOB},error_type!=""}[5m]))`,
              legend: '{{job}} {{error_type}}',
            },
          ],
        }),
      ),
      line(
        8,
        number({
          title: 'Postgres answers',
          description: 'Whether its exporter is let in.',
          unit: 'none',
          queries: [{ expr: 'min(pg_up)' }],
          thresholds: ['red', [1, 'green']],
          width: 4,
        }),
        lines({
          title: 'Size',
          description: 'Of each database of Postgres.',
          unit: 'bytes',
          queries: [{ expr: 'max by (datname) (pg_database_size_bytes)', legend: '{{datname}}' }],
        }),
        lines({
          title: 'Transactions',
          description: 'Committed and rolled back, a second, by database.',
          unit: 'ops',
          queries: [
            {
              expr: 'sum by (datname) (rate(pg_stat_database_xact_commit[$__rate_interval]))',
              legend: '{{datname}} committed',
            },
            {
              expr: 'sum by (datname) (rate(pg_stat_database_xact_rollback[$__rate_interval]))',
              legend: '{{datname}} rolled back',
            },
          ],
        }),
        lines({
          title: 'Read from memory',
          description: 'Share of the blocks that Postgres did not have to fetch.',
          unit: 'percentunit',
          queries: [
            {
              expr: 'sum by (datname) (rate(pg_stat_database_blks_hit[$__rate_interval])) / (sum by (datname) (rate(pg_stat_database_blks_hit[$__rate_interval])) + sum by (datname) (rate(pg_stat_database_blks_read[$__rate_interval])) > 0)',
              legend: '{{datname}}',
            },
          ],
          max: 1,
        }),
      ),
    ),
    section(
      'Telemetry',
      line(
        8,
        lines({
          title: 'Targets',
          description: '1 while a target is scraped well.',
          unit: 'none',
          queries: [{ expr: 'min by (job, instance) (up)', legend: '{{job}} {{instance}}' }],
          max: 1,
        }),
        lines({
          title: 'Series',
          description: 'That each target shows. A worker has under 500.',
          unit: 'short',
          queries: [{ expr: 'max by (job, instance) (scrape_samples_scraped)', legend: '{{job}} {{instance}}' }],
        }),
        lines({
          title: 'Collector’s queues',
          description: 'Spans, lines and points that wait for a backend, of what a queue holds.',
          unit: 'percentunit',
          queries: [
            {
              expr: 'max by (exporter) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)',
              legend: '{{exporter}}',
            },
          ],
          thresholds: ['green', [0.5, 'yellow'], [0.9, 'red']],
          limit: true,
        }),
        lines({
          title: 'Kept back or not read',
          description:
            'Attributes that no list allows, and values that could not be read at a scrape; in five minutes.',
          unit: 'none',
          queries: [
            {
              expr: 'sum by (signal) (increase(telemetry_attributes_dropped_total[5m]))',
              legend: 'kept back of a {{signal}}',
            },
            {
              expr: 'sum by (reason) (increase(telemetry_observations_failed_total[5m]))',
              legend: 'not read: {{reason}}',
            },
          ],
        }),
        lines({
          title: 'Prometheus',
          description: 'Series that it holds.',
          unit: 'short',
          queries: [{ expr: 'max by (instance) (prometheus_tsdb_head_series)', legend: '{{instance}}' }],
        }),
      ),
    ),
  ],
});
