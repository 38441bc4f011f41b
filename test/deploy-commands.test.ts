/** What a deployment runs beside the roles: `migrate`, `keys create --out`, `bin/health`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test, { after, describe } from 'node:test';
import pg from 'pg';
import { migrationsOf } from '#app/database.ts';
import { defaultOf } from '#app/describe-settings.ts';
import type { SettingName } from '#app/settings.ts';
import { burnline } from '#test/kit/cli.ts';
import { freshDatabase, POSTGRES_URL } from '#test/kit/database.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';
import { freePort } from '#test/tools/postgres.ts';

const state = temporaryFolder();
after(() => removeFolder(state));
const EMBEDDED = { BURNLINE_STATE: state, API_PORT: '1', BURNLINE_ROUTER_URL: 'http://127.0.0.1:1' };

describe('migrate', { skip: POSTGRES_URL === undefined && 'no Postgres is here' }, () => {
  test('brings both databases up to date, and finds them so the second time', async () => {
    const env = { DATABASE_URL: await freshDatabase(), ROUTER_DATABASE_URL: await freshDatabase() };
    for (const round of ['first', 'second']) {
      const { code, stdout, stderr } = await burnline(['migrate', '--json'], env);
      assert.equal(code, 0, `${round}: ${stderr}`);
      const expected = (['service', 'router'] as const).map((name) => ({
        name,
        migrations: migrationsOf(name).length,
      }));
      assert.deepEqual(JSON.parse(stdout), expected, round);
    }
    for (const [url, table] of [
      [env.DATABASE_URL, 'worker.documents'],
      [env.ROUTER_DATABASE_URL, 'alerting.incidents'],
    ]) {
      const client = new pg.Client(url);
      await client.connect();
      const { rows } = await client.query('select to_regclass($1)::text as there', [table]);
      await client.end();
      assert.deepEqual(rows, [{ there: table }]);
    }
  });

  test('takes the one that is named alone, which is how a router of its own is deployed', async () => {
    const { stdout } = await burnline(['migrate'], { ROUTER_DATABASE_URL: await freshDatabase() });
    assert.match(stdout, /^router: up to date, \d+ migrations\n$/);
  });
});

test('migrate says what is missing, and which database it cannot reach, without its password', async () => {
  const none = await burnline(['migrate']);
  assert.deepEqual([none.code, /neither DATABASE_URL nor ROUTER_DATABASE_URL is set/.test(none.stderr)], [1, true]);
  const away = await burnline(['migrate'], { DATABASE_URL: `postgres://u:hunter2@127.0.0.1:${await freePort()}/d` });
  assert.equal(away.code, 1);
  assert.match(away.stderr, /burnline: \S/);
  assert.doesNotMatch(away.stderr, /hunter2/);
});

describe('keys create --out', () => {
  const file = join(state, 'keys', 'prometheus');
  const wish = [
    'keys',
    'create',
    '--router',
    '--name',
    'prometheus',
    '--roles',
    'writer',
    '--out',
    file,
    '--mode',
    '440',
  ];
  const make = async (args: readonly string[] = wish) => {
    const { code, stdout, stderr } = await burnline([...args, '--json'], EMBEDDED);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout, /bl_[0-9a-f]{16}_/, 'the key itself is in the file alone');
    return JSON.parse(stdout) as { id: string; kept: boolean };
  };

  test('writes a key for whom it may concern, once', async () => {
    const first = await make();
    assert.equal(first.kept, false);
    assert.match(readFileSync(file, 'utf8'), new RegExp(`^bl_${first.id}_[0-9a-f]{64}$`));
    assert.equal(statSync(file).mode & 0o777, 0o440);
    assert.deepEqual(await make(), { ...first, kept: true });
  });

  test('makes another when the one in the file is revoked, of other roles, or nobody knows it', async () => {
    const before = await make();
    const revoked = await burnline(['keys', 'revoke', '--router', before.id], EMBEDDED);
    assert.equal(revoked.code, 0, revoked.stderr);
    const second = await make();
    assert.equal(second.kept, false);
    const third = await make(wish.with(wish.indexOf('writer'), 'operator'));
    assert.equal(third.kept, false);
    chmodSync(file, 0o600);
    writeFileSync(file, `bl_${'0'.repeat(16)}_${'0'.repeat(64)}`);
    assert.equal((await make()).kept, false);
    assert.equal(new Set([before.id, second.id, third.id]).size, 3);
  });

  test('refuses a mode that is none', async () => {
    const { code, stderr } = await burnline([...wish, '--mode', '9']);
    assert.equal(code, 2);
    assert.match(stderr, /expected three octal digits/);
  });
});

describe('bin/health', () => {
  const health = async (args: readonly string[], env: Readonly<Record<string, string>>) =>
    await new Promise<{ code: number; said: string }>((resolve) => {
      execFile(process.execPath, ['bin/health', ...args], { env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), said: `${stdout}${stderr}` });
      });
    });

  test('asks the role where it listens, and says why it is not ready', async () => {
    const asked: string[] = [];
    let status = 200;
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = String((server.address() as { port: number }).port);
    const env = {
      API_HOST: '0.0.0.0',
      API_PORT: port,
      METRICS_PORT: port,
      SIMULATORS_PORT: port,
      ROUTER_LISTEN: `:${port}`,
      ROUTER_EXTERNAL_URL: 'https://burnline.example/router/',
    };
    try {
      for (const role of ['api', 'worker', 'router', 'simulators']) {
        assert.deepEqual(await health([role], env), { code: 0, said: `${role} is ready\n` });
      }
      assert.deepEqual(asked, ['/readyz', '/readyz', '/router/-/ready', '/healthz']);
      status = 503;
      assert.deepEqual(await health(['api'], env), { code: 1, said: 'api is not ready: it answers 503\n' });
    } finally {
      server.close();
    }
    const gone = await health(['api'], env);
    assert.equal(gone.code, 1);
    assert.match(gone.said, /^api is not ready: .*ECONNREFUSED/);
  });

  test('asks to be told which role where no container says it', async () => {
    const { code, said } = await health([], {});
    assert.deepEqual([code, /usage: health \[api\|worker\|/.test(said)], [2, true]);
  });

  test('has the defaults of the settings', () => {
    const text = readFileSync('bin/health', 'utf8');
    const found = [...text.matchAll(/env\('([A-Z_]+)', '([^']+)'\)/g)];
    assert.equal(found.length, 7);
    for (const [, name = '', usual] of found) assert.equal(usual, defaultOf(name as SettingName), name);
  });
});
