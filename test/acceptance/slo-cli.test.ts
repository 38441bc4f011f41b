/** The SLO engine by hand, as a person runs it: what it prints, where it says a fault is, and how it ends. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, describe } from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { burnline } from '#test/kit/cli.ts';
import { BASE } from '#test/kit/objectives.ts';
import { startPrometheus } from '#test/kit/prometheus.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';

const folder = temporaryFolder();
after(() => removeFolder(folder));

function file(name: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const objective = file('objective.yaml', BASE);
/** A day at one event a second, a row each 15 s; in the hour after noon everything fails. */
const NOON = Date.parse('2026-03-02T12:00:00Z') / 1000;
const isOut = (at: number) => at > NOON && at <= NOON + 3_600;
const row = (at: number) => `${at},${isOut(at) ? '0,15' : '15,0'}`;
const moments = Array.from({ length: 5_760 }, (_, i) => NOON - 43_200 + (i + 1) * 15);
const events = file('events.csv', `time,good,bad\n${moments.map(row).join('\n')}\n`);
const corrections = file(
  'corrections.yaml',
  `corrections:
  - id: moved
    author: platform team
    reason: agreed | move
    enteredAt: 2026-03-01T00:00:00Z
    labels: {service: documents}
    from: 2026-03-02T12:00:00Z
    to: 2026-03-02T12:30:00Z
`,
);
const report = (...args: readonly string[]) => burnline(['slo', 'report', objective, ...args]);
const backtest = (...args: readonly string[]) => burnline(['slo', 'backtest', '--objective', objective, ...args]);
type Line = Record<string, unknown> & { readonly summary?: Record<string, unknown> };
const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

test('the rules in prometheus/rules are those of the objectives that ship', async () => {
  const { code, stdout, stderr } = await burnline(['slo', 'compile', '--check', '--json']);
  assert.equal(code, 0, `run \`npx burnline slo compile\`: ${stdout}`);
  const { ok, files } = JSON.parse(stdout) as { ok: boolean; files: string[] };
  assert.deepEqual([ok, files], [true, ['burnline-api.yaml', 'burnline-documents.yaml', 'burnline-router.yaml']]);
  assert.match(stderr, /documents-not-stuck\.yaml:\d+:\d+ {2}warning: .*15s/, 'warnings are told and are no faults');
});

test('compile writes what validate finds right, tells a Service that stands elsewhere, and nothing of what is wrong', async () => {
  const out = join(folder, 'rules');
  const alone = file('alone.yaml', BASE.slice(0, BASE.indexOf('---')));
  const compiled = await burnline(['slo', 'compile', alone, '--out', out]);
  assert.equal(compiled.code, 0);
  assert.match(compiled.stderr, /alone\.yaml:6:12 {2}warning: refers to the Service documents/);
  const wrong = file('wrong.yaml', BASE.replace('target: 0.98', 'target: 98'));
  const faulty = await burnline(['slo', 'compile', wrong, '--out', join(folder, 'none')]);
  assert.deepEqual([faulty.code, faulty.stdout], [1, '']);
  assert.match(faulty.stderr, /wrong\.yaml:\d+:\d+ {2}fault: target is the number 98/);
  assert.equal((await burnline(['slo', 'compile', 'nowhere.yaml'])).code, 2);
});

test('validate and export agree on what is right', async () => {
  const { code, stdout } = await burnline(['slo', 'export', objective]);
  assert.equal(code, 0);
  const again = await burnline(['slo', 'validate', '--strict', '--json', file('exported.yaml', stdout)]);
  assert.equal((JSON.parse(again.stdout) as { ok: boolean }).ok, true);
});

describe('backtest', { concurrency: 2 }, () => {
  test('prints a JSON line for each change, with these fields and no others, and a summary last', async () => {
    const { code, stdout } = await backtest('--events', events, '--tick', '5s');
    assert.equal(code, 0);
    const found = jsonLines(stdout);
    const changes = found.slice(0, -1);
    for (const change of changes) {
      assert.deepEqual(Object.keys(change), ['at', 'from', 'to', 'severity', 'rule', 'because']);
      assert(['ok', 'burning', 'unknown'].includes(String(change['to'])));
    }
    const [page] = changes;
    assert.deepEqual(
      [page?.['from'], page?.['to'], page?.['severity'], page?.['rule']],
      ['ok', 'burning', 'critical', 'evidence'],
    );
    assert(Number(page?.['at']) > NOON && Number(page?.['at']) <= NOON + 30);
    const summary = found.at(-1)?.summary;
    assert.deepEqual([summary?.['bad'], summary?.['good'], summary?.['target']], [3_600, 82_800, 0.98]);
    assert.equal((summary?.['pages'] as unknown[] | undefined)?.length, 1);
  });

  test('answers what if', async () => {
    const { stdout } = await backtest('--events', events, '--target', '0.5', '--tick', '1m');
    const summary = jsonLines(stdout).at(-1)?.summary;
    assert.equal(summary?.['target'], 0.5);
    assert.equal(summary?.['budgetSpent'], (3_600 / 86_400 / 0.5) * (1 / 28));
    assert.deepEqual(summary?.['whatIf'], { target: 0.5 });
  });

  test('answers what if the rules were others, and says which, and refuses a rule that would never speak', async () => {
    const other = ['--without-evidence', '--rule', 'page-fast=30m/5m/10', '--without-rule', 'page-slow'];
    const { stdout } = await backtest('--events', events, '--tick', '1m', ...other);
    const summary = jsonLines(stdout).at(-1)?.summary;
    const rules = [{ rule: 'page-fast', long: 1_800, short: 300, factor: 10 }];
    assert.deepEqual(summary?.['whatIf'], { rules, withoutRules: ['page-slow'], evidence: false });
    const [page] = (summary?.['pages'] ?? []) as { start: number; rule: string }[];
    assert.deepEqual([page?.rule, page?.start], ['page-fast', NOON + 480]);
    const refused = await backtest('--events', events, '--rule', 'page-fast=1h/5m/60');
    assert.deepEqual([refused.code, refused.stdout], [2, '']);
    assert.match(refused.stderr, /rule page-fast of documents-processed: .*burn rate of 60 .*expected at most 50/);
  });
});

describe('report', { concurrency: 2 }, () => {
  test('reads well', async () => {
    const { code, stdout, stderr } = await report(
      '--events',
      events,
      '--period',
      'month',
      '--corrections',
      corrections,
    );
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^# documents-processed\n\nPromised: 98 % good, so 2 % may fail\. Times are of UTC\.\n/);
    assert.match(stdout, /^## 2026-03-01 to 2026-04-01$/m);
    assert.match(stdout, /^\*\*Broken\*\*: 97\.8723\d % were good\. 1800 failures spent 106 % of the budget/m);
    assert.match(stdout, /^It runs until 2026-04-01 00:00; this is what was known at 2026-03-03 00:00\.$/m);
    assert.match(
      stdout,
      /^\| 2026-03-02 12:30 +\| 2026-03-02 1\d:\d\d +\| .* evidence \(critical\) \| 1800 \| +106 % \|$/m,
    );
    assert.match(stdout, /^\| background .* \| +0 \| +0 % \|$/m);
    assert.match(
      stdout,
      /^\| moved \| platform team \| agreed \\\| move \| 2026-03-01 00:00 \| everything \| .*12:00 for 30 min \|$/m,
    );
    assert.match(stdout, /^\| as counted .* 82800 \| 3600 \|/m);
    const widths = new Map<string, Set<number>>();
    for (const table of stdout.split('\n\n').filter((part) => part.startsWith('|'))) {
      widths.set(
        table,
        new Set(
          table
            .trimEnd()
            .split('\n')
            .map((line) => line.length),
        ),
      );
    }
    assert.equal(widths.size, 4);
    for (const [table, lengths] of widths) assert.equal(lengths.size, 1, table);
  });

  test('says the same as JSON and as CSV', async () => {
    const args = ['--events', events, '--period', 'week', '--corrections', corrections] as const;
    const [json, csv] = await Promise.all([report(...args, '--json'), report(...args, '--format', 'csv')]);
    const { periods } = JSON.parse(json.stdout) as { periods: Record<string, unknown>[] };
    assert.equal(periods.length, 1);
    assert.deepEqual([periods[0]?.['good'], periods[0]?.['bad']], [82_800, 1_800]);
    const [head = '', line = '', end] = csv.stdout.split('\n');
    const cells = Object.fromEntries(head.split(',').map((name, i) => [name, line.split(',')[i]]));
    assert.deepEqual(
      [cells['objective'], cells['from'], cells['good'], cells['bad'], cells['uncorrected_bad'], cells['ends'], end],
      ['documents-processed', '2026-03-02T00:00:00Z', '82800', '1800', '3600', 'spent', ''],
    );
  });

  test('without failures is calm, and the budget never ends', async () => {
    const { stdout } = await report('--events', events, '--to', '2026-03-02T12:00:00Z');
    assert.match(stdout, /^Kept: 100 % were good\. 0 failures spent 0 % of the budget; 100 % is left\./m);
    assert.match(stdout, /the budget never ends/);
    assert.doesNotMatch(stdout, /What ate/);
  });
});

const EVENTS = ['--events', events] as const;
/** All of them stand in app/slo-source.test.ts. */
const BAD: readonly [title: string, run: typeof report, args: readonly string[], code: number, says: RegExp][] = [
  ['neither source', report, [], 2, /^burnline slo report: expected either --events or --prometheus/],
  ['a day for a moment', backtest, [...EVENTS, '--from', '2026-03-01'], 2, /such as 2026-03-01T00:00:00Z/],
  ['no such objective', report, [...EVENTS, '--slo', 'other'], 2, /no objective "other"; it holds documents-processed/],
  [
    'a broken row',
    backtest,
    ['--events', file('broken.csv', '0,1,0\n5,x,0\n')],
    1,
    /^burnline slo backtest: .*broken\.csv:2 {2}fault: expected three numbers/,
  ],
];
describe('bad input', { concurrency: 2 }, () => {
  for (const [title, run, args, code, says] of BAD) {
    test(`${title} ends with ${code}`, async () => {
      const ran = await run(...args);
      assert.deepEqual([ran.code, ran.stdout], [code, ''], ran.stderr);
      assert.match(ran.stderr, says);
    });
  }

  test('corrections with faults end with 1, each with its place', async () => {
    const text = `corrections:
  - {id: a, author: x, reason: y, enteredAt: 2026-03-01T00:00:00Z, objectives: [documents-processed], from: 2026-03-02T12:00:00Z, to: 2026-03-02T11:00:00Z}
  - {id: b, author: x, reason: y, enteredAt: yesterday, objectives: [documents-processed], badShare: 2}
`;
    const { code, stdout, stderr } = await report(...EVENTS, '--corrections', file('faulty.yaml', text));
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /faulty\.yaml:2:\d+ {2}fault: to is 2026-03-02T11:00:00Z, which is not after from/);
    assert.match(stderr, /faulty\.yaml:3:\d+ {2}fault: badShare is the number 2/);
  });
});

const [PROMETHEUS, PROMTOOL] = [process.env['TEST_TOOL_PROMETHEUS'], process.env['TEST_TOOL_PROMTOOL']];
const skip = PROMETHEUS && PROMTOOL ? false : 'prometheus and promtool are not here: `npm run tools` says why';

test('what a real Prometheus remembers is counted to the event, and pages as live', { skip }, async () => {
  const data = join(folder, 'prometheus');
  mkdirSync(data);
  // Six hours of a counter that begins anew after two, and whose failures are a series that only begins with the outage.
  const end = Math.floor(systemClock.now() / 1000 / 60) * 60 - 600;
  const start = end - 6 * 3_600;
  const out = (at: number) => at > start + 4 * 3_600 && at <= start + 4 * 3_600 + 1_200;
  let [completed, failed, good, bad] = [1_000, 0, 0, 0];
  const series: Record<'completed' | 'failed', string[]> = { completed: [], failed: [] };
  for (let at = start; at <= end; at += 15) {
    if (at === start + 2 * 3_600) completed = 0;
    if (out(at)) failed += 15;
    else if (at > start) completed += 15;
    if (at > start) [good, bad] = [good + (out(at) ? 0 : 15), bad + (out(at) ? 15 : 0)];
    const labels = 'job="worker",instance="one:9464"';
    series.completed.push(`finished_total{outcome="completed",${labels}} ${completed} ${at}`);
    if (failed > 0) series.failed.push(`finished_total{outcome="failed",${labels}} ${failed} ${at}`);
  }
  const text = ['# TYPE finished counter', ...series.completed, ...series.failed, '# EOF', ''].join('\n');
  const made = file('history.om', text);
  execFileSync(PROMTOOL ?? '', ['tsdb', 'create-blocks-from', 'openmetrics', made, join(data, 'data')], {
    stdio: 'pipe',
  });
  await using prometheus = await startPrometheus(PROMETHEUS ?? '', { config: 'global: {}\n', folder: data });
  const iso = (at: number) => new Date(at * 1000).toISOString();
  const span = ['--prometheus', `${prometheus.url}/`, '--from', iso(start), '--to', iso(end), '--step', '15s'] as const;

  const played = await backtest(...span);
  assert.equal(played.code, 0, played.stderr);
  const found = jsonLines(played.stdout);
  const summary = found.at(-1)?.summary;
  assert.deepEqual([summary?.['good'], summary?.['bad']], [good, bad]);
  const pages = summary?.['pages'] as { start: number; end: number | null }[];
  assert.equal(pages.length, 1);
  assert(pages[0] && pages[0].start > start + 14_400 && pages[0].start <= start + 14_400 + 45);

  const { code, stdout, stderr } = await report(...span, '--json');
  assert.equal(code, 0, stderr);
  const { periods } = JSON.parse(stdout) as { periods: { good: number; bad: number; budget: { known: number } }[] };
  assert.deepEqual([periods[0]?.good, periods[0]?.bad], [good, bad]);
  assert(Math.abs((periods[0]?.budget.known ?? 0) - 6 / (28 * 24)) < 1e-3);

  const nothing = await report(
    '--prometheus',
    prometheus.url,
    '--from',
    iso(start - 86_400),
    '--to',
    iso(start - 43_200),
  );
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /remembers no series of documents-processed in that time/);
});
