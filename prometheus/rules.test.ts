/** What ships, held together: each alert has its labels, its runbook, its unit tests and its line in docs/prometheus.md. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { INSTRUMENT_NAMES, instrument } from '#collector/catalogue.ts';
import { FOREIGN_METRICS } from './foreign-metrics.ts';

const texts = z.record(z.string(), z.string());
const readRules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          record: z.string().optional(),
          expr: z.string(),
          labels: texts.default({}),
          annotations: texts.default({}),
        }),
      ),
    }),
  ),
});
const readTests = z.object({
  rule_files: z.array(z.string()),
  tests: z.array(
    z.object({
      alert_rule_test: z
        .array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()).default([]) }))
        .default([]),
      promql_expr_test: z
        .array(z.object({ expr: z.string(), exp_samples: z.array(z.object({ value: z.number() })).default([]) }))
        .default([]),
    }),
  ),
});

const FILES = globSync('prometheus/rules/*.yaml').sort();
const TESTS = globSync('prometheus/tests/*.yaml').map((path) => readTests.parse(parse(readFileSync(path, 'utf8'))));
const DOCUMENT = readFileSync('docs/prometheus.md', 'utf8');
const RULES = FILES.flatMap((path) => {
  const { groups } = readRules.parse(parse(readFileSync(path, 'utf8')));
  return groups.flatMap(({ rules }) => rules.map((rule) => ({ ...rule, file: basename(path) })));
});
const ALERTS = RULES.flatMap(({ alert, ...rule }) => (alert === undefined ? [] : [{ alert, ...rule }]));
const NAMES = [...new Set(ALERTS.map(({ alert }) => alert))].sort();
/** Of the router itself: docs/router-watchdog.md. */
const ROUTERS_OWN = ['HeartbeatMissing', 'RouterStuck'];

test('each alert says how grave it is, of which service, what it means, and where to read what to do', () => {
  for (const { alert, labels, annotations, file } of ALERTS) {
    const where = `${alert} in ${file}`;
    assert.match(labels['severity'] ?? '', /^(?:critical|warning|info)$/, where);
    assert.match(labels['sloth_service'] ?? '', /burnline-|^\{\{ \$labels\.sloth_service \}\}$/, where);
    assert.equal(labels['eye'], 'prometheus', where);
    assert.ok(annotations['summary'], where);
    assert.equal(annotations['runbook_url'], `docs/runbooks/${alert}.md`, where);
    if (alert === 'Watchdog') continue;
    assert.equal(labels['sloth_severity'], labels['severity'] === 'critical' ? 'page' : 'ticket', where);
  }
});

test('each alert has a runbook that says what it means, where to look and what to do, and no runbook is left over', () => {
  const runbooks = globSync('docs/runbooks/*.md').map((path) => basename(path, '.md'));
  assert.deepEqual(runbooks.sort(), [...NAMES, ...ROUTERS_OWN].sort());
  for (const name of runbooks) {
    const text = readFileSync(`docs/runbooks/${name}.md`, 'utf8');
    assert.ok(text.startsWith(`# ${name}\n`), name);
    for (const part of ['What it means', 'Look', 'Do'])
      assert.match(text, new RegExp(`^## ${part}\n.{20,}`, 'm'), name);
    for (const [, link] of text.matchAll(/\]\((\S+\.md)\)/g))
      assert(existsSync(`docs/runbooks/${link}`), `${name}: ${link}`);
  }
});

test('docs/prometheus.md has every alert and every record of ours, and no other', () => {
  const told = [...DOCUMENT.matchAll(/^\| \[(\w+)\]\(runbooks\/\1\.md\) \|/gm)].map(([, name]) => name);
  assert.deepEqual(told.sort(), NAMES);
  const records = RULES.flatMap(({ record }) => (record?.startsWith('burnline:') ? [record] : []));
  const short = [...DOCUMENT.matchAll(/`(burnline:\w+:)\w+`(?:, `:(\w+)`)*/g)].flatMap(([whole, head]) =>
    whole
      .split(', ')
      .map((one) => (one.startsWith('`burnline') ? one : `\`${head}${one.slice(2)}`).replaceAll('`', '')),
  );
  assert.deepEqual([...new Set(short)].sort(), [...new Set(records)].sort());
});

/** By the tests of a file: whether they expect it to fire, and whether they expect that it does not. */
function expectations(file: string, alert: string) {
  const asked = `ALERTS{alertname="${alert}"`;
  const all = TESTS.filter(({ rule_files: files }) => files.includes(file)).flatMap(({ tests }) => tests);
  const named = all.flatMap(({ alert_rule_test: tests }) => tests.filter(({ alertname }) => alertname === alert));
  const counted = all.flatMap(({ promql_expr_test: tests }) => tests.filter(({ expr }) => expr.includes(asked)));
  return {
    fires:
      named.some(({ exp_alerts: alerts }) => alerts.length > 0) ||
      counted.some(({ expr, exp_samples: [first] }) => expr.includes('alertstate="firing"') && (first?.value ?? 0) > 0),
    isQuiet:
      named.some(({ exp_alerts: alerts }) => alerts.length === 0) ||
      counted.some(({ expr, exp_samples: [first] }) => expr.includes('or vector(0)') && first?.value === 0),
  };
}

test('each alert of each file is expected to fire by a unit test, and by one not to', () => {
  const places = new Map(ALERTS.map(({ alert, file }) => [`${alert} in ${file}`, { alert, file }]));
  assert(places.size >= 27);
  for (const [where, { alert, file }] of places) {
    const { fires, isQuiet } = expectations(file, alert);
    assert(fires, `no test expects ${where} to fire`);
    // It always fires: that is all it is for.
    assert(isQuiet || alert === 'Watchdog', `no test expects ${where} not to fire`);
  }
});

/** The names of series in a query: what is no function, keyword, label or text. */
function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\boffset\s+\w+/g, '');
  const words = [...bare.matchAll(/(?<![\w.:])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g)].map(([word]) => word);
  return words.filter((word) => !['and', 'or', 'unless', 'bool'].includes(word));
}

test('every metric in a rule is in the catalogue, of another that is known, or recorded', () => {
  const ours = INSTRUMENT_NAMES.flatMap((name) =>
    instrument(name).kind === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => `${name}${end}`) : [name],
  );
  const foreign: readonly string[] = Object.values(FOREIGN_METRICS).flat();
  const recorded = RULES.flatMap(({ record }) => record ?? []);
  const known = new Set([...ours, ...foreign, ...recorded]);
  const used = new Set<string>();
  for (const { expr, alert, record, file } of RULES) {
    for (const name of metricsIn(expr)) {
      assert(known.has(name), `${name} of ${alert ?? record} in ${file}`);
      used.add(name);
    }
  }
  assert(used.size > 60, `${used.size}`);
  assert.deepEqual(
    foreign.filter((name) => !used.has(name)),
    [],
    'named, and in no rule',
  );
});

test('the file for this machine is the stack’s, but for names, the key, and what is not there', () => {
  type Job = Record<string, unknown> & { job_name: string };
  type File = Record<string, unknown> & {
    scrape_configs: Job[];
    alerting: { alertmanagers: Record<string, unknown>[] };
  };
  const read = (name: string) => parse(readFileSync(`prometheus/${name}`, 'utf8')) as File;
  const [stack, local] = [read('prometheus.yml'), read('prometheus.local.yml')];
  const plain = ({ static_configs, dns_sd_configs, ...job }: Job) => job;
  const there = new Set(local.scrape_configs.map(({ job_name }) => job_name));
  assert.deepEqual([...there], ['api', 'worker', 'router', 'prometheus']);
  const { scrape_configs: jobs, alerting, ...rest } = stack;
  const { scrape_configs: own, alerting: ownAlerting, ...same } = local;
  assert.deepEqual(same, rest);
  assert.deepEqual(own.map(plain), jobs.filter(({ job_name }) => there.has(job_name)).map(plain));
  const [manager, ownManager] = [alerting.alertmanagers[0], ownAlerting.alertmanagers[0]];
  assert.deepEqual(
    { ...manager, static_configs: 0, authorization: 0 },
    { ...ownManager, static_configs: 0, authorization: 0 },
  );
  assert.deepEqual(manager?.['authorization'], { credentials_file: 'secrets/router-key' });
});
