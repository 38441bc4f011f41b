/** OpenAI by its own client, over a real socket. */
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import { fakeClock } from '#kernel/clock.ts';
import { simulatorsFor } from '#simulators/harness.ts';

const MODEL = 'text-embedding-3-small';
const clientOf = (url: string, apiKey = 'sk-test') =>
  new OpenAI({ apiKey, baseURL: `${url}/openai/v1`, maxRetries: 0, timeout: 5000 });
const setFaults = async (url: string, plan: object) => {
  const answer = await fetch(`${url}/faults/openai`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(plan),
  });
  assert.equal(answer.status, 200);
};
/** What its error says, as the vendor's code and sentence. */
const refusal = async (call: Promise<unknown>) => {
  try {
    await call;
  } catch (error) {
    const { status, code, message, headers } = error as InstanceType<typeof OpenAI.APIError>;
    return { status, code, message, retryAfter: headers?.get('retry-after') ?? undefined };
  }
  return assert.fail('it was not refused');
};

test('OpenAI embeds by its own client, in base64 as in floats', async (t) => {
  const client = clientOf((await simulatorsFor(t)).url);
  const input = ['The budget is spent.', 'Der Vorrat ist verbraucht.'];
  const packed = await client.embeddings.create({ model: MODEL, input });
  const plain = await client.embeddings.create({ model: MODEL, input, encoding_format: 'float' });
  assert.deepEqual(packed, plain);
  assert.deepEqual(
    packed.data.map(({ index, embedding }) => [index, embedding.length]),
    [
      [0, 1536],
      [1, 1536],
    ],
  );
  assert.deepEqual(packed.usage, { prompt_tokens: 14, total_tokens: 14 });
  const again = await client.embeddings.create({ model: MODEL, input: input[1] ?? '' });
  assert.deepEqual(again.data[0]?.embedding, packed.data[1]?.embedding);
});

test('OpenAI shortens to the dimensions asked for, as unit vectors', async (t) => {
  const client = clientOf((await simulatorsFor(t)).url);
  const { data } = await client.embeddings.create({ model: 'text-embedding-3-large', input: 'x y z', dimensions: 256 });
  const square = data[0]?.embedding.reduce((sum, value) => sum + value * value, 0) ?? 0;
  assert.equal(data[0]?.embedding.length, 256);
  assert(Math.abs(square - 1) < 1e-5);
});

test('OpenAI gives each model its own size, also for a text that it has seen', async (t) => {
  const client = clientOf((await simulatorsFor(t)).url);
  for (const [model, size] of [
    ['text-embedding-3-small', 1536],
    ['text-embedding-3-large', 3072],
  ] as const) {
    const { data } = await client.embeddings.create({ model, input: 'x y z' });
    assert.equal(data[0]?.embedding.length, size);
  }
});

test('OpenAI takes token arrays', async (t) => {
  const client = clientOf((await simulatorsFor(t)).url);
  const [words, tokens] = await Promise.all([
    client.embeddings.create({ model: MODEL, input: 'hello world' }),
    client.embeddings.create({ model: MODEL, input: [15339, 1917] }),
  ]);
  assert.deepEqual(tokens.data, words.data);
});

test('OpenAI tells its limits and the request’s id', async (t) => {
  const client = clientOf((await simulatorsFor(t)).url);
  const { response, request_id } = await client.embeddings
    .create({ model: MODEL, input: 'hello world' })
    .withResponse();
  assert.match(request_id ?? '', /^req_[0-9a-f]{32}$/);
  assert.equal(response.headers.get('x-ratelimit-limit-tokens'), '1000000000');
  assert.equal(response.headers.get('x-ratelimit-remaining-tokens'), '999999998');
});

test('OpenAI lists its models', async (t) => {
  const client = clientOf((await simulatorsFor(t)).url);
  const { data } = await client.models.list();
  assert(data.some(({ id }) => id === MODEL));
  assert.equal((await client.models.retrieve(MODEL)).owned_by, 'system');
});

const word = 'budget ';
const refusals: readonly [title: string, body: object, status: number, code: string | null, says: RegExp][] = [
  ['an unknown model', { model: 'gpt-oracle', input: 'x' }, 404, 'model_not_found', /does not exist/],
  ['an empty string', { input: '' }, 400, 'invalid_value', /empty string/],
  ['no input at all', { input: [] }, 400, 'invalid_value', /empty/],
  ['a number as input', { input: 7 }, 400, 'invalid_type', /input/],
  ['a token that is none', { input: [99_999_999] }, 400, null, /invalid token/],
  ['2,049 inputs', { input: Array(2049).fill('x') }, 400, 'array_above_max_length', /maximum length 2048/],
  [
    '8,193 tokens in one input',
    { input: word.repeat(8193).trim() },
    400,
    null,
    /maximum context length is 8192 tokens, however you requested 8193/,
  ],
  [
    '300,001 tokens in one request',
    { input: [...Array(36).fill(word.repeat(8192).trim()), word.repeat(5089).trim()] },
    400,
    'max_tokens_per_request',
    /Requested 300001 tokens, max 300000/,
  ],
  [
    'dimensions of a model without',
    { model: 'text-embedding-ada-002', input: 'x', dimensions: 5 },
    400,
    null,
    /does not support/,
  ],
  ['too many dimensions', { input: 'x', dimensions: 1537 }, 400, null, /less than or equal to 1536/],
];
test('OpenAI refuses what the vendor refuses', async (t) => {
  const client = clientOf((await simulatorsFor(t)).url);
  for (const [title, body, status, code, says] of refusals) {
    const got = await refusal(client.embeddings.create({ model: MODEL, ...body } as never));
    assert.deepEqual([got.status, got.code], [status, code], title);
    assert.match(got.message, says, title);
  }
  const least = await client.embeddings.create({
    model: MODEL,
    input: [...Array(36).fill(word.repeat(8192).trim()), word.repeat(5088).trim()],
  });
  assert.equal(least.usage.total_tokens, 300_000);
  assert.equal((await client.embeddings.create({ model: MODEL, input: Array(2048).fill('x') })).data.length, 2048);
});

test('OpenAI refuses whoever shows no key', async (t) => {
  const { url } = await simulatorsFor(t);
  const answer = await fetch(`${url}/openai/v1/models`);
  const { error } = (await answer.json()) as { error: { type: string } };
  assert.deepEqual([answer.status, error.type], [401, 'invalid_request_error']);
});

test('OpenAI limits requests and tokens a minute, and says when to come back', async (t) => {
  const clock = fakeClock(1_000_000);
  const { url } = await simulatorsFor(t, { clock });
  const client = clientOf(url);
  const embed = (input: string) => client.embeddings.create({ model: MODEL, input });
  await setFaults(url, { requestsPerMinute: 2, tokensPerMinute: 100 });
  await embed('one');
  await embed('two');
  const byRequests = await refusal(embed('three'));
  assert.deepEqual([byRequests.status, byRequests.code, byRequests.retryAfter], [429, 'rate_limit_exceeded', '30']);
  await clock.advance(30_000);
  await embed('four');
  await setFaults(url, { tokensPerMinute: 100 });
  await embed(word.repeat(100).trim());
  const byTokens = await refusal(embed('five six seven eight nine'));
  assert.deepEqual([byTokens.code, byTokens.retryAfter], ['rate_limit_exceeded', '3']);
});

test('OpenAI tells a spent quota from a rate limit', async (t) => {
  const { url } = await simulatorsFor(t);
  await setFaults(url, { quotaExhausted: true });
  const got = await refusal(clientOf(url).embeddings.create({ model: MODEL, input: 'x' }));
  assert.deepEqual([got.status, got.code, got.retryAfter], [429, 'insufficient_quota', undefined]);
});

const faults: readonly [title: string, plan: object, check: (got: unknown) => void][] = [
  ['500', { status: 500 }, (got) => assert.equal((got as { status: number }).status, 500)],
  [
    '429 with a wish',
    { retryAfterSeconds: 7 },
    (got) => assert.deepEqual(pick(got), [429, 'rate_limit_exceeded', '7']),
  ],
  ['a dropped answer', { dropAfterAccept: true }, (got) => assert(got instanceof OpenAI.APIConnectionError)],
  ['a page of HTML', { garble: 'html' }, (got) => assert.match(String(got), /Hotel Wi-Fi/)],
  ['half a JSON', { garble: 'truncated' }, (got) => assert(got instanceof SyntaxError)],
  [
    'vectors of one number',
    { garble: 'shape' },
    (got) => assert.deepEqual((got as OpenAI.CreateEmbeddingResponse).data[0]?.embedding, [1]),
  ],
];
const pick = (got: unknown) => {
  const { status, code, headers } = got as InstanceType<typeof OpenAI.APIError>;
  return [status, code, headers?.get('retry-after')];
};
for (const [title, plan, check] of faults) {
  test(`OpenAI misbehaves as told: ${title}`, async (t) => {
    const { url } = await simulatorsFor(t);
    const client = clientOf(url);
    await setFaults(url, { ...plan, times: 1 });
    const call = () => client.embeddings.create({ model: MODEL, input: 'x' });
    check(await call().catch((error: unknown) => error));
    assert.equal((await call()).data.length, 1);
  });
}
