/**
 * Damaged documents in damaged forms, by the hundred, at the real upload endpoint of a service that parses them itself:
 * never a 5xx, a hang or a crash, and every document that was taken comes to an end. FUZZ_UPLOADS and FUZZ_SEED make it
 * longer or another one: `FUZZ_UPLOADS=20000 FUZZ_SEED=7 node --test test/acceptance/upload-fuzz.test.ts`.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '#kernel/random.ts';
import { call } from '#test/kit/client.ts';
import { frame } from '#test/kit/framing.ts';
import { NO_PROC, residentMemory } from '#test/kit/memory.ts';
import { exchange, type Part, uploadHead } from '#test/kit/raw.ts';
import { type Service, startService } from '#test/kit/service.ts';
import { mutate } from '#worker/parsers/mutate.ts';

const COUNT = Number(process.env['FUZZ_UPLOADS'] ?? 500);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const CORPUS = existsSync('../shared/corpus') ? '../shared/corpus' : 'samples/documents';
/** Larger ones cost time and find nothing more here: what is in them is the parsers' own test. */
const FILE_MOST = 120_000;
const AT_ONCE = 8;
const ANSWER_WITHIN = 20_000;
const MEMORY_MORE_MIB = 500;
const FAULTS = new Set([400, 408, 413, 415, 431]);

type Source = { readonly name: string; readonly bytes: Buffer };
const sources: readonly Source[] = globSync(`${CORPUS}/{good,bad}/*`)
  .sort()
  .map((path) => ({ name: basename(path), bytes: readFileSync(path) }))
  .filter(({ bytes }) => bytes.length <= FILE_MOST);

/** The n-th upload of a seed, the same however many run beside it. */
function makeUpload(n: number): { readonly script: readonly [string, Buffer]; readonly what: string } {
  const random: Random = seededRandom(SEED * 1_000_003 + n);
  const pick = (): Source => sources[Math.floor(random.next() * sources.length)] as Source;
  const source = pick();
  const { bytes, changes } =
    random.next() < 0.1 ? { bytes: source.bytes, changes: [] } : mutate(source.bytes, pick().bytes, random);
  const parts: Part[] = [{ name: 'file', filename: source.name, bytes }];
  const { type, body, how } = frame(parts, random);
  const head = uploadHead(body.length, { 'content-type': type, connection: 'close' });
  return { script: [head, body], what: `upload ${n}: ${source.name}, ${changes.join(' ')}, ${how}` };
}

async function upload(service: Service, n: number): Promise<number> {
  const { script, what } = makeUpload(n);
  const answer = await exchange(service.api, script, ANSWER_WITHIN).catch((error: unknown) => {
    throw new Error(`${what}: ${String(error).slice(0, 200)}`);
  });
  assert(answer, `${what}: the connection ended without an answer`);
  const right = answer.status === 202 || FAULTS.has(answer.status);
  assert(right, `${what}: ${answer.status} ${answer.body}\n${errorLines(service).at(-1)}`);
  if (answer.status !== 202) assert.match(answer.headers['content-type'] ?? '', /problem\+json/, what);
  return answer.status;
}

const errorLines = (service: Service): string[] =>
  service.running
    .output()
    .split('\n')
    .filter((line) => line.includes('"level":"error"'));

async function unfinished(service: Service): Promise<number> {
  const { body } = await call<string>(`${service.metrics}/metrics`);
  return [...body.matchAll(/^documents_unfinished\{.*\} (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

test(`${COUNT} damaged uploads, seed ${SEED}: an answer to each, and an end for each that was taken`, {
  timeout: 60_000 + COUNT * 400,
}, async (t) => {
  const env = { PARSER: 'local', RATE_PER_SECOND: '100000', RATE_BURST: '100000', DATABASE_FSYNC: 'off', CACHE: 'off' };
  await using service = await startService({ env });
  const pid = service.running.process.pid ?? 0;
  const before = NO_PROC ? 0 : residentMemory(pid);
  const statuses = new Map<number, number>();
  let next = 0;
  const worker = async () => {
    while (next < COUNT) {
      const status = await upload(service, next++);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  t.diagnostic(`seed ${SEED}: ${[...statuses].map(([status, count]) => `${count} × ${status}`).join(', ')}`);
  const uploaded = performance.now() - begun;
  assert((statuses.get(202) ?? 0) >= COUNT / 2, 'at least half of them were taken');
  assert((statuses.get(400) ?? 0) >= COUNT / 20, 'some of them were no uploads');
  while ((await unfinished(service)) > 0) {
    assert(performance.now() - begun < 40_000 + COUNT * 200, 'every document comes to an end');
    await sleep(200);
  }
  t.diagnostic(`uploaded in ${Math.round(uploaded)} ms, done in ${Math.round(performance.now() - begun)} ms`);
  assert.equal((await call(`${service.api}/readyz`)).status, 200);
  if (!NO_PROC) {
    const grown = residentMemory(pid) - before;
    t.diagnostic(`memory ${Math.round(before)} + ${Math.round(grown)} MiB`);
    assert(grown < MEMORY_MORE_MIB, `the service grew by ${Math.round(grown)} MiB`);
  }
  assert.deepEqual(errorLines(service), []);
  const [left] = await service.look((db) =>
    db.query(`select (select count(*) from worker.jobs where queue <> 'webhook') as jobs,
      (select count(*) from worker.contents c where not exists
        (select 1 from worker.documents d where d.id = c.document_id)) as pieces,
      (select count(*) from worker.documents where status in ('completed', 'rejected', 'failed')) as ended`),
  );
  assert.deepEqual(left, { jobs: 0, pieces: 0, ended: statuses.get(202) });
});
