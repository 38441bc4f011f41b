/** `npm run loadtest`: the real k6 against a real stack, when all is well, and when a document is lost on the way. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '#loadtests/result.ts';
import { openDatabase } from '#test/crash/fleet.ts';
import { startMeddler } from '#test/kit/meddler.ts';
import { clean, removeFolder, temporaryFolder } from '#test/kit/stack.ts';
import { type Stack, startStack } from '#test/load/stack.ts';
import { findPostgres, freePort } from '#test/tools/postgres.ts';

const K6 = process.env['TEST_TOOL_K6'];
const [BROKEN, NOT_RUN, USAGE] = [99, 1, 2];
/** So many without one that failed: docs/loadtests.md. CI's minute has more, a developer's ten seconds fewer. */
const PROVE_98 = 183;

type Said = { readonly code: number; readonly output: string; readonly folder: string };

const result = ({ folder }: Said): Result => JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as Result;

/** @param url where uploads go, if not to the target itself. */
const atTarget = ({ url: own, metrics, router }: Stack['target'], url = own): string[] => [
  ...['--target', url, '--metrics', metrics[0] ?? '', '--router', router?.url ?? ''],
];

let runs = 0;
async function runLoadtest(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const out = join(folder, `run-${runs++}`);
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      // As the usual folder is: from where the command was started.
      ['test/load/main.ts', ...args, '--out', relative('', out)],
      { env: { ...clean(process.env), BURNLINE_TOOL_K6: K6, ...env }, timeout: 120_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}`, folder: out });
      },
    );
  });
}

describe('npm run loadtest', { skip: K6 === undefined && 'k6 is not here', timeout: 300_000 }, () => {
  const folder = temporaryFolder();
  let stack: Stack | undefined;
  before(async () => {
    stack = await startStack({ database: 'embedded', workers: 1, latency: 'zero' });
  });
  after(async () => {
    await stack?.[Symbol.asyncDispose]();
    removeFolder(folder);
  });

  const there = (): Stack['target'] => stack?.target ?? assert.fail('no stack');
  /** By objectives that no machine is too slow for: how fast is not asked here. */
  const patient = (): string[] => ['--objectives', patientObjectives(folder)];
  const against = (url: string): string[] => atTarget(there(), url);
  const loadtest = (args: readonly string[], env?: Readonly<Record<string, string>>) => runLoadtest(folder, args, env);

  test('sends, follows, counts twice, and writes it down for people and programs', async () => {
    const said = await loadtest([
      'smoke',
      ...against(there().url),
      '--alone',
      ...patient(),
      ...(process.env['CI'] === 'true' ? [] : ['--duration', '10s', '--rate', '3']),
    ]);
    assert.equal(said.code, 0, said.output);
    const { verdict, counts, differences, objectives, notAsked, k6, budgets } = result(said);
    assert.deepEqual([verdict, differences, notAsked, k6.crossed], ['kept', [], [], []]);
    const { sender, database, counters, ledger } = counts;
    assert(sender.completed >= 20 && sender.rejected >= 2, JSON.stringify(sender));
    assert.equal(sender.completed + sender.rejected, sender.all);
    assert.deepEqual(database, { completed: sender.completed, rejected: sender.rejected });
    assert.deepEqual(counters, { completed: sender.completed, rejected: sender.rejected, failed: 0 });
    assert.deepEqual(ledger, { good: sender.completed, bad: 0 });
    assert.deepEqual(
      objectives.map(({ promise, state }) => [promise.name, state]),
      ['documents-processed', 'documents-on-time', 'api-available', 'api-fast'].map((name) => [name, 'kept']),
    );
    assert.equal(objectives[0]?.proven, sender.completed >= PROVE_98, `${sender.completed} good ones prove 98 %`);
    assert.equal(budgets.length, 4);
    assert.doesNotMatch(said.output, /\u001b/, 'colour, and this is no terminal');
    const junit = readFileSync(join(said.folder, 'junit.xml'), 'utf8');
    assert.match(junit, /<testsuite [^>]*tests="8" failures="0"/);
    const page = readFileSync(join(said.folder, 'index.html'), 'utf8');
    assert.doesNotMatch(page, /<script|<link|<img|src=|url\(/);
    assert.match(page, /\d+ of \d+ good/);
    assert.match(readFileSync(join(said.folder, 'k6.html'), 'utf8'), /<!doctype html>/i);
  });

  test('a document that was accepted and is nowhere ends the test at once, with its id', async () => {
    await using meddler = await startMeddler(there().url, { swallowed: 4 });
    const said = await loadtest(['load', ...against(meddler.url), ...patient(), '--rate', '3']);
    assert.equal(said.code, BROKEN, said.output);
    const { differences, endedEarly, because, counts } = result(said);
    const [lost] = differences;
    assert.deepEqual([lost?.kind, lost?.ids], ['lost', meddler.invented]);
    assert.match(endedEarly ?? '', new RegExp(meddler.invented[0] ?? 'none'));
    assert.match(because[0] ?? '', /^1 accepted with 202, and not in the database/);
    assert.match(said.output, new RegExp(meddler.invented[0] ?? 'none'));
    // What was on its way when it ended is followed all the same.
    assert.equal(counts.sender.accepted + counts.sender.left, 0);
    assert.deepEqual(differences.length, 1, JSON.stringify(differences));
  });

  test('a document that nobody was told of is found, and so is an objective that does not hold', async () => {
    await using meddler = await startMeddler(there().url, { denied: 3, lateMs: 250 });
    const said = await loadtest(['smoke', ...against(meddler.url), '--duration', '4s', '--rate', '2']);
    assert.equal(said.code, BROKEN, said.output);
    const { differences, objectives, k6 } = result(said);
    assert.deepEqual(
      differences.map(({ kind, ids }) => [kind, ids.length]),
      [
        ['stranger', 1],
        ['unexpected', 1],
      ],
    );
    assert.equal(objectives.find(({ promise }) => promise.name === 'api-fast')?.state, 'broken');
    assert(k6.crossed.includes('api_fast: rate>=0.95'), k6.crossed.join());
    const junit = readFileSync(join(said.folder, 'junit.xml'), 'utf8');
    assert.match(junit, /name="API fast"><failure message="broken">/);
    assert.match(junit, /name="No document is lost"><failure message="in the database, and no upload/);
  });

  test('says what is wrong where it cannot be run', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const cases = await Promise.all([
      loadtest(['smoke', '--target', nobody]),
      loadtest(['smoke', '--target', there().url], { BURNLINE_KEY: 'bl_0123456789abcdef_nobody' }),
      loadtest(['smoke', '--target', there().url, '--documents', join(folder, 'nothing')]),
      loadtest(['soak', '--duration', 'long']),
      loadtest(['everything']),
    ]);
    for (const [i, [code, says]] of (
      [
        [NOT_RUN, /nothing answers: is it the document API, and does it run\?/],
        [NOT_RUN, /is the key right\?.*answers 401/],
        [NOT_RUN, /Cannot send .*nothing: it is no folder/],
        [USAGE, /--duration: expected one such as 90s or 2h, received long/],
        [USAGE, /expected one of smoke, load, .*received everything/],
      ] as const
    ).entries()) {
      assert.equal(cases[i]?.code, code, cases[i]?.output);
      assert.match(cases[i]?.output ?? '', says);
    }
  });
});

describe('npm run loadtest, on Postgres', {
  skip: (K6 === undefined || findPostgres().kind === 'missing') && 'k6 or Postgres is not here',
  timeout: 300_000,
}, () => {
  test('a document whose row is deleted after it was accepted is found, with its id', async () => {
    const out = temporaryFolder();
    await using stack = await startStack({ database: 'postgres', workers: 1, latency: 'zero' });
    const { target, databaseUrl = '' } = stack;
    const db = openDatabase(databaseUrl);
    const running = runLoadtest(out, [
      'smoke',
      ...atTarget(target),
      '--objectives',
      patientObjectives(out),
      '--duration',
      '12s',
    ]);
    const deleted = await deleteOne(db);
    await db.close();
    const said = await running;
    assert.equal(said.code, BROKEN, said.output);
    const { differences } = result(said);
    removeFolder(out);
    assert.deepEqual(
      differences.filter(({ ids }) => ids.length > 0).map(({ kind, ids }) => [kind, ids]),
      [['lost', [deleted]]],
    );
  });
});

/** One that its sender has seen completed, so that nobody but the second count can miss it. */
async function deleteOne(db: ReturnType<typeof openDatabase>): Promise<string> {
  for (;;) {
    const [gone] = await db.query<{ id: string }>(
      `delete from worker.documents where id = (select id from worker.documents where status = 'completed' and correlation_id like 'load-%'
       and finished_at < now() - interval '3 seconds' limit 1) returning id`,
    );
    if (gone) return gone.id;
    await sleep(200);
  }
}

function patientObjectives(folder: string): string {
  const own = join(folder, 'patient');
  mkdirSync(own, { recursive: true });
  for (const name of ['api.yaml', 'documents.yaml', 'sources.yaml'] as const) {
    const text = readFileSync(join('slo/objectives', name), 'utf8');
    writeFileSync(join(own, name), text.replace('le="0.2"', 'le="30"').replace('le="30"}', 'le="120"}'));
  }
  return own;
}
