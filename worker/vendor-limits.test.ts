import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { systemRandom, uuidv7 } from '#kernel/random.ts';
import { type Milliseconds, milliseconds, usd } from '#kernel/units.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { embeddingPrice } from './prices.ts';
import { endCall, startCall } from './rows/vendor-calls.ts';
import { admit, configureLimits, OPEN_CALL_LIMIT, observe, type Quota } from './rows/vendor-limits.ts';
import { observedLimits } from './vendors/openai.ts';

const T0 = milliseconds(1_700_000_000_000);
const after = (ms: number): Milliseconds => milliseconds(T0 + ms);
const WIDE: Quota = { requestsPerMinute: 1_000, tokensPerMinute: 1_000_000, concurrency: 100 };

onEveryEngine('the quota of a vendor', (db) => {
  beforeEach(async () => await emptyTables(db()));
  const ask = async (quota: Quota, tokens: number, at: Milliseconds): Promise<string> => {
    const wish = { vendor: 'openai', quota, tokens, now: at };
    const verdict = await db().tx((q) => admit(q, wish, async () => {}));
    return verdict.kind === 'granted' ? 'granted' : `wait ${Math.round(verdict.wait)}: ${verdict.because}`;
  };
  const open = async (at: Milliseconds): Promise<string> => {
    const id = uuidv7(at, systemRandom);
    const call = { documentId: null, tenant: 't', step: 'embed', vendor: 'openai', operation: 'embeddings' };
    await startCall(db(), { ...call, id, at, expectedCost: usd(0) });
    return id;
  };

  test('lets requests through up to the minute’s number, then one by one', async () => {
    const quota = { ...WIDE, requestsPerMinute: 3 };
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await ask(quota, 1, T0));
    assert.deepEqual(answers, ['granted', 'granted', 'granted', 'wait 20000: openai: requests a minute']);
    assert.match(await ask(quota, 1, after(19_999)), /^wait 1:/);
    assert.equal(await ask(quota, 1, after(20_000)), 'granted');
  });

  test('lets tokens through up to the minute’s number, and a refusal takes nothing', async () => {
    const quota = { ...WIDE, tokensPerMinute: 600 };
    assert.equal(await ask(quota, 500, T0), 'granted');
    assert.equal(await ask(quota, 200, T0), 'wait 10000: openai: tokens a minute');
    assert.equal(await ask(quota, 100, T0), 'granted');
  });

  test('counts open calls over all workers, and forgets those of the dead', async () => {
    const quota = { ...WIDE, concurrency: 2 };
    assert.equal(await ask(quota, 1, T0), 'granted');
    const first = await open(T0);
    await open(T0);
    assert.match(await ask(quota, 1, T0), /^wait 250: 2 calls to openai are open/);
    await endCall(db(), first, { at: T0, outcome: 'completed', cost: usd(0) });
    assert.equal(await ask(quota, 1, T0), 'granted');
    await open(T0);
    assert.match(await ask(quota, 1, after(OPEN_CALL_LIMIT - 1)), /^wait/);
    assert.equal(await ask(quota, 1, after(OPEN_CALL_LIMIT)), 'granted');
  });

  test('never grants more than the limit to many that ask at once', async () => {
    const quota = { ...WIDE, requestsPerMinute: 10 };
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(quota, 1, T0)));
    assert.equal(answers.filter((answer) => answer === 'granted').length, 10);
  });

  test('believes the headers: a lower limit, and what is left', async () => {
    await ask(WIDE, 1, T0);
    await observe(db(), 'openai', { requestsPerMinute: 60, remainingRequests: 0 }, T0);
    assert.match(await ask(WIDE, 1, T0), /requests a minute/);
    assert.equal(await ask(WIDE, 1, after(1_000)), 'granted');
  });

  test('leaves the row alone where the headers say nothing new, and for nothing else', async () => {
    await ask(WIDE, 10, T0);
    const version = async () =>
      (await db().query<{ v: string }>('select xmin::text as v from worker.vendor_limits'))[0]?.v ?? '';
    const before = await version();
    const known = { requestsPerMinute: 1_000, tokensPerMinute: 1_000_000 };
    await observe(db(), 'openai', { ...known, remainingRequests: 999, remainingTokens: 999_990 }, T0);
    await observe(db(), 'openai', {}, T0);
    assert.equal(await version(), before);
    let last = before;
    for (const news of [
      { requestsPerMinute: 2_000 },
      { tokensPerMinute: 2_000_000 },
      { remainingRequests: 998 },
      { remainingTokens: 999_989 },
      { blockedFor: milliseconds(5_000) },
      { blockedFor: milliseconds(6_000) },
    ]) {
      await observe(db(), 'openai', news, T0);
      const now = await version();
      assert.notEqual(now, last, JSON.stringify(news));
      last = now;
    }
    await observe(db(), 'openai', { blockedFor: milliseconds(5_500) }, T0);
    assert.equal(await version(), last);
  });

  test('writes no call down that is not granted', async () => {
    const quota = { ...WIDE, requestsPerMinute: 1 };
    let started = 0;
    const start = async () => void started++;
    for (let i = 0; i < 3; i++) await db().tx((q) => admit(q, { vendor: 'openai', quota, tokens: 1, now: T0 }, start));
    assert.equal(started, 1);
  });

  test('a 429 holds everybody until its Retry-After', async () => {
    await ask(WIDE, 1, T0);
    await observe(db(), 'openai', { blockedFor: milliseconds(5_000) }, T0);
    assert.equal(await ask(WIDE, 1, after(1_000)), 'wait 4000: openai asked to wait');
    assert.equal(await ask(WIDE, 1, after(5_000)), 'granted');
  });

  test('a changed configuration takes effect with the next start', async () => {
    await ask({ ...WIDE, requestsPerMinute: 1 }, 1, T0);
    await configureLimits(db(), 'openai', { ...WIDE, requestsPerMinute: 60_000 }, T0);
    assert.equal(await ask(WIDE, 1, after(10)), 'granted');
  });
});

test('observedLimits() reads OpenAI’s headers and takes nonsense for nothing', () => {
  const headers = new Headers({
    'x-ratelimit-limit-requests': '500',
    'x-ratelimit-limit-tokens': '0',
    'x-ratelimit-remaining-requests': 'many',
    'x-ratelimit-remaining-tokens': '0',
  });
  assert.deepEqual(observedLimits(headers), {
    requestsPerMinute: 500,
    tokensPerMinute: undefined,
    remainingRequests: undefined,
    remainingTokens: 0,
  });
});

test('embeddingPrice() knows the price table, takes an override, and refuses to guess', () => {
  assert.equal(embeddingPrice('text-embedding-3-small', undefined)(1_000_000), 0.02);
  assert.equal(embeddingPrice('my-own', 0)(1_000_000), 0);
  assert.throws(() => embeddingPrice('my-own', undefined), /set EMBEDDING_USD_PER_MILLION_TOKENS/);
});
