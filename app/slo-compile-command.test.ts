import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { afterEach, beforeEach, describe } from 'node:test';
import { Command } from 'commander';
import type { Objective } from '#slo/objective.ts';
import { errorsOf, objective } from '#test/kit/objectives-by-hand.ts';
import { compileInto } from './slo-compile.ts';
import { addCompileCommand } from './slo-compile-command.ts';

const first = objective('first', errorsOf('app'));
const other = objective('first', errorsOf('app'), { service: 'search' });

let out = '';
describe('burnline slo compile', () => {
  beforeEach(() => {
    out = join(mkdtempSync(join(tmpdir(), 'burnline-compile-')), 'rules');
  });
  afterEach(() => {
    rmSync(join(out, '..'), { recursive: true, force: true });
    process.exitCode = undefined;
  });

  /** The command as a person types it. */
  async function compile(args: readonly string[], objectives: readonly Objective[], faults: readonly string[] = []) {
    process.exitCode = undefined;
    const said = { stdout: '', stderr: '' };
    const into = (name: keyof typeof said) => ({
      write: (text: string) => {
        said[name] += text;
      },
    });
    const slo = new Command('slo');
    addCompileCommand(slo, async () => ({ objectives, faults }), [], {
      stdout: into('stdout'),
      stderr: into('stderr'),
    });
    await slo.parseAsync(['compile', '--out', out, ...args], { from: 'user' });
    return { code: Number(process.exitCode), ...said };
  }

  /** @returns its exit code. */
  async function run(...what: Parameters<typeof compile>): Promise<number> {
    return (await compile(...what)).code;
  }

  test('compile writes one file a service and leaves no draft', async () => {
    assert.equal(await run([], [first, other]), 0);
    assert.deepEqual(readdirSync(out).sort(), ['documents.yaml', 'search.yaml']);
  });

  test('compile removes what it wrote for a service that is gone, and nothing that is not its own', async () => {
    await run([], [first, other]);
    writeFileSync(join(out, 'worker.yaml'), 'groups: []\n');
    assert.equal(await run([], [first]), 0);
    assert.deepEqual(readdirSync(out).sort(), ['documents.yaml', 'worker.yaml']);
  });

  test('compile says what it did, for people and for programs, and faults where they are looked for', async () => {
    const text = await compile([], [first, other]);
    const written = ['documents.yaml', 'search.yaml'].map((name) => `${join(out, name)} written\n`).join('');
    assert.deepEqual(text, { code: 0, stdout: `${written}2 rule file(s), 2 changed\n`, stderr: '' });
    const json = await compile(['--json'], [first, other]);
    const files = ['documents.yaml', 'search.yaml'];
    assert.deepEqual(JSON.parse(json.stdout), { ok: true, faults: [], files, changed: [], stale: [], leftOut: [] });
    const faulty = await compile([], [first], ['objectives.yaml:1:1 no such kind']);
    assert.deepEqual(faulty, { code: 1, stdout: '', stderr: 'objectives.yaml:1:1 no such kind\n' });
  });

  test('compile writes nothing when there is a fault', async () => {
    assert.equal(await run([], [first], ['objectives.yaml:1:1 no such kind']), 1);
    assert(!existsSync(out));
  });

  test('compile --check writes nothing and fails until the files are as they would be', async () => {
    assert.equal(await run(['--check'], [first]), 1);
    assert(!existsSync(out));
    await run([], [{ ...first, description: 'said otherwise' }]);
    assert.equal(await run(['--check'], [first]), 0);
    assert.equal(await run(['--check'], [objective('first', errorsOf('apq'))]), 1);
    assert.equal(await run(['--check'], [{ ...first, service: 'documents', labels: { team: 'a' } }]), 1);
    assert.equal(await run(['--check'], [first, other]), 1);
    assert.equal(await run(['--check'], []), 1);
  });

  test('compile of some files leaves the rules of others, and of none is a fault', async () => {
    await run([], [first, other]);
    const file = join(out, '..', 'first.yaml');
    writeFileSync(file, '');
    assert.equal(await run([file], [first]), 0);
    assert.deepEqual(readdirSync(out).sort(), ['documents.yaml', 'search.yaml']);
    assert.equal(await run([], []), 1);
    assert.deepEqual(readdirSync(out).sort(), ['documents.yaml', 'search.yaml']);
  });

  test('compile puts links into the alerts', async () => {
    await run(['--dashboard-url', 'https://example.org/d?id=', '--runbook-url', 'https://example.org/r'], [first]);
    const text = readFileSync(join(out, 'documents.yaml'), 'utf8');
    assert.match(text, /dashboard_url: "https:\/\/example.org\/d\?id=documents-first"/);
    assert.match(text, /runbook_url: "https:\/\/example.org\/r"/);
  });

  test('a service whose name looks like a path stays in the folder', () => {
    compileInto(
      out,
      [objective('first', errorsOf('app'), { service: '../../etc/x' })],
      {},
      { write: true, removes: true },
    );
    assert.deepEqual(readdirSync(out), ['_etc_x.yaml']);
  });

  test('compile that fails half way leaves the folder as it was', async () => {
    await run([], [first]);
    const before = readFileSync(join(out, 'documents.yaml'), 'utf8');
    function* broken(): Generator<Objective> {
      yield other;
      throw new Error('the disk is full');
    }
    assert.throws(() => compileInto(out, broken(), {}, { write: true, removes: true }), /the disk is full/);
    assert.deepEqual(readdirSync(out), ['documents.yaml']);
    assert.equal(readFileSync(join(out, 'documents.yaml'), 'utf8'), before);
  });
});
