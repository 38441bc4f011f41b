/** UPDATE_GOLDEN=1 writes the golden file anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { days, ratio } from '#kernel/units.ts';
import { BURN_RULES, burnFactor, leastBad } from '#slo/burn-rate.ts';
import { DEFAULT_ALERTING, type Objective } from '#slo/objective.ts';
import { errorsOf, KINDS, objective, promql } from '#test/kit/objectives-by-hand.ts';
import { compileFiles, compileRules } from './compile.ts';
import { BURNING, EVENTS_TOTAL } from './names.ts';

const GOLDEN = 'test/golden/rules-kinds.yaml';

type ReadRule = {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

function rulesOf(...objectives: readonly Objective[]): ReadRule[] {
  const texts = [...compileFiles(objectives).files.values()];
  return texts.flatMap((text) =>
    (parse(text) as { groups: { rules: ReadRule[] }[] }).groups.flatMap(({ rules }) => rules),
  );
}

test('the rules of every kind of objective are those of the golden file', () => {
  const found = compileFiles(KINDS).files.get('kinds.yaml') ?? '';
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, found);
  assert.equal(found, readFileSync(GOLDEN, 'utf8'), 'UPDATE_GOLDEN=1 writes it anew');
});

test('what Prometheus cannot judge is left out, and said', () => {
  const { leftOut } = compileFiles(KINDS);
  assert.deepEqual(
    leftOut.map(({ id, what, because }) => [id, what, because.split(':')[0]]),
    [
      [
        'kinds-raw-windowed',
        'evidence',
        'a raw ratio hides how many events it stands for, so a single failure may page',
      ],
      ['kinds-month', 'period', 'a calendar period'],
      ['kinds-lax', 'alert', 'page-fast'],
      ['kinds-short-slices', 'objective', 'slices of 15 s'],
    ],
  );
});

const OURS = /^slo:(?:events_|burning|watched|unscraped)/;
const records = (period: number) =>
  rulesOf(objective('answers', errorsOf('app'), { window: { kind: 'rolling', period: days(period) } })).flatMap(
    ({ record }) => (record === undefined || OURS.test(record) ? [] : [record]),
  );
const SLOTHS = [
  'slo:objective:ratio',
  ...['5m', '30m', '1h', '2h', '6h'].map((window) => `slo:sli_error:ratio_rate${window}`),
  'slo:current_burn_rate:ratio',
  'slo:sli_error:ratio_rate1d',
  'slo:sli_error:ratio_rate3d',
];
const META = [
  'slo:period_burn_rate:ratio',
  'slo:period_error_budget_remaining:ratio',
  'slo:error_budget:ratio',
  'slo:time_period:days',
  'sloth_slo_info',
];
for (const [period, name] of [
  [28, '4w'],
  [30, '30d'],
  [7, '1w'],
] as const) {
  test(`over ${period} days the records have Sloth's names, the long one ratio_rate${name}`, () => {
    assert.deepEqual(records(period), [...SLOTHS, `slo:sli_error:ratio_rate${name}`, ...META]);
  });
}

test('alerts carry the workbook’s factors, the least evidence and their tier, and wait for nothing', () => {
  const one = objective('answers', errorsOf('app'));
  const alerts = rulesOf(one).filter(({ alert }) => alert === 'ErrorBudgetBurn');
  const called = (rule: ReadRule | undefined) => `${rule?.labels['tier']} ${rule?.labels['severity']}`;
  const tiers = BURN_RULES.flatMap(({ name, severity }) => [`${name} ${severity}`, `${name} info`]);
  assert.deepEqual(alerts.map(called).sort(), tiers.sort());
  for (const rule of BURN_RULES) {
    const limit = String(Number((burnFactor(rule, days(28)) * 0.02).toPrecision(12)));
    const alert = alerts.find((found) => called(found) === `${rule.name} ${rule.severity}`);
    assert(alert);
    assert.equal(alert.expr.split(` >= ${limit}`).length, 3, `${alert.expr} holds both windows against ${limit}`);
    const least = leastBad(rule, ratio(0.02), days(28), DEFAULT_ALERTING);
    assert.match(
      alert.expr,
      new RegExp(
        `>= ${least}${rule.severity === 'critical' ? '' : ' and on \\(\\) last_over_time\\(.* offset 5m\\)'}\\)$`,
      ),
    );
    assert.equal(alert.labels['eye'], 'prometheus');
  }
  assert(alerts.every((alert) => alert.for === undefined));
});

test('of several objectives it is asked together which burn, each held against its own limit', () => {
  const targets = [0.98, 0.99, 0.98, 0.999];
  const all = targets.map((target, i) => objective(`o${i}`, errorsOf('app'), { target: ratio(target) }));
  const rules = rulesOf(...all);
  const [slowest] = BURN_RULES;
  const burning = rules.filter(({ record, labels }) => record === BURNING && labels['tier'] === slowest.name);
  assert.equal(burning.length, 1);
  const branches = (burning[0]?.expr ?? '').split('\nor\n');
  assert.equal(branches.length, 3, 'one for each budget');
  for (const [branch, ids, budget] of [
    [branches[0], 'documents-o0|documents-o2', 0.02],
    [branches[1], 'documents-o1', 0.01],
    [branches[2], 'documents-o3', 0.001],
  ] as const) {
    assert.equal(branch?.split(`"${ids}"`).length, 4, `${branch} asks for ${ids} three times`);
    const limit = String(Number((burnFactor(slowest, days(28)) * budget).toPrecision(12)));
    assert.equal(branch?.split(` >= ${limit}`).length, 3, `${branch} holds both windows against ${limit}`);
  }
  const alerts = rules.filter(({ alert }) => alert === 'ErrorBudgetBurn');
  assert.equal(alerts.length, 8 * targets.length, 'and each has its own alerts');
});

test('labels of its own stand on an objective’s ratios, and those of no other', () => {
  const of = (name: string, team: string) => objective(name, errorsOf('app'), { labels: { team } });
  const rules = rulesOf(of('a', 'core'), of('b', 'edge'), of('c', 'core'));
  const fives = rules.filter(({ record }) => record === 'slo:sli_error:ratio_rate5m');
  assert.deepEqual(
    fives.map(({ labels, expr }) => [labels['team'], expr.includes('documents-a|documents-c'), expr.includes('-b')]),
    [
      ['core', true, false],
      ['edge', false, true],
    ],
  );
});

test('no number has the noise of doubles', () => {
  for (const target of [0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999]) {
    const texts = rulesOf(objective('answers', errorsOf('app'), { target: ratio(target) })).map(({ expr }) => expr);
    for (const text of texts) assert.doesNotMatch(text, /\d\.\d*(?:0000000|9999999)\d/, `${target}: ${text}`);
  }
});

test('a rule that can never fire, or has no room in the period, is left out with the reason', () => {
  const lax = compileFiles([objective('lax', errorsOf('app'), { target: ratio(0.9) })]).leftOut;
  assert.deepEqual(
    lax.map(({ because }) => because),
    ['page-fast: it can never fire: 13.4 times a budget of 10 % is more than everything'],
  );
  const short = compileFiles([
    objective('short', errorsOf('app'), { window: { kind: 'rolling', period: days(1) } }),
  ]).leftOut;
  assert.deepEqual(
    short.map(({ because }) => because),
    [
      'page-fast: it would page within the objective: its burn rate is 0.48',
      'page-slow: it would page within the objective: its burn rate is 0.2',
      'ticket-fast: its window of 24 h does not fit into a period of 24 h',
      'ticket-slow: its window of 3 d does not fit into a period of 24 h',
    ],
  );
});

test('a person’s text is no template, and its labels replace none of ours', () => {
  const [first] = KINDS;
  assert(first);
  for (const { labels, annotations } of rulesOf(first)) {
    assert.notEqual(labels['severity'], 'x');
    assert(!('team.name' in labels));
    assert(!annotations?.['summary']?.includes('{{answered'));
  }
});

test('a composite too deep or too wide is refused, not followed', () => {
  let deep = objective('leaf', errorsOf('app'));
  for (let i = 0; i < 8; i++)
    deep = objective(`level${i}`, { kind: 'composite', parts: [{ weight: 1, objective: deep }] });
  assert.equal(compileFiles([deep]).leftOut[0]?.what, 'objective');
  const part = { weight: 1, objective: objective('part', errorsOf('app')) };
  const wide = objective('wide', { kind: 'composite', parts: Array.from({ length: 51 }, () => part) });
  assert.match(compileFiles([wide]).leftOut[0]?.because ?? '', /51 parts/);
});

test('of a file no more than an objective’s rules, or one shared rule, is text at a time', () => {
  const many = Array.from({ length: 300 }, (_, i) => objective(`slo-${i}`, errorsOf(`job-${i}`)));
  const pieces = [...compileRules(many)].flatMap((piece) => (piece.kind === 'text' ? [piece.text.length] : []));
  const whole = pieces.reduce((sum, length) => sum + length, 0);
  assert(Math.max(...pieces) < whole / 10, `${Math.max(...pieces)} of ${whole} characters`);
});

test('a service whose objectives do not stand together still has each group once', () => {
  const of = (service: string, name: string) => objective(name, errorsOf('app'), { service });
  const { files } = compileFiles([of('one', 'a'), of('two', 'b'), of('one', 'c')]);
  assert.deepEqual([...files.keys()], ['one.yaml', 'two.yaml']);
  const names = files.get('one.yaml')?.match(/(?<=^- name: ).*/gm);
  assert.deepEqual(
    names,
    ['', '-blocks', '-long', '-blind'].map((part) => `burnline-slo-one${part}`),
  );
});

test('whatever a query holds, the file stays the file', () => {
  const texts = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !/\{\{\s*\.window/.test(text));
  fc.assert(
    fc.property(texts, (text) => {
      const hostile = objective('hostile', { kind: 'ratio', bad: promql(text), total: promql(text) });
      const total = rulesOf(hostile).find(({ record }) => record === EVENTS_TOTAL);
      assert(total?.expr.includes(text.trim().toWellFormed()), JSON.stringify([text, total?.expr]));
    }),
  );
});
