/** How the process itself is: memory, CPU, and how late its one thread runs. */
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/** Fine enough to see a block of 20 ms, coarse enough to cost nothing measurable. */
const LAG_RESOLUTION_MS = 20;

/** The answer stops it. Lag and utilization are those since the scrape before, so that each scrape tells of its span. */
export function observeRuntime(metrics: Metrics): () => void {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  const one = (value: number) => [{ value, attributes: {} }];
  const stops = [
    metrics.observe('process_resident_memory_bytes', () => one(process.memoryUsage.rss())),
    metrics.observe('nodejs_heap_size_used_bytes', () => one(process.memoryUsage().heapUsed)),
    metrics.observe('process_cpu_seconds_total', () => {
      const { user, system } = process.cpuUsage();
      return [
        { value: user / 1e6, attributes: { mode: 'user' } as const },
        { value: system / 1e6, attributes: { mode: 'system' } as const },
      ];
    }),
    metrics.observe('nodejs_eventloop_utilization_ratio', () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return one(Number.isFinite(utilization) ? utilization : 0);
    }),
    metrics.observe('nodejs_eventloop_lag_p99_seconds', () => one(lagSeconds(lag.percentile(99)))),
    // Observers are asked in this order: the last one begins the next span.
    metrics.observe('nodejs_eventloop_lag_max_seconds', () => {
      const worst = one(lagSeconds(lag.percentile(100)));
      lag.reset();
      return worst;
    }),
  ];
  return () => {
    lag.disable();
    for (const stop of stops) stop();
  };
}

/** The histogram counts the span between two of its own timers, the resolution included; nothing yet reads 0. */
const lagSeconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - LAG_RESOLUTION_MS / 1000);
