/** `npm run chaos`, in short: three scenarios on one embedded stack, as `npm start` has it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test, { after, before, describe } from 'node:test';
import { type ChaosResult, type RunOptions, runScenario } from '#test/chaos/run.ts';
import type { Scenario } from '#test/chaos/scenario.ts';
import { SCENARIOS } from '#test/chaos/scenarios.ts';
import { workerKilled } from '#test/chaos/scenarios-processes.ts';
import { type Ground, openGround } from '#test/chaos/stage.ts';
import { USAGE } from '#test/chaos/verdict.ts';
import { until } from '#test/kit/alertmanager.ts';
import { clean } from '#test/kit/stack.ts';

const SEED = Number(process.env['TEST_CHAOS_SEED'] ?? 11);

describe('npm run chaos', { timeout: 300_000 }, () => {
  let ground: Ground | undefined;
  before(async () => {
    ground = await openGround({ database: 'embedded', workers: 1, latency: 'zero' });
  });
  after(async () => void (await ground?.[Symbol.asyncDispose]()));

  const named = (name: string): Scenario => SCENARIOS.find((one) => one.name === name) ?? assert.fail(name);
  const run = async (options: Pick<RunOptions, 'scenario' | 'times' | 'endsWhenPaged'>, told: string[]) => {
    if (!ground) assert.fail('no stack');
    return await runScenario({
      ...options,
      ground,
      seed: SEED,
      signal: new AbortController().signal,
      tell: (line) => told.push(line),
    });
  };
  // How soon is the command's to judge: here other tests run beside it.
  const broken = ({ judgements }: ChaosResult) => judgements.filter(({ kept, timed }) => !kept && !timed);

  // The last one leaves an incident that is open.
  for (const options of [
    { scenario: named('slack-down'), times: { warm: 1, lasts: 4, after: 0 } },
    {
      scenario: workerKilled(['parse: upload open', 'service: at random']),
      times: { warm: 1, after: 0, pace: { ours: 1, neighbours: 0.3 } },
    },
    { scenario: named('llamaparse-down'), times: { warm: 8, lasts: 45, after: 0 }, endsWhenPaged: true },
  ]) {
    test(`${options.scenario.name}: what was stated before holds`, async () => {
      const told: string[] = [];
      const result = await run(options, told);
      assert.deepEqual(broken(result), [], JSON.stringify({ ...result, told }, null, 2));
      if (options.scenario.holds.paged) assert.notDeepEqual(result.pages, {}, 'nobody was told');
      assert(result.figures.documents > 5, 'nothing was sent');
      assert(told.indexOf('must hold:') < told.indexOf('the fault begins'), told.join('\n'));
    });
  }

  test('a process that ends by itself is told of, and those that were killed are not', async () => {
    const { stack } = ground ?? assert.fail('no stack');
    assert.deepEqual(stack.accidents, []);
    process.kill(stack.processes().get('service') ?? assert.fail('no service'), 'SIGKILL');
    const told = await until('it is told of', async () => stack.accidents[0]);
    assert.equal(told, 'service ended by itself (SIGKILL)');
  });

  test('says what is wrong with its usage', async () => {
    const said = await new Promise<[unknown, string]>((resolve) => {
      execFile(
        process.execPath,
        ['test/chaos/main.ts', '--scenario', 'meteor'],
        { env: clean(process.env) },
        (error, _, stderr) => resolve([error?.code, stderr]),
      );
    });
    assert.equal(said[0], USAGE);
    assert.match(said[1], /expected one of llamaparse-down, .*received meteor/);
  });
});
