/** A target against a baseline, by the command: the same service passes; one that somebody meddles with does not, with the right words. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import type { Validation } from '#loadtests/validate/verdict.ts';
import { burnline, type Ran } from '#test/kit/cli.ts';
import { json } from '#test/kit/client.ts';
import { type Meddling, startMeddler } from '#test/kit/meddler.ts';
import { type Service, startService } from '#test/kit/service.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';
import { freePort } from '#test/tools/postgres.ts';

const DIFFERS = 99;
const SHIPPED = 'loadtests/validate/baseline.json';

describe('burnline validate', () => {
  const folder = temporaryFolder();
  const recorded = join(folder, 'baseline.json');
  let service: Service;
  before(async () => {
    // What ships must be what `npm start` does.
    service = await startService({ readsDocuments: true });
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    removeFolder(folder);
  });

  const record = (file: string, ...more: string[]): Promise<Ran> =>
    burnline(['baseline', 'record', '--target', service.api, '--metrics', service.metrics, '--out', file, ...more]);
  const validate = (target: string, ...more: string[]): Promise<Ran> =>
    burnline(['validate', '--target', target, '--metrics', service.metrics, ...more]);
  /** What is found of a service that is meddled with, against the baseline that ships. */
  const meddled = async (meddling: Meddling, ...more: string[]): Promise<{ ran: Ran; found: Validation }> => {
    await using meddler = await startMeddler(service.api, meddling);
    const ran = await validate(meddler.url, '--json', ...more);
    assert.notEqual(ran.stdout, '', ran.stderr);
    return { ran, found: JSON.parse(ran.stdout) as Validation };
  };
  const worse = ({ differences }: Validation): string[] =>
    differences.filter((one) => one.matters).map(({ name }) => name);

  test('records what ships with this release, and leaves nothing behind', async () => {
    const ran = await record(recorded, '--no-performance');
    assert.equal(ran.code, 0, ran.stderr);
    const [now, shipped] = [recorded, SHIPPED].map((file) => JSON.parse(readFileSync(file, 'utf8')));
    // Where the machine is too slow to reach it, there is nothing to record.
    if (now.behaviour['rate-limit/is there'] === undefined) {
      for (const name of Object.keys(shipped.behaviour)) if (/^rate-limit\//.test(name)) delete shipped.behaviour[name];
      delete now.behaviour['rate-limit/answered'];
    }
    const how = `burnline baseline record --no-performance --metrics … --out ${SHIPPED}`;
    assert.deepEqual(now, shipped, `if that is meant: ${how}`);
    for (const status of ['completed', 'rejected', 'queued']) {
      const { body } = await json('GET', `${service.api}/v1/documents?status=${status}`);
      assert.deepEqual(body['items'], [], status);
    }
  });

  test('finds the same service the same, fact for fact', async () => {
    const junit = join(folder, 'same.xml');
    const ran = await validate(service.api, '--no-performance', '--rate-requests', '0', '--json', '--junit', junit);
    const found = JSON.parse(ran.stdout) as Validation;
    assert.deepEqual(found.differences, []);
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(found.verdict, 'same');
    assert.deepEqual(found.left, []);
    assert(found.checks.every(({ facts }) => facts > 1));
    assert.match(readFileSync(junit, 'utf8'), /<testsuite [^>]*tests="10" failures="0"/);
  });

  test('says which security header is gone, to people and to a CI', async () => {
    const junit = join(folder, 'header.xml');
    await using meddler = await startMeddler(service.api, { drops: 'x-frame-options' });
    const ran = await validate(meddler.url, '--only', 'health,headers', '--junit', junit);
    assert.equal(ran.code, DIFFERS, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /^Differs, and matters\n {2}headers\/a problem\/x-frame-options: was DENY, is none\n/);
    assert.match(ran.stdout, /differs in 3 facts and 0 paces that matter: 2 checks/);
    assert.doesNotMatch(ran.stdout, /\u001b/, 'colour, and this is no terminal');
    assert.match(
      readFileSync(junit, 'utf8'),
      /name="headers"><failure message="[^"]*x-frame-options: was DENY, is none/,
    );
    assert.match(readFileSync(junit, 'utf8'), /tests="2" failures="1"/);
  });

  test('says that a wrong key is let in', async () => {
    const { ran, found } = await meddled({ trusting: true }, '--only', 'refusals');
    assert.equal(ran.code, DIFFERS);
    const status = found.differences.filter(({ name }) => name.endsWith('/status'));
    assert.deepEqual(
      status.map(({ name, was, is }) => [name, was, is]),
      [
        ['refusals/key in a wrong form/status', 401, 200],
        ['refusals/wrong key/status', 401, 200],
      ],
    );
    assert(worse(found).every((name) => /^refusals\/(?:wrong key|key in a wrong form)\//.test(name)));
  });

  test('says that a target fails now and then, although all is well when it is asked again', async () => {
    const { ran, found } = await meddled({ failing: 3 }, '--only', 'documents');
    assert.equal(ran.code, DIFFERS);
    assert.deepEqual(worse(found), ['documents/requests that failed']);
    await using meddler = await startMeddler(service.api, { failing: 3 });
    const none = join(folder, 'none.json');
    const refused = await burnline([
      'baseline',
      'record',
      '--target',
      meddler.url,
      '--only',
      'documents',
      '--out',
      none,
    ]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Cannot record .*documents\/requests that failed: was 0, is \d+/);
  });

  test('says which document was lost', async () => {
    const { ran, found } = await meddled({ swallowed: 2 }, '--only', 'documents');
    assert.equal(ran.code, DIFFERS);
    const end = found.differences.find(({ name }) => name === 'documents/minutes.docx/end');
    assert.deepEqual([end?.was, end?.is, end?.matters], ['completed', 'lost: accepted with 202, then 404', true]);
    assert(
      worse(found).every((name) => name.startsWith('documents/minutes.docx/')),
      worse(found).join(),
    );
    assert.equal(found.left.length, 1, 'what never was there cannot be erased');
  });

  test('says what is slower, by how much and how surely', async () => {
    const measured = join(folder, 'pace.json');
    const fast = await record(measured, '--only', 'performance', '--repetitions', '8');
    assert.equal(fast.code, 0, fast.stderr);
    const { ran, found } = await meddled(
      { lateMs: 120 },
      ...['--only', 'performance', '--repetitions', '8', '--baseline', measured],
    );
    assert.equal(ran.code, DIFFERS, ran.stdout);
    const slower = found.paces.filter(({ matters }) => matters);
    assert.deepEqual(
      slower.map(({ name }) => name).filter((name) => name !== 'search'),
      ['health', 'list', 'one document'],
    );
    assert(slower.every(({ low, p }) => low > 1.5 && p < 0.01));
    assert.deepEqual(found.differences, []);
  });

  test('says what is wrong where it cannot be run', async () => {
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, '{"format": 1}');
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const cases = [
      [['--target', nobody], 1, /nothing answers; does it run\?/],
      [['--target', service.api, '--key', 'bl_0123456789abcdef_nobody'], 1, /it answers 401; is the key right/],
      [
        ['--target', service.api, '--baseline', broken],
        1,
        /Cannot read .*broken\.json as a baseline: it is wrong at version/,
      ],
      [['--target', service.api, '--only', 'everything'], 2, /expected some of health, contract/],
      [['--target', 'ftp://nowhere'], 2, /expected an http\(s\) URL/],
      [[], 2, /--target/],
    ] as const;
    const all = await Promise.all(cases.map(([args]) => burnline(['validate', ...args])));
    for (const [i, [, code, says]] of cases.entries()) {
      assert.equal(all[i]?.code, code, all[i]?.stderr);
      assert.match(all[i]?.stderr ?? '', says);
    }
  });
});
