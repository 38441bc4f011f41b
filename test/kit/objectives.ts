/** An SLO to be changed, and what reading it says. */
import assert from 'node:assert/strict';
import type { Objective } from '#slo/objective.ts';
import { readObjectives } from '#slo/openslo/read.ts';

/** Right in both verdicts. Cases replace a part of it; its lines are counted on. */
export const BASE = `apiVersion: openslo/v1
kind: SLO
metadata:
  name: processed
spec:
  service: documents
  indicator:
    metadata:
      name: processed
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: Prometheus
            spec:
              query: finished_total{outcome="failed"}
        total:
          metricSource:
            type: Prometheus
            spec:
              query: finished_total
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.98
---
apiVersion: openslo/v1
kind: Service
metadata:
  name: documents
spec: {}
`;

export const LENIENT = { strict: false, references: true };
export const STRICT = { strict: true, references: true };

export function changed(...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    assert(text.includes(from), `the base has no ${from}`);
    return text.replace(from, to);
  }, BASE);
}

export const read = (text: string, options = LENIENT) => readObjectives([{ name: 'a.yaml', text }], options);
export const lines = (findings: readonly { line: number; column: number; message: string }[]): string[] =>
  findings.map(({ line, column, message }) => `${line}:${column} ${message}`);

export function only(text: string, options = LENIENT): Objective {
  const { objectives, faults } = read(text, options);
  assert.deepEqual(lines(faults), []);
  assert.equal(objectives.length, 1);
  return objectives[0] as Objective;
}

export const T = 'target: 0.98';
/** Raises no alert, so that its target may be one that no rule can fire at. */
export const SILENT = 'annotations: {burnline/page: "false", burnline/ticket: "false"}';
export const DURATION = 'duration: 28d\n      isRolling: true';
