/** Both eyes raise the same labels, all but `eye`: the rules compiled for Prometheus, and what the router says of the same verdict. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parse } from 'yaml';
import { newPresence, notePresence, servicesDown } from '#alerting/service-down.ts';
import { saidOf } from '#alerting/verdict-alerts.ts';
import { workerGone } from '#alerting/worker-gone.ts';
import { seconds, toMilliseconds } from '#kernel/units.ts';
import { BURN_RULES, budgetLasts } from '#slo/burn-rate.ts';
import { newEngine, tick, type Watched } from '#slo/engine.ts';
import { DEFAULT_ALERTING, type Objective } from '#slo/objective.ts';
import type { Burning, RuleName, Severity } from '#slo/verdict.ts';
import { at, healthy, newStack, play, SHIPPED, START } from '#test/kit/engine.ts';
import { errorsOf, KINDS, objective } from '#test/kit/objectives-by-hand.ts';
import { compileFiles } from './compile.ts';

type Labels = Readonly<Record<string, string>>;
type Rule = { readonly alert?: string; readonly labels: Labels };
const LABELLED = objective('labelled', errorsOf('app'), {
  alerting: {
    ...DEFAULT_ALERTING,
    named: {
      name: 'AnswersFail',
      pageLabels: { routing: 'now', severity: 'sev1' },
      ticketLabels: { routing: 'later' },
    },
  },
  labels: { team: 'core', 'cost.centre': '7', '1st': 'x', severity: 'none', eye: 'mine', long: 'x'.repeat(2_000) },
});
const ALL: readonly Objective[] = [...SHIPPED, ...KINDS, LABELLED];

const alertsIn = (text: string): Labels[] =>
  (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) =>
    rules.flatMap(({ alert, labels }) => (alert === undefined ? [] : [{ alertname: alert, ...labels }])),
  );
const compiled = [...compileFiles(ALL).files.values()].flatMap(alertsIn);
const written = alertsIn(readFileSync('prometheus/rules/worker.yaml', 'utf8'));

const withoutEye = ({ eye, ...labels }: Labels) => ({ by: ['router', 'prometheus'].includes(eye ?? ''), ...labels });
const textOf = (labels: Labels): string => JSON.stringify(Object.entries(withoutEye(labels)).sort());

const engine = newEngine(ALL, START);
const watchedOf = (id: string): Watched => {
  const watched = engine.watched.get(id);
  assert(watched, id);
  return watched;
};
function burning(rule: RuleName, severity: Severity): Burning {
  const numbers = { burnRate: 20, budgetSpent: 0.1, budgetLasts: budgetLasts(20, seconds(86_400)) };
  return { kind: 'burning', rule, severity, because: 'it burns', ...numbers };
}
function said(id: string, rule: RuleName, severity: Severity): Labels {
  const one = saidOf(engine, { ...watchedOf(id), verdict: burning(rule, severity) }, toMilliseconds(START));
  assert(one);
  return one.labels;
}
/** What Prometheus would raise of an objective. */
const raised = (id: string): Labels[] => compiled.filter((labels) => labels['sloth_id'] === id);

test('a pair that burns is the same alert in both eyes, believed or thin', () => {
  const seen = { critical: 0, warning: 0, info: 0 };
  for (const { id } of ALL) {
    for (const labels of raised(id)) {
      const rule = BURN_RULES.find(({ name }) => name === labels['tier'])?.name;
      if (rule === undefined) continue;
      const severity = labels['severity'] as Severity;
      assert.equal(textOf(said(id, rule, severity)), textOf(labels), `${id} ${rule} ${severity}`);
      seen[severity]++;
    }
  }
  assert(
    Object.values(seen).every((count) => count >= 8),
    JSON.stringify(seen),
  );
});

test('only what is critical is a page for routes made for Sloth', () => {
  const pages = compiled.filter((labels) => labels['sloth_severity'] === 'page');
  assert(pages.length > 0);
  assert(pages.every((labels) => labels['severity'] === 'critical'));
});

test('the evidence detector, which the router alone has, differs from a page in its tier alone', () => {
  for (const { id, alerting } of SHIPPED) {
    if (!alerting.page) continue;
    const page = raised(id).find(({ severity }) => severity === 'critical');
    assert(page);
    assert.equal(textOf({ ...said(id, 'evidence', 'critical'), tier: page['tier'] ?? '' }), textOf(page));
  }
});

test('what is not seen is the same ObjectiveBlind in both eyes', () => {
  const now = at(61);
  tick(engine, now);
  let compared = 0;
  for (const { id } of ALL) {
    const watched = watchedOf(id);
    const rule = raised(id).find(({ alertname }) => alertname === 'ObjectiveBlind');
    const one = saidOf(engine, watched, toMilliseconds(now));
    // A query that only Prometheus judges, and a composite, whose parts Prometheus does not look for.
    if (one === undefined || rule === undefined) continue;
    assert.equal(textOf(one.labels), textOf(rule), id);
    compared++;
  }
  assert(compared >= SHIPPED.length, `${compared}`);
});

test('documents without a worker are the same WorkerGone in both eyes', () => {
  const waiting = {
    name: 'documents_unfinished',
    series: 'documents_unfinished{status="queued"}',
    value: 3,
    timestamp: undefined,
  };
  const gone = workerGone([waiting], toMilliseconds(START));
  const rule = written.find(({ alertname }) => alertname === 'WorkerGone');
  assert(gone && rule);
  assert.equal(textOf(gone.labels), textOf(rule));
});

test('a service that is not there is the same ServiceDown in both eyes', () => {
  const stack = newStack(SHIPPED, 5);
  play(stack, 60, healthy);
  const presence = newPresence();
  const moment = (offset: number) => toMilliseconds(at(offset));
  notePresence(presence, { answered: new Map([['worker', true]]), heard: true }, moment(60));
  const [down, ...others] = servicesDown(stack.engine, presence, seconds(5), moment(90));
  assert(down);
  assert.deepEqual(
    others.map(({ labels }) => labels['sloth_service']),
    ['burnline-documents'],
  );
  const rule = written.find(({ alertname }) => alertname === 'ServiceDown');
  assert.equal(rule?.['sloth_service'], '{{ $labels.sloth_service }}');
  for (const { labels } of [down, ...others]) {
    assert.equal(textOf(labels), textOf({ ...rule, sloth_service: labels['sloth_service'] ?? '' }));
  }
});

test('a label of its own is on the alert of both eyes, and replaces none of ours', () => {
  const { by, ...labels } = withoutEye(said(LABELLED.id, 'page-fast', 'critical'));
  assert(by);
  assert.deepEqual(labels, {
    alertname: 'AnswersFail',
    team: 'core',
    routing: 'now',
    cost_centre: '7',
    _1st: 'x',
    sloth_id: 'documents-labelled',
    sloth_service: 'documents',
    sloth_slo: 'labelled',
    severity: 'critical',
    sloth_severity: 'page',
    tier: 'page-fast',
  });
  assert.equal(said(LABELLED.id, 'ticket-slow', 'warning')['routing'], 'later');
  assert.equal(said(LABELLED.id, 'page-fast', 'info')['routing'], 'later');
});
