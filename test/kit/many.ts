/** A router with a thousand objectives and ten thousand alerts: what the console must carry. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Posted, postAlerts } from '#test/kit/alertmanager.ts';
import { type Running, startRole } from '#test/kit/stack.ts';
import { freePort } from '#test/tools/postgres.ts';

const CONFIG = `
route: {receiver: oncall, group_by: [service], group_wait: 0s}
receivers:
- name: oncall
`;
const ONCALL = `
policies:
- name: oncall
  steps: [{targets: [{receiver: oncall}]}]
`;

const objective = (i: number): string => `apiVersion: openslo/v1
kind: SLO
metadata: {name: requests-${i}, displayName: Requests of service ${i}}
spec:
  service: service-${i}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.99}]
  indicator:
    metadata: {name: requests-${i}}
    spec:
      ratioMetric:
        counter: true
        total: {metricSource: {type: Prometheus, spec: {query: 'requests_total{service="${i}"}'}}}
        bad: {metricSource: {type: Prometheus, spec: {query: 'requests_total{service="${i}",code="500"}'}}}
`;

/** @param folder that the caller removes; the router's store is in it */
export async function startMany(folder: string, objectives: number, alerts: number): Promise<Running> {
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const declared = file('objectives.yaml', Array.from({ length: objectives }, (_, i) => objective(i)).join('---\n'));
  const router = await startRole('router', { BURNLINE_STATE: folder }, [
    '--web.listen-address=127.0.0.1:0',
    `--config.file=${file('alertmanager.yml', CONFIG)}`,
    `--oncall.file=${file('oncall.yaml', ONCALL)}`,
    `--objectives=${declared}`,
    `--scrape=gone=http://127.0.0.1:${await freePort()}/metrics`,
  ]);
  for (let i = 0; i < alerts; i += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, alerts - i) }, (_, j) => alertOf(i + j));
    const answer = await postAlerts(router.urls['router'] ?? '', batch);
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  }
  return router;
}

const BATCH = 1_000;
const SERVICES = 20;
const alertOf = (i: number): Posted => ({
  labels: {
    alertname: `Alert${i}`,
    service: `service-${i % SERVICES}`,
    severity: i % 10 === 0 ? 'critical' : 'warning',
    instance: `host-${i}`,
  },
  annotations: { description: `Number ${i} of many` },
});
