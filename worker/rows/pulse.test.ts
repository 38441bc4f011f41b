import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { seededRandom, uuidv7 } from '#kernel/random.ts';
import { type Milliseconds, milliseconds, type Usd } from '#kernel/units.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { accept } from '#worker/accept.ts';
import type { Status } from '#worker/document.ts';
import { moveDocument } from './documents.ts';
import { countFinished, vendorPulses } from './pulse.ts';
import { endCall, startCall } from './vendor-calls.ts';

const T0 = milliseconds(1_790_000_000_000);
const at = (seconds: number): Milliseconds => milliseconds(T0 + seconds * 1_000);
const random = seededRandom(7);

onEveryEngine('the pulse', (db) => {
  beforeEach(async () => await emptyTables(db()));

  async function finished(status: Status, ended: number, more: { tenant?: string; canary?: boolean } = {}) {
    const id = uuidv7(T0, random);
    const { tenant = 'default', canary = false } = more;
    await accept(
      db(),
      {
        ...{ id, tenant, canary, filename: 'a.txt', contentType: 'text/plain', bytes: 1, sha256: 'a'.repeat(64) },
        ...{ correlationId: 'c', noCache: false, traceparent: undefined, idempotencyKey: null },
        ...{ metadata: {}, webhookUrl: null, pieces: [{ ordinal: 0, bytes: Buffer.from('x') }] },
      },
      T0,
    );
    await moveDocument(db(), id, {
      from: 'queued',
      to: status,
      attempts: 1,
      at: at(ended),
      error: null,
      finished: true,
    });
  }

  async function called(
    vendor: string,
    began: number,
    seconds: number,
    outcome: 'completed' | 'failed',
    tenant = 'default',
  ) {
    const id = uuidv7(at(began), random);
    const call = { documentId: null, tenant, step: 'parse', vendor, operation: 'upload' };
    await startCall(db(), { ...call, id, at: at(began), expectedCost: 0 as Usd });
    await endCall(db(), id, { at: at(began + seconds), outcome, cost: 0.5 as Usd });
  }

  test('counts what ended since then, of one tenant, canaries not', async () => {
    await finished('completed', 9);
    await finished('completed', 10);
    await finished('failed', 30);
    await finished('rejected', 30, { tenant: 'other' });
    await finished('completed', 30, { canary: true });
    const counts = Object.fromEntries(
      (await countFinished(db(), 'default', at(10))).map(({ outcome, count }) => [outcome, count]),
    );
    assert.deepEqual(counts, { completed: 1, failed: 1 });
  });

  test('sums up the calls that began since then, vendor by vendor', async () => {
    await called('openai', 9.999, 1, 'failed');
    await called('openai', 10, 2, 'completed');
    await called('openai', 11, 4, 'failed');
    await called('llamaparse', 12, 1, 'completed');
    await called('llamaparse', 12, 1, 'completed', 'other');
    assert.deepEqual(await vendorPulses(db(), 'default', at(10)), [
      { vendor: 'llamaparse', calls: 1, failed: 0, costUsd: 0.5, p95: 1_000 },
      { vendor: 'openai', calls: 2, failed: 1, costUsd: 1, p95: 3_900 },
    ]);
  });
});
