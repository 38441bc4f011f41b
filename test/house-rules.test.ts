/** Properties of the source itself. Each failure says what to do instead. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';

/** Room → rooms it may import. Lists look only upward, so the graph has no cycle. docs/architecture.md shows the same. */
const ROOMS: Record<string, readonly string[]> = {
  kernel: [],
  access: ['kernel'],
  collector: ['kernel'],
  serving: ['kernel', 'access', 'collector'],
  samples: ['kernel'],
  slo: ['kernel', 'collector'],
  worker: ['kernel', 'access', 'collector', 'serving', 'samples'],
  alerting: ['kernel', 'access', 'collector', 'serving', 'slo'],
  prometheus: ['kernel', 'collector', 'slo'],
  // Makes files and is imported by nothing. Of prometheus/ the names under which the compiled rules record: a dashboard that guessed them would be empty.
  grafana: ['kernel', 'collector', 'slo', 'prometheus'],
  simulators: ['kernel', 'worker', 'alerting'],
  // console/web runs in browsers: of other rooms it takes what is pure, and types.
  console: ['kernel', 'access', 'serving', 'slo', 'worker', 'alerting'],
  // Of samples the documents that are sent, and what must become of them.
  loadtests: ['kernel', 'samples', 'slo'],
  // Of loadtests what validates a target.
  app: [
    'kernel',
    'access',
    'collector',
    'serving',
    'slo',
    'worker',
    'alerting',
    'prometheus',
    'simulators',
    'console',
    'loadtests',
  ],
};
/** What a room may not import, although it stands above: more than the room's table can say. */
const NARROWER: readonly [from: RegExp, specifier: RegExp, instead: string][] = [
  [
    /^simulators\//,
    /^#worker\/(?!parsers\/|vendors\/)/,
    'simulators know the wire and the parsers, nothing of the work',
  ],
  [/^app\//, /^#loadtests\/(?!validate\/)/, 'the rest of it needs k6'],
  [/^loadtests\/k6\//, /^(?:#|node:)/, 'k6 runs them: it knows no #room, and nothing of Node'],
  [/^worker\/parsers\//, /^#(?!kernel\/|worker\/parsers\/)/, 'the parsers run in a child that knows nothing else'],
  [
    /^worker\/(decide|document|chunker|load|prices)\.ts$/,
    /^#worker\/(vendors|steps|api)\//,
    'decisions import no effects',
  ],
];
/** One door for each vendor: the only place that may import it. */
const DOORS: Record<string, string> = {
  pg: 'kernel/',
  '@electric-sql/pglite': 'kernel/',
  '@opentelemetry/sdk-node': 'collector/',
  '@opentelemetry/api': 'collector/',
  openai: 'worker/vendors/',
  '@llamaindex/llama-cloud': 'worker/vendors/',
  cockatiel: 'worker/vendors/',
  unpdf: 'worker/parsers/',
  mammoth: 'worker/parsers/',
  jose: 'access/',
  bcryptjs: 'access/',
  pino: 'kernel/',
  commander: 'app/',
  'smtp-server': 'simulators/',
  '@prometheus-io/lezer-promql': 'slo/promql.ts',
  '@prometheus-io/codemirror-promql': 'slo/promql.ts',
  '@js-temporal/polyfill': 'slo/',
  '@grafana/grafana-foundation-sdk': 'grafana/',
  re2js: 'alerting/matcher.ts',
  '@slack/webhook': 'alerting/notify/slack.ts',
  nodemailer: 'alerting/notify/email.ts',
};
/** Effects with their homes. Tests are exempt. */
const HOMES: readonly [pattern: RegExp, homes: readonly string[], instead: string][] = [
  [/\bprocess\.env\b/, ['app/config.ts'], 'take a typed config argument'],
  [
    /\bDate\.now\(|new Date\(\)|\bperformance\.now\(|\bset(?:Timeout|Interval)\(|node:timers/,
    ['kernel/clock.ts'],
    'take a Clock',
  ],
  [/\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/, ['kernel/random.ts'], 'take a Random'],
  [/(?<![.\w])fetch\(/, ['kernel/http.ts'], 'take an Http'],
  [/\bconsole\.\w+\(/, ['kernel/log.ts'], 'take a Log'],
  [/^export default\b/m, [], 'name the export'],
  [/^export \* from\b/m, [], 'import from the file that defines it'],
  [
    /import \{[^}]*\bexec(?:Sync)?\b[^}]*\} from 'node:child_process'|shell:\s*true/,
    [],
    'no shell: give the program and its arguments',
  ],
  [/\b(?:TODO|FIXME|XXX)\b/, [], 'do it, or write an issue'],
];
/** Run by k6 and by browsers, which have neither our clock nor our parts. */
const NOT_OURS_TO_RUN = /^(?:loadtests\/k6|console\/web)\//;
const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

const names = Object.keys(ROOMS);
const everything = globSync(`{${names.join(',')},test}/**/*.{ts,tsx,sql}`)
  .filter((path) => !path.startsWith('console/dist/'))
  .sort();
const paths = everything.filter((path) => !path.endsWith('.test.ts') && !path.startsWith('test/'));

test('rooms only look upward', () => {
  for (const [room, allowed] of Object.entries(ROOMS)) {
    for (const other of allowed)
      assert(names.indexOf(other) < names.indexOf(room), `${room} lists ${other}, which stands below it`);
  }
});

for (const path of paths) {
  test(path, () => {
    const text = readFileSync(path, 'utf8');
    const room = path.slice(0, path.indexOf('/'));
    for (const [, specifier = ''] of text.matchAll(/(?:\bfrom|\bimport)[\s(]*'([^']+)'/g)) {
      if (specifier.startsWith('#')) {
        const other = specifier.slice(1, specifier.indexOf('/'));
        assert(other === room || ROOMS[room]?.includes(other), `${path}: ${room} may not import ${other}`);
      }
      assert(!specifier.startsWith('../'), `${path}: import '${specifier}' by its #room/ name`);
      for (const [from, forbidden, reason] of NARROWER) {
        assert(!from.test(path) || !forbidden.test(specifier), `${path} may not import ${specifier}: ${reason}`);
      }
      const door = DOORS[specifier.replace(/^((?:@[^/]+\/)?[^/]+).*/, '$1')];
      assert(!door || path.startsWith(door), `${path}: only ${door} may import ${specifier}`);
    }
    for (const [, schema = ''] of text.matchAll(/\b(?:from|join|into|update|table)\s+(\w+)\.\w/gi)) {
      assert(!(schema in ROOMS) || schema === room, `${path}: the tables of ${schema} belong to ${schema}; ask it`);
    }
    for (const [pattern, homes, instead] of HOMES) {
      assert(
        homes.includes(path) || NOT_OURS_TO_RUN.test(path) || !pattern.test(code(text)),
        `${path}: ${pattern} belongs to ${homes.join() || 'nowhere'}; ${instead}`,
      );
    }
    assert(
      room !== 'slo' || !/\b(?:async|await|Promise)\b/.test(text),
      `${path}: slo never waits; let alerting/watch.ts fetch`,
    );
  });
}

test('no hook runs before the tests of other files', () => {
  for (const path of everything.filter((one) => one.endsWith('.test.ts'))) {
    // Files share a process: a hook outside of a suite runs before each test of all of them.
    assert.doesNotMatch(
      readFileSync(path, 'utf8'),
      /^(?:test\.)?(?:before|after)Each\(/m,
      `${path}: put it into a describe`,
    );
  }
});

for (const path of everything) {
  test(`${path} is of a size that can be read`, () => {
    const lines = readFileSync(path, 'utf8').split('\n');
    assert(lines.length <= FILE_LINES_MAX + 1, `${path}: ${lines.length} lines, the most is ${FILE_LINES_MAX}`);
    for (const { name, length } of topLevelFunctions(lines)) {
      assert(length <= FUNCTION_LINES_MAX, `${path}: ${name} has ${length} lines, the most is ${FUNCTION_LINES_MAX}`);
    }
  });
}

/** The text without comments: prose may name what code may not do. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}

/** Functions that start at the margin; the formatter puts their closing brace there too. */
function topLevelFunctions(lines: readonly string[]): { name: string; length: number }[] {
  const found: { name: string; length: number }[] = [];
  lines.forEach((line, i) => {
    if (!/^(?:export )?(?:async )?function|^(?:export )?const \w+.*=>.*\{$/.test(line)) return;
    const end = lines.findIndex((other, j) => j > i && /^\}/.test(other));
    if (end > 0) found.push({ name: line.slice(0, 60), length: end - i + 1 });
  });
  return found;
}

/** Admitted: what two rooms need, named for a mechanism, with no noun of the domain. */
const KERNEL = [
  'clock',
  'database',
  'errors',
  'folder-lock',
  'http',
  'log',
  'migrate',
  'pglite',
  'pglite-image',
  'pglite-statements',
  'pglite-thread',
  'postgres',
  'random',
  'retry',
  'secret',
  'serve',
  'shared-clock',
  'shutdown',
  'token-bucket',
  'units',
];

test('kernel stays small: a new file here is a decision', () => {
  const files = paths.filter((path) => path.startsWith('kernel/'));
  assert.deepEqual(files, KERNEL.map((name) => `kernel/${name}.ts`).sort());
});

test('the rooms that hold migrations only expand: nothing is dropped or renamed while a release still uses it', () => {
  for (const path of paths.filter((one) => one.endsWith('.sql'))) {
    const text = readFileSync(path, 'utf8').replace(/^\s*--.*$/gm, '');
    const contracting = /\b(?:drop\s+(?:table|column|schema)|rename\s+(?:to|column))\b/i;
    const allowed = /^-- contract: /m.test(readFileSync(path, 'utf8'));
    assert(
      allowed || !contracting.test(text),
      `${path}: contracts; say "-- contract: <release that stopped using it>"`,
    );
  }
});
