/** Which of the alerts that ship hide which, by the routes that ship: one outage is one page, and no other fault is hidden by it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parse } from 'yaml';
import type { InhibitRule } from '#alerting/config/config.ts';
import { sourcesOf, targetsOf } from './inhibit.ts';
import type { Labels } from './labels.ts';
import { type Matcher, parseMatchers } from './matcher.ts';

type Written = { readonly source_matchers: string[]; readonly target_matchers: string[]; readonly equal?: string[] };
const file = parse(readFileSync('alerting/defaults/alertmanager.yml', 'utf8')) as { inhibit_rules: Written[] };
const matchers = (texts: readonly string[]): Matcher[] =>
  texts.flatMap((text) => {
    const read = parseMatchers(text, 'default');
    assert(read.kind === 'matchers', text);
    return [...read.matchers];
  });
const RULES: readonly InhibitRule[] = file.inhibit_rules.map((one) => ({
  name: undefined,
  source: matchers(one.source_matchers),
  target: matchers(one.target_matchers),
  equal: one.equal ?? [],
}));

const ALERTS = {
  workerGone: { alertname: 'WorkerGone', severity: 'critical', sloth_service: 'burnline-documents' },
  documentsDown: { alertname: 'ServiceDown', severity: 'critical', sloth_service: 'burnline-documents' },
  apiDown: { alertname: 'ServiceDown', severity: 'critical', sloth_service: 'burnline-api' },
  documentsTarget: { alertname: 'TargetDown', severity: 'warning', sloth_service: 'burnline-documents', job: 'worker' },
  stuck: {
    ...{ alertname: 'ErrorBudgetBurn', severity: 'critical', sloth_service: 'burnline-documents' },
    sloth_id: 'burnline-documents-documents-not-stuck',
  },
  oldest: {
    ...{ alertname: 'OldestDocumentTooOld', severity: 'warning', sloth_service: 'burnline-documents' },
    sloth_id: 'burnline-documents-documents-not-stuck',
  },
  ticket: {
    ...{ alertname: 'ErrorBudgetBurn', severity: 'warning', sloth_service: 'burnline-api' },
    sloth_id: 'burnline-api-api-fast',
  },
  disk: { alertname: 'DiskFilling', severity: 'warning', sloth_service: 'burnline-platform' },
  blind: { alertname: 'ObjectiveBlind', severity: 'critical', sloth_service: 'burnline-documents', sloth_id: 'any' },
} as const satisfies Record<string, Labels>;

const CASES: readonly [source: keyof typeof ALERTS, target: keyof typeof ALERTS, hides: boolean][] = [
  ['documentsDown', 'workerGone', true],
  ['documentsDown', 'blind', true],
  ['documentsDown', 'documentsTarget', true],
  ['documentsDown', 'apiDown', true],
  ['apiDown', 'documentsDown', false],
  ['apiDown', 'documentsTarget', false],
  ['stuck', 'oldest', true],
  ['stuck', 'ticket', false],
  ['stuck', 'disk', false],
  ['workerGone', 'disk', false],
  ['documentsDown', 'disk', false],
  ['workerGone', 'documentsTarget', false],
];
for (const [source, target, hides] of CASES) {
  test(`${source} ${hides ? 'hides' : 'does not hide'} ${target}`, () => {
    const keys = new Set(sourcesOf(RULES, ALERTS[source]));
    assert.equal(
      targetsOf(RULES, ALERTS[target]).some((key) => keys.has(key)),
      hides,
    );
  });
}
