/** The real programs that the tests use, each found or made. `npm run tools` makes them ahead of time and says what it has. */
import { findAlertmanager } from './alertmanager.ts';
import type { Found } from './cache.ts';
import { findChromium } from './chromium.ts';
import { findDocker } from './docker.ts';
import { findK6 } from './k6.ts';
import { findKubernetes } from './kubernetes.ts';
import { findOtelcol } from './otelcol.ts';
import { findPostgres } from './postgres.ts';
import { findPostgresExporter } from './postgres-exporter.ts';
import { findPrometheus } from './prometheus.ts';
import { findSchemathesis } from './schemathesis.ts';
import { findVictoriaMetrics } from './victoriametrics.ts';

export type Tool = { readonly name: string; readonly found: Found };

export function findTools(): Tool[] {
  return [
    { name: 'postgres', found: findPostgres() },
    { name: 'schemathesis', found: findSchemathesis() },
    { name: 'prometheus', found: findPrometheus('prometheus') },
    { name: 'promtool', found: findPrometheus('promtool') },
    { name: 'alertmanager', found: findAlertmanager('alertmanager') },
    { name: 'amtool', found: findAlertmanager('amtool') },
    { name: 'otelcol', found: findOtelcol() },
    { name: 'k6', found: findK6() },
    { name: 'docker', found: findDocker() },
    { name: 'postgres_exporter', found: findPostgresExporter() },
    { name: 'victoriametrics', found: findVictoriaMetrics() },
    { name: 'kubernetes', found: findKubernetes() },
    { name: 'chromium', found: findChromium() },
  ];
}

if (import.meta.main) {
  const tools = findTools();
  for (const { name, found } of tools) {
    const state =
      found.kind === 'found' ? `${found.how}, in ${found.where}` : `missing: ${found.why}; so ${found.costs}`;
    process.stdout.write(`${name.padEnd(18)}${state}\n`);
  }
  process.exitCode = tools.every(({ found }) => found.kind === 'found') ? 0 : 1;
}
