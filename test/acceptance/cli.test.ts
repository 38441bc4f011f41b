/** The command as a user meets it: help, faults, exit codes, signals, and the hand-over from an older Node. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import test, { after, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Role, SETTING_NAMES, setting } from '#app/settings.ts';
import { burnline } from '#test/kit/cli.ts';
import { clean, removeFolder, temporaryFolder } from '#test/kit/stack.ts';

const state = temporaryFolder();
after(() => removeFolder(state));
const SIMULATED = {
  BURNLINE_STATE: state,
  BURNLINE_VENDORS: 'simulated',
  CANARY_EVERY_SECONDS: '0',
  LOG_FORMAT: 'json',
};
const FREE = ['--port', '0', '--metrics-port', '0'];
const ROLES: readonly Role[] = ['start', 'service', 'api', 'worker', 'simulators'];

test('--help tells every command, and every setting of a role by its flag or its variable', async () => {
  const { code, stdout } = await burnline(['--help']);
  assert.equal(code, 0);
  for (const name of [...ROLES, 'config', 'keys', 'slo']) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
  assert.doesNotMatch(stdout, /prepare/, 'what users do not need is not shown');
  await Promise.all(
    ROLES.map(async (role) => {
      const help = await burnline([role, '--help']);
      assert.equal(help.code, 0, role);
      for (const name of SETTING_NAMES) {
        const { flag, roles } = setting(name);
        assert.equal(help.stdout.includes(flag ?? `  ${name} `), roles.includes(role), `${role} --help and ${name}`);
      }
    }),
  );
});

test('--help of the other commands ends with 0 and names their options', async () => {
  const OPTIONS: readonly [args: string, options: readonly string[]][] = [
    ['config', ['check']],
    ['config check', ['--role', '--json']],
    ['keys', ['create', 'list', 'revoke']],
    ['keys create', ['--name', '--roles', '--tenant', '--days', '--out', '--mode', '--json']],
    ['migrate', ['--json']],
    ['keys list', ['--tenant', '--json']],
    ['keys revoke', ['<id>', '--tenant']],
    ['slo', ['validate', 'export', 'compile', 'backtest', 'report']],
    ['slo validate', ['[FILES...]', '--strict', '--no-references', '--json']],
    ['slo compile', ['--out', '--json']],
    ['slo backtest', ['--objective', '--slo', '--events', '--tick', '--target', '--false-pages', '--smallest-burn']],
    ['slo report', ['--period', '--json']],
  ];
  await Promise.all(
    OPTIONS.map(async ([args, options]) => {
      const { code, stdout } = await burnline([...args.split(' '), '--help']);
      assert.equal(code, 0, args);
      for (const option of options) assert(stdout.includes(option), `${args}: ${option}`);
    }),
  );
  assert.match((await burnline(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

const WRONG_USAGE: readonly [args: string, says: RegExp][] = [
  ['', /Usage: burnline/],
  ['serve', /unknown command 'serve'/],
  ['servce', /Did you mean service\?/],
  ['service --prot 80', /unknown option '--prot'/],
  ['service --port', /argument missing/],
  ['service --port x', /API_PORT expected a port, 0 to 65535, received "x"/],
  ['config check --role king', /Allowed choices are service, api/],
  ['keys', /Usage: burnline keys/],
  ['keys create', /required option '--name <name>'/],
  ['keys create --name x --roles king', /"king" is none of reader, writer, admin/],
  ['keys create --name x --days never', /expected a number of days/],
  ['keys revoke', /missing required argument 'id'/],
];

test('wrong usage ends with 2, says what was wrong, and where help is', async () => {
  for (const [args, says] of WRONG_USAGE) {
    const { code, stderr, stdout } = await burnline(args === '' ? [] : args.split(' '), SIMULATED);
    assert.equal(code, 2, `${args}: ${stderr}`);
    assert.match(stderr, says);
    assert.equal(stdout, '', args);
  }
});

test('of a flag that is given several times all of it counts, or none of it does', async () => {
  const listed = await burnline(['router', '--scrape=ftp://a', '--scrape=http://b']);
  assert.equal(listed.code, 2);
  assert.match(listed.stderr, /ROUTER_SCRAPE.*expected http/);
  const twice = await burnline(['router', '--storage.path=a', '--storage.path=b']);
  assert.equal(twice.code, 2);
  assert.match(twice.stderr, /given twice: a and b/);
});

test('config check ends with 0 when all is right and with 1 when something is not, and shows no secret', async () => {
  const right = await burnline(['config', 'check', '--role', 'start'], {});
  assert.deepEqual([right.code, right.stdout], [0, 'The configuration of start is right.\n']);
  const env = { API_PORT: 'x', OPENAI_API_KEY: 'sk-hunter2', DATABASE_URL: 'hunter2', WORKER_PLACE: '1' };
  const wrong = await burnline(['config', 'check'], env);
  assert.equal(wrong.code, 1);
  assert.deepEqual(
    wrong.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/).slice(0, 2)),
    [
      ['fault', 'API_PORT'],
      ['fault', 'DATABASE_URL'],
      ['fault', 'LLAMA_CLOUD_API_KEY'],
    ],
  );
  const machine = await burnline(['config', 'check', '--role', 'start', '--json'], { WORKER_PLACE: '1' });
  const { ok, faults, warnings } = JSON.parse(machine.stdout) as {
    ok: boolean;
    faults: unknown[];
    warnings: { setting: string }[];
  };
  assert.deepEqual([machine.code, ok, faults, warnings[0]?.setting], [0, true, [], 'WORKER_PLACE']);
  for (const { stdout, stderr } of [right, wrong, machine]) assert(!`${stdout}${stderr}`.includes('hunter2'));
});

test('a role with a wrong configuration ends with 2 before it does anything, and names every fault', async () => {
  const env = { BURNLINE_STATE: join(state, 'never'), WORKER_PLACES: '0', JWT_SHARED_SECRET: 'hunter2' };
  const { code, stderr } = await burnline(['service', '--port', '99999'], env);
  assert.equal(code, 2);
  assert.match(stderr, /^burnline service: the configuration has 5 fault\(s\)$/m);
  for (const name of ['API_PORT', 'WORKER_PLACES', 'JWT_SHARED_SECRET', 'LLAMA_CLOUD_API_KEY', 'OPENAI_API_KEY']) {
    assert.match(stderr, new RegExp(`^  ${name} .`, 'm'));
  }
  assert(!stderr.includes('hunter2'));
  assert(!existsSync(join(state, 'never')), 'nothing was made');
});

test('a port that is taken is said in one clear sentence, with exit code 1, and the next start is well', async () => {
  await using server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = String((server.address() as AddressInfo).port);
  for (const flags of [
    ['--port', port, '--metrics-port', '0'],
    ['--port', '0', '--metrics-port', port],
  ]) {
    const { code, stderr } = await burnline(['service', ...flags], SIMULATED);
    assert.equal(code, 1);
    const sentence = `Cannot listen on 127.0.0.1:${port}: another program does. Choose another port`;
    const errors = stderr.split('\n').filter((line) => line.includes('"level":"error"'));
    assert.equal(errors.length, 1, stderr);
    const { msg, code: named } = JSON.parse(errors[0] ?? '{}') as { msg: string; code: string };
    assert.deepEqual([msg, named], [sentence, 'port_in_use']);
  }
});

test('a second process in the same state folder is refused in one clear sentence, with exit code 1', async () => {
  await using first = await start(process.execPath, ['service', ...FREE]);
  const { code, stderr } = await burnline(['service', ...FREE], SIMULATED);
  assert.equal(code, 1);
  assert.match(stderr, /"msg":"Cannot open .+: process \d+ has it open. Stop that process, or use another folder"/);
  assert.equal((await fetch(`${first.api}/readyz`)).status, 200, 'the first one is not disturbed');
});

/** A Node that is too old to run the project, where this machine has one. */
function olderNode(): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  return places.filter(existsSync).find((node) => {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' });
    return Number(/^v(\d+)/.exec(version)?.[1]) < 24;
  });
}

type Started = AsyncDisposable & {
  readonly pid: number;
  readonly api: string;
  /** The exit code, or the signal. */
  readonly ended: Promise<number | string | null>;
  kill(signal: NodeJS.Signals): void;
};

async function start(node: string, args: readonly string[]): Promise<Started> {
  const env = { ...clean(process.env), ...SIMULATED } as NodeJS.ProcessEnv;
  const child = spawn(node, ['bin/burnline', ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  let output = '';
  child.stderr.on('data', (data) => {
    output += String(data);
  });
  const begun = performance.now();
  const found = () => /"api":"(http:[^"]+)"/.exec(output)?.[1];
  while (found() === undefined) {
    assert(child.exitCode === null && performance.now() - begun < 30_000, output);
    await sleep(20);
  }
  return {
    pid: child.pid ?? 0,
    api: found() ?? '',
    ended,
    kill: (signal) => void child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
      // Should it have left a child behind, the run does not wait for that one's output.
      child.stderr.destroy();
    },
  };
}

const older = olderNode();
describe('under a Node that is too old', { skip: older === undefined && 'no Node before 24 is on the PATH' }, () => {
  const node = older ?? '';

  test('it hands over, with the output and the exit code of the command', async () => {
    const [version, same] = await Promise.all([burnline(['--version'], {}, node), burnline(['--version'])]);
    assert.deepEqual(version, same);
    assert.equal((await burnline(['serve'], {}, node)).code, 2);
    assert.equal((await burnline(['config', 'check'], {}, node)).code, 1);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`it passes ${signal} on, and ends with 0 when the service has stopped`, async () => {
      await using service = await start(node, ['service', ...FREE]);
      assert.equal((await fetch(`${service.api}/healthz`)).status, 200);
      service.kill(signal);
      assert.equal(await service.ended, 0);
      await assert.rejects(fetch(`${service.api}/healthz`));
    });
  }

  test('it leaves no orphan behind when it is killed', async () => {
    await using service = await start(node, ['service', ...FREE]);
    service.kill('SIGKILL');
    assert.equal(await service.ended, 'SIGKILL');
    const begun = performance.now();
    const lives = () =>
      fetch(`${service.api}/healthz`).then(
        () => true,
        () => false,
      );
    while (await lives()) {
      assert(performance.now() - begun < 5_000, 'the service outlives what started it');
      await sleep(50);
    }
    await using next = await start(node, ['service', ...FREE]);
    assert.equal((await fetch(`${next.api}/readyz`)).status, 200, 'the folder is free again');
  });
});
