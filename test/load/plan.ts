/** Writes the plan of the smoke test that k6 runs by itself, as in compose: `node test/load/plan.ts`. A test compares it. */
import { writeFileSync } from 'node:fs';
import { readFiles } from '#app/slo-files.ts';
import { sampleDocuments } from '#loadtests/documents.ts';
import type { Plan } from '#loadtests/k6/plan.ts';
import { promisesOf } from '#loadtests/promises.ts';
import { makePlan, USUAL } from '#loadtests/scenarios.ts';

export const PLAN_FILE = 'loadtests/plans/smoke.json';
/** From the folder of the scripts. */
const SAMPLES = '../../samples/documents';

export function committedPlan(): Plan {
  const read = readFiles([]);
  if (read.kind !== 'files') throw new Error(read.message);
  const { rate, duration } = USUAL.smoke;
  const promises = promisesOf(read.files);
  return makePlan({ scenario: 'smoke', run: '', rate, duration, promises, documents: sampleDocuments(SAMPLES) });
}

export const planText = (): string => `${JSON.stringify(committedPlan(), null, 2)}\n`;

if (import.meta.main) writeFileSync(PLAN_FILE, planText());
