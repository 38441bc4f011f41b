/** Metrics of others that our rules name, by what shows them. Ours are in collector/catalogue.ts. */

export const FOREIGN_METRICS = {
  prometheus: [
    'up',
    'prometheus_config_last_reload_successful',
    'prometheus_notifications_dropped_total',
    'prometheus_notifications_errors_total',
    'prometheus_rule_evaluation_failures_total',
    'prometheus_rule_group_iterations_missed_total',
  ],
  /** postgres_exporter. */
  postgres: ['pg_settings_max_connections', 'pg_stat_database_numbackends', 'pg_up'],
  /** The Collector about itself. What fails is shown once it has. */
  collector: [
    'otelcol_exporter_enqueue_failed_log_records',
    'otelcol_exporter_enqueue_failed_metric_points',
    'otelcol_exporter_enqueue_failed_spans',
    'otelcol_exporter_queue_capacity',
    'otelcol_exporter_queue_size',
    'otelcol_exporter_send_failed_log_records',
    'otelcol_exporter_send_failed_metric_points',
    'otelcol_exporter_send_failed_spans',
    'otelcol_exporter_sent_log_records',
    'otelcol_exporter_sent_metric_points',
    'otelcol_exporter_sent_spans',
  ],
  /** The Collector's hostmetrics, under the names that Prometheus gives to what comes by OTLP. */
  host: ['system_filesystem_utilization_ratio'],
  /** blackbox_exporter, for whoever has one. */
  probe: ['probe_ssl_earliest_cert_expiry'],
} as const;
