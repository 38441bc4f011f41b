/**
 * What becomes of a worker's jobs when it dies, hangs, or is asked to stop; and that an embedded folder has one process.
 * The long version, with kills by the hundred, is `npm run test:crash`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test, { after, before, describe } from 'node:test';
import { hang } from '#test/crash/hung.ts';
import { type Scene, until } from '#test/crash/moments.ts';
import { EMBED_OPEN, findHeld, type Held } from '#test/crash/moments-postgres.ts';
import { type Stage, startStage } from '#test/crash/stage.ts';
import { measureTakeover } from '#test/crash/takeover.ts';
import { type DocumentView, read, untilFinished } from '#test/kit/client.ts';
import { freshDatabase, POSTGRES_URL } from '#test/kit/database.ts';
import { FREE_PORTS, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

/** The promise is 3 s; a test machine that is busy with other tests gets more. */
const GENEROUS = 8_000;
const takeovers = ({ timeline }: DocumentView) => timeline.filter(({ because }) => because.startsWith('taken over'));

type Call = { readonly step: string; readonly outcome: string; readonly wasted: boolean };

async function callsOf({ fleet }: Scene, id: string, step: string): Promise<Call[]> {
  const text = `select step, outcome, wasted from worker.vendor_calls where document_id = $1 and step = $2 order by id`;
  return (await fleet.db?.query<Call>(text, [id, step])) ?? [];
}

/** The newest upload, done. */
async function lastDone({ fleet, uploads }: Scene): Promise<DocumentView> {
  const document = await untilFinished(fleet.api(), uploads.sent.at(-1)?.id ?? '');
  assert.equal(document.status, 'completed', JSON.stringify(document));
  return document;
}

// Mostly waiting for leases to run out: side by side.
describe('claims outlive their holders', { concurrency: true }, () => {
  describe('a worker on Postgres', { concurrency: 1, skip: !POSTGRES_URL && 'no Postgres in this run' }, () => {
    let stage: Stage;
    before(async () => {
      stage = await startStage({
        engine: 'postgres',
        databaseUrl: await freshDatabase(),
        env: { STOP_LIMIT_MS: '500' },
      });
    });
    after(async () => await stage[Symbol.asyncDispose]());

    test('that is killed: its job goes on elsewhere, and the call it had open is in the ledger, wasted', async () => {
      const ms = await measureTakeover(stage.scene);
      assert(ms !== undefined && ms < GENEROUS, `taken over after ${ms} ms`);
      const document = await lastDone(stage.scene);
      assert.equal(takeovers(document).length, 1);
      assert.equal(document.attempts, 1, 'an interruption is no attempt');
      assert.deepEqual(await callsOf(stage.scene, document.id, 'embed'), [
        { step: 'embed', outcome: 'interrupted', wasted: true },
        { step: 'embed', outcome: 'completed', wasted: false },
      ]);
    });

    for (const how of ['in a call', 'in a transaction'] as const) {
      test(`that hangs ${how}: its job goes on elsewhere, and it can write nothing when it wakes`, async () => {
        const [hung] = await hang(stage.scene, how);
        assert(hung, 'a worker was hung');
        assert(hung.takeoverMs !== undefined && hung.takeoverMs < GENEROUS, `taken over after ${hung.takeoverMs} ms`);
        assert.equal(hung.lost, 1, 'it heard that its claim is lost');
        assert.deepEqual(hung.wrote, []);
        const document = await lastDone(stage.scene);
        assert.equal(document.id, hung.documentId);
        const steps = document.timeline.filter(({ from, to }) => from !== to).map(({ to }) => to);
        assert.deepEqual(steps, ['queued', 'parsing', 'chunking', 'embedding', 'storing', 'completed']);
        const calls = await callsOf(stage.scene, document.id, 'embed');
        assert.equal(calls.filter(({ outcome }) => outcome === 'completed').length, 1);
        const jobs = await stage.fleet.db?.query('select 1 from worker.finished_jobs where document_id = $1', [
          document.id,
        ]);
        assert.equal(jobs?.length, 1);
      });
    }

    test('that is asked to stop hands its work back at once: no interruption, and the call is not forgotten', async () => {
      const { scene, fleet } = stage;
      for (const member of fleet.members) await member.up();
      await fleet.vendors.slow('openai', { latencyMs: 5_000 });
      const { id = '' } = await scene.uploads.send('note');
      const held = await heldCall(scene, id);
      await until(async () => ((await fleet.vendors.met('openai')) > 0 ? true : undefined));
      await fleet.vendors.mend();
      const worker = fleet.members.find(({ name }) => name === held.owner);
      assert.equal(await worker?.stop(), 0);
      const document = await lastDone(scene);
      assert.deepEqual(takeovers(document), []);
      assert.equal(document.attempts, 1);
      const [job] = (await fleet.db?.query(
        'select owner, interruptions from worker.finished_jobs where document_id = $1',
        [id],
      )) ?? [undefined];
      assert.equal(job?.['interruptions'], 0);
      assert.notEqual(job?.['owner'], held.owner);
      assert.deepEqual(await callsOf(scene, id, 'embed'), [
        { step: 'embed', outcome: 'interrupted', wasted: true },
        { step: 'embed', outcome: 'completed', wasted: false },
      ]);
    });
  });

  describe('the embedded service', { concurrency: true }, () => {
    test('that is killed with unfinished documents finishes them when it is started again', async () => {
      await using stage = await startStage({ engine: 'pglite' });
      const { scene, fleet } = stage;
      await fleet.vendors.slow('llamaparse', { latencyMs: 2_000 });
      const sent = await Promise.all(
        ['note', 'page', 'log', 'drawing'].map((kind) => scene.uploads.send(kind as 'note')),
      );
      scene.kill(fleet.server);
      await fleet.server.up();
      await fleet.vendors.mend();
      const documents = await Promise.all(sent.map(({ id }) => untilFinished(fleet.api(), id ?? '')));
      assert.deepEqual(
        documents.map(({ status }) => status),
        ['completed', 'completed', 'completed', 'rejected'],
      );
      assert(documents.every(({ attempts }) => attempts === 1));
    });

    test('that is asked to stop with a document in hand goes on with it later, without an interruption', async () => {
      const state = temporaryFolder();
      await using simulators = await startRole('simulators', { BURNLINE_STATE: state, SIMULATORS_LATENCY: 'zero' });
      const env = {
        BURNLINE_STATE: state,
        BURNLINE_VENDORS: 'simulated',
        SIMULATORS_PORT: new URL(simulators.urls['simulators'] ?? '').port,
        CANARY_EVERY_SECONDS: '0',
        STOP_LIMIT_MS: '500',
      };
      const first = await startRole('service', env);
      await fetch(`${simulators.urls['simulators']}/faults/llamaparse`, { method: 'PUT', body: '{"latencyMs":6000}' });
      const form = new FormData();
      form.append('file', new Blob(['Words to keep.']), 'words.txt');
      const answer = await fetch(`${first.urls['api']}/v1/documents`, { method: 'POST', body: form });
      const { id } = (await answer.json()) as { id: string };
      await until(async () => ((await read(first.urls['api'] ?? '', id)).status === 'parsing' ? true : undefined));
      assert.equal(await first.stop('SIGTERM'), 0);
      await fetch(`${simulators.urls['simulators']}/faults`, { method: 'DELETE' });
      await using second = await startRole('service', env);
      const document = await untilFinished(second.urls['api'] ?? '', id);
      assert.equal(document.status, 'completed');
      assert.deepEqual(takeovers(document), []);
      await second.stop();
      removeFolder(state);
    });

    test('refuses a folder that another one has open, with a clear sentence and exit code 1', async () => {
      const state = temporaryFolder();
      const env = { BURNLINE_STATE: state, BURNLINE_VENDORS: 'simulated', CANARY_EVERY_SECONDS: '0' };
      await using first = await startRole('service', env);
      const second = await runToEnd('service', env);
      assert.equal(second.code, 1, second.output);
      const sentence = `Cannot open ${state}/service: process ${first.process.pid} has it open. Stop that process, or use another folder`;
      assert(second.output.includes(sentence), second.output);
      assert.equal((await fetch(`${first.urls['api']}/readyz`)).status, 200, 'the first one is not disturbed');
      await first.stop();
      removeFolder(state);
    });
  });
});

async function heldCall({ fleet }: Scene, id: string): Promise<Held> {
  const { db } = fleet;
  assert(db);
  const names = fleet.living('worker').map(({ name }) => name);
  const held = await until(() => findHeld(db, `${EMBED_OPEN} and j.document_id = '${id}'`, names));
  assert(held, 'a worker has a call open');
  return held;
}

async function runToEnd(
  role: string,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['bin/burnline', role, ...(FREE_PORTS[role] ?? [])], {
    env: { ...process.env, LOG_FORMAT: 'json', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  const code = await new Promise<number>((resolve) => child.once('exit', (exit) => resolve(exit ?? -1)));
  return { code, output };
}
