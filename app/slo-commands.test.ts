/** `burnline slo validate` and `export`, as they are run: what they print, and how they end. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { readObjectives } from '#slo/openslo/read.ts';
import { burnline } from '#test/kit/cli.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';
import { validateView } from './slo-output.ts';

const folder = temporaryFolder();
after(() => removeFolder(folder));

const GOOD = `apiVersion: openslo/v1
kind: SLO
metadata: {name: answered}
spec:
  service: shop
  indicator:
    metadata: {name: answered}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'errors_total'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'requests_total'}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - target: 0.98
`;

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

test('the advice for a rule that can never fire is followed without a fault', async () => {
  const lax = (annotations: string) => `apiVersion: openslo/v1
kind: SLO
metadata:
  name: lax
${annotations}spec:
  service: documents
  indicator:
    metadata: { name: lax }
    spec:
      ratioMetric:
        counter: true
        bad: { metricSource: { type: Prometheus, spec: { query: bad_total } } }
        total: { metricSource: { type: Prometheus, spec: { query: all_total } } }
  timeWindow: [{ duration: 28d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.9 }]
`;
  const view = (text: string) =>
    validateView(readObjectives([{ name: 'lax.yaml', text }], { strict: false, references: false }));
  const [fault] = view(lax('')).faults;
  assert.match(fault?.message ?? '', /"page-fast" of documents-lax can never fire: it needs a burn rate of 13.44/);
  const advice = /annotation (burnline\/page): ("false")/.exec(fault?.message ?? '');
  assert(advice, fault?.message);
  assert.deepEqual(view(lax(`  annotations:\n    ${advice[1]}: ${advice[2]}\n`)).faults, []);
});

test('without files the shipped objectives are validated, and are right', async () => {
  const { code, stdout, stderr } = await burnline(['slo', 'validate']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^slo\/objectives\/documents-not-stuck\.yaml:\d+:\d+ {2}warning: .*15s/m);
  assert.match(
    stdout,
    /^burnline-documents-documents-processed\n {2}target +98 % \(2 % may fail\)\n {2}window +28d, rolling$/m,
  );
  assert.match(stdout, /^Right: 9 objectives, 0 faults, 1 warning\.$/m);
  assert(!stdout.includes('\u001b'), 'no colour where nobody looks');
});

test('--strict refuses what is not in the specification, --no-references what stands elsewhere is fine', async () => {
  const path = file('good.yaml', GOOD);
  assert.equal((await burnline(['slo', 'validate', path])).code, 0);
  const strict = await burnline(['slo', 'validate', '--strict', path]);
  assert.equal(strict.code, 1);
  assert(strict.stdout.includes(`${path}:5:12  fault: refers to the Service shop, which none of the files defines\n`));
  assert.equal((await burnline(['slo', 'validate', '--strict', '--no-references', path])).code, 0);
});

test('faults of several files and folders come at once, as text and as JSON, and end with 1', async () => {
  const bad = file('folder/bad.yaml', GOOD.replace('0.98', '98'));
  const latin = file('folder/deeper/latin.yml', Buffer.from('a: caf\xe9 x\n', 'latin1'));
  file('folder/ignored.txt', 'no YAML');
  const text = await burnline(['slo', 'validate', join(folder, 'folder')]);
  assert.equal(text.code, 1);
  assert(text.stdout.includes(`${bad}:16:15  fault: target is the number 98`));
  assert(text.stdout.includes(`${latin}:1:7  fault: has the byte 0xe9`));
  const json = await burnline(['slo', 'validate', '--json', bad, latin]);
  const view = JSON.parse(json.stdout) as { ok: boolean; faults: { file: string; line: number; column: number }[] };
  assert.deepEqual([json.code, view.ok], [1, false]);
  assert.deepEqual(view.faults.map(({ line, column }) => [line, column]).sort(), [
    [1, 7],
    [16, 15],
  ]);
});

test('--json says of each objective what it is', async () => {
  const { stdout } = await burnline(['slo', 'validate', '--json', file('one.yaml', GOOD)]);
  const view = JSON.parse(stdout) as { objectives: Record<string, unknown>[] };
  assert.deepEqual(view.objectives[0]?.['id'], 'shop-answered');
  assert.deepEqual(view.objectives[0]?.['eyes'], 'router and prometheus');
  assert.deepEqual(view.objectives[0]?.['window'], { kind: 'rolling', period: 28 * 86_400 });
});

test('a file that is too large is refused without being read', async () => {
  const path = file('large.yaml', `a: ${'x'.repeat(10 * 1024 * 1024)}`);
  const { code, stdout } = await burnline(['slo', 'validate', path]);
  assert.equal(code, 1);
  assert.match(stdout, /large\.yaml:1:1 {2}fault: has \d+ bytes, the most is 8388608/);
});

test('a wrong command line ends with 2', async () => {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  for (const args of [['nowhere.yaml'], [empty], ['--colour'], ['/dev/null']]) {
    const { code, stdout, stderr } = await burnline(['slo', 'validate', ...args]);
    assert.deepEqual([code, stdout], [2, ''], args.join());
    assert.notEqual(stderr, '');
  }
});

test('validate, compile, backtest and report call the same files right, and with a fault none of them does anything', async () => {
  const events = file('events.csv', 'time,good,bad\n1772323205,1,0\n1772323210,1,0\n');
  const rules = join(folder, 'rules');
  const ofEach = (path: string): (readonly string[])[] => [
    ['validate', path],
    ['compile', path, '--out', rules],
    ['backtest', '--objective', path, '--events', events],
    ['report', path, '--events', events],
  ];
  const cases: readonly [name: string, change: readonly [string, string], says: RegExp, code: number][] = [
    ['never-fires', ['0.98', '0.9'], /:16:7 {2}fault: rule "page-fast" of shop-answered can never fire/, 1],
    ['everything', ['target: 0.98', 'targetPercent: 100'], /:16:22 {2}fault: .*less than 100 %/, 1],
    ['nothing', ['0.98', '0'], /:16:15 {2}fault: .*more than 0/, 1],
    [
      'dangling',
      ['budgetingMethod', 'alertPolicies: [{alertPolicyRef: gone}]\n  budgetingMethod'],
      /fault: .*AlertPolicy gone/,
      1,
    ],
    ['elsewhere', ['0.98', '0.99'], /:5:12 {2}warning: refers to the Service shop/, 0],
  ];
  for (const [name, change, says, code] of cases) {
    const path = file(`${name}.yaml`, GOOD.replace(...change));
    const all = ofEach(path).map(async (args) => ({ args, ran: await burnline(['slo', ...args]) }));
    for (const { args, ran } of await Promise.all(all)) {
      assert.equal(ran.code, code, `${args[0]} of ${name}: ${ran.stderr}`);
      assert.match(args[0] === 'validate' ? ran.stdout : ran.stderr, says);
      if (code === 1 && args[0] !== 'validate') assert.equal(ran.stdout, '');
    }
    assert.equal(existsSync(rules), code === 0);
  }
});

test('an export reads back as right, and nothing is written when there is a fault', async () => {
  const exported = await burnline(['slo', 'export']);
  assert.equal(exported.code, 0);
  assert.equal((await burnline(['slo', 'validate', file('exported.yaml', exported.stdout)])).code, 0);
  const broken = await burnline(['slo', 'export', file('broken.yaml', GOOD.replace('0.98', '98'))]);
  assert.deepEqual([broken.code, broken.stdout], [1, '']);
  assert.match(broken.stderr, /broken\.yaml:16:15 {2}fault: /);
});
