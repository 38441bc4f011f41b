import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, describe } from 'node:test';
import { systemClock } from './clock.ts';
import { isDatabaseFault } from './database.ts';
import { Fault } from './errors.ts';
import { lockFolder, startOf } from './folder-lock.ts';
import { openPglite } from './pglite.ts';
import { ensureImage, prepareFolder } from './pglite-image.ts';
import { milliseconds } from './units.ts';

const root = mkdtempSync(join(tmpdir(), 'burnline-pglite-'));
after(() => rmSync(root, { recursive: true, force: true }));
const limits = { statement: milliseconds(20_000), transaction: milliseconds(20_000) };
const clock = systemClock;
const image = join(root, 'image');

/** One initdb for all of these tests. */
async function folder(name: string): Promise<string> {
  const path = join(root, name);
  await prepareFolder(path, image, async (draft) => {
    const db = await openPglite({ folder: draft, limits, clock, fsync: false });
    await db.query('create table probe (n int primary key)');
    await db.close();
  });
  return path;
}

/** Runs a script in another process, to kill it or to compete with it. */
function child(script: string) {
  const text = `
    import { openPglite } from '#kernel/pglite.ts';
    import { systemClock as clock } from '#kernel/clock.ts';
    const limits = { statement: 20000, transaction: 20000 };
    ${script}`;
  return ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', text];
}

describe('openPglite()', () => {
  test('takes the foreground first, one of the background after eight of it, and each lane in order', async () => {
    const db = await openPglite({ folder: await folder('lanes'), limits, clock });
    const front = db.foreground();
    const order: string[] = [];
    const note = (name: string) => async () => void order.push(name);
    const held = Promise.withResolvers<void>();
    const all = [
      db.tx(() => held.promise),
      ...['b1', 'b2', 'b3'].map((name) => db.tx(note(name))),
      ...Array.from({ length: 10 }, (_, i) => front.tx(note(`f${i}`))),
    ];
    held.resolve();
    await Promise.all(all);
    await db.close();
    assert.equal(order.join(' '), 'f0 f1 f2 f3 f4 f5 f6 f7 b1 f8 f9 b2 b3');
  });

  test('keeps every commit that was answered when its process is killed', async () => {
    const path = await folder('killed');
    const script = `const db = await openPglite({ folder: ${JSON.stringify(path)}, limits, clock });
      for (let n = 0; ; n++) { await db.query('insert into probe values ($1)', [n]); process.stdout.write(n + '\\n'); }`;
    const process_ = spawn(process.execPath, child(script), { stdio: ['ignore', 'pipe', 'inherit'] });
    let answered = -1;
    process_.stdout.on('data', (data: Buffer) => {
      answered = Number(data.toString().trim().split('\n').at(-1));
      if (answered > 30) process_.kill('SIGKILL');
    });
    await new Promise((resolve) => process_.on('exit', resolve));
    const db = await openPglite({ folder: path, limits, clock });
    const [row] = await db.query<{ n: number }>('select count(*) as n from probe');
    await db.close();
    assert(answered > 30);
    assert(row && row.n >= answered + 1, `${row?.n} rows, ${answered + 1} were answered`);
  });

  test('calls fdatasync for every commit', {
    skip: spawnSync('strace', ['-V']).status !== 0 && 'no strace',
  }, async () => {
    const path = await folder('synced');
    const commits = 50;
    const script = `const db = await openPglite({ folder: ${JSON.stringify(path)}, limits, clock });
      for (let n = 0; n < ${commits}; n++) await db.query('insert into probe values ($1)', [n]);
      await db.close();`;
    const trace = join(root, 'trace');
    spawnSync('strace', ['-f', '-e', 'trace=fdatasync,fsync', '-o', trace, process.execPath, ...child(script)]);
    const calls = readFileSync(trace, 'utf8').match(/f(?:data)?sync\(\d+\) += 0/g)?.length ?? 0;
    assert(calls >= commits, `${calls} syncs for ${commits} commits`);
  });

  test('is refused to a second process, with a sentence that names the first', async () => {
    const path = await folder('shared');
    const db = await openPglite({ folder: path, limits, clock });
    const script = `await openPglite({ folder: ${JSON.stringify(path)}, limits, clock }).catch((error) => {
      process.stdout.write(error.code + ': ' + error.message); process.exit(3); });`;
    const { status, stdout } = spawnSync(process.execPath, child(script), { encoding: 'utf8' });
    await db.close();
    assert.equal(status, 3);
    assert.match(stdout, new RegExp(`folder_locked: Cannot open .*: process ${process.pid} has it open`));
  });

  test('ends a statement over its limit, opens the folder again, and says that another try can help', async () => {
    const path = await folder('slow');
    const db = await openPglite({ folder: path, limits: { ...limits, statement: milliseconds(1_500) }, clock });
    await db.query('insert into probe values (1)');
    await assert.rejects(
      db.query('select pg_sleep(30)'),
      (error) => isDatabaseFault(error, 'timeout') && error.retryable,
    );
    assert.deepEqual(await db.query('select n from probe'), [{ n: 1 }]);
    await db.close();
  });

  test('rolls back a transaction whose caller does not come back in time', async () => {
    const path = await folder('stuck');
    const db = await openPglite({ folder: path, limits: { ...limits, transaction: milliseconds(300) }, clock });
    const stuck = db.tx(async (q) => {
      await q.query('insert into probe values (7)');
      await new Promise(() => {});
    });
    await assert.rejects(stuck, (error) => isDatabaseFault(error, 'timeout'));
    assert.deepEqual(await db.query('select n from probe'), []);
    await db.close();
  });
});

describe('prepareFolder()', () => {
  test('leaves nothing behind when building fails, and builds the next time', async () => {
    const target = join(root, 'images', 'broken');
    await assert.rejects(
      ensureImage(target, async () => Promise.reject(new Error('disk full'))),
      /disk full/,
    );
    assert.deepEqual(readdirSync(join(root, 'images')), []);
    assert.equal(await ensureImage(target, async (draft) => writeFileSync(draft, '')), true);
    assert.equal(await ensureImage(target, async () => assert.fail('built twice')), false);
    assert(existsSync(target));
  });
});

describe('lockFolder()', () => {
  const lockFile = (name: string) => `${join(root, name)}.lock`;

  test('takes over the lock of a process that is gone, even if its pid came round again', async () => {
    writeFileSync(lockFile('gone'), JSON.stringify({ pid: process.pid, started: 'long ago' }));
    const lock = await lockFolder(join(root, 'gone'), clock);
    assert.equal(JSON.parse(readFileSync(lockFile('gone'), 'utf8')).started, await startOf(process.pid));
    await lock.release();
    assert(!existsSync(lockFile('gone')));
  });

  test('takes over a lock that lost its content in a power cut', async () => {
    writeFileSync(lockFile('empty'), '');
    await (await lockFolder(join(root, 'empty'), clock)).release();
  });

  test('takes over a lock whose last breaker was killed in the middle of it', async () => {
    writeFileSync(lockFile('guarded'), JSON.stringify({ pid: 2 ** 22 + 1, started: 'never' }));
    linkSync(lockFile('guarded'), `${lockFile('guarded')}.break`);
    const lock = await lockFolder(join(root, 'guarded'), clock);
    assert(!existsSync(`${lockFile('guarded')}.break`));
    await lock.release();
  });

  test('gives a stale lock to one of many that want it', async () => {
    writeFileSync(lockFile('wanted'), JSON.stringify({ pid: 2 ** 22 + 1, started: 'never' }));
    const script = `const { lockFolder } = await import('#kernel/folder-lock.ts');
      await lockFolder(${JSON.stringify(join(root, 'wanted'))}, { ...clock, steady: (() => { let t = 0; return () => (t += 3000); })() })
        .then(() => { process.stdout.write('got'); return new Promise((r) => setTimeout(r, 2000)); }, (e) => process.stdout.write(e.code));`;
    const outputs = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const process_ = spawn(process.execPath, child(script), { stdio: ['ignore', 'pipe', 'inherit'] });
        const text = (await process_.stdout.toArray()).join('');
        return text;
      }),
    );
    assert.equal(outputs.filter((text) => text === 'got').length, 1, outputs.join());
  });

  test('waits for a holder that is going', async () => {
    const first = await lockFolder(join(root, 'going'), clock);
    const second = lockFolder(join(root, 'going'), clock);
    await first.release();
    await (await second).release();
  });

  test('throws a Fault with the holder in it', async () => {
    const held = await lockFolder(join(root, 'held'), clock);
    let time = 0;
    const steady = () => {
      time += 3_000;
      return milliseconds(time);
    };
    const hurried = { ...clock, steady };
    await assert.rejects(
      lockFolder(join(root, 'held'), hurried),
      (error) => error instanceof Fault && error.code === 'folder_locked',
    );
    await held.release();
  });
});

test('a statement that comes after its transaction was given up is refused, and does not run on its own', async () => {
  const path = await folder('straggler');
  const db = await openPglite({ folder: path, limits: { ...limits, transaction: milliseconds(200) }, clock });
  let straggler: Promise<unknown> = Promise.resolve();
  const stuck = db.tx(async (q) => {
    await q.query('insert into probe values (1)');
    straggler = clock.sleep(milliseconds(200)).then(() => q.query('insert into probe values (2)'));
    straggler.catch(() => {});
    await new Promise(() => {});
  });
  await assert.rejects(stuck, (error) => isDatabaseFault(error, 'timeout'));
  await assert.rejects(straggler, /the transaction is over/);
  assert.deepEqual(await db.query('select n from probe'), []);
  await db.close();
});
