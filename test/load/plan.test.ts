import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { PLAN_FILE, planText } from './plan.ts';

test('the committed plan is what the objectives and the samples make', () => {
  assert.equal(readFileSync(PLAN_FILE, 'utf8'), planText(), 'node test/load/plan.ts');
});
