/** OpenAI's embeddings endpoint: its wire, its limits and its errors around lexical vectors (see embedding.ts). */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { decode } from 'gpt-tokenizer/encoding/cl100k_base';
import { z } from 'zod';
import { uuidv7 } from '#kernel/random.ts';
import { mebibytes } from '#kernel/units.ts';
import { shorten } from '#simulators/embedding.ts';
import { answerTime, embedTime } from '#simulators/latency.ts';
import {
  type Budget,
  DEFAULT_LIMITS,
  freshBudget,
  isModel,
  limitHeaders,
  MODELS,
  MOST_INPUTS,
  MOST_TOKENS_PER_INPUT,
  MOST_TOKENS_PER_REQUEST,
  type Model,
  type PerMinute,
  spend,
} from '#simulators/openai-limits.ts';
import { pause, type Stage } from '#simulators/stage.ts';
import { type Embedded, makeEmbeddingMemory } from './embedding-memory.ts';
import { type Answer, bearer, give, json, type Manners, misbehave } from './misbehave.ts';

/** 300,000 tokens are 1.5 MB of English and less than 8 MB of anything. */
const BODY_LIMIT = mebibytes(8);
const WELL_KNOWN_BIRTH = 1_705_948_997;

const requestSchema = z.object({
  input: z.union([z.string(), z.array(z.string()), z.array(z.int()), z.array(z.array(z.int()))]),
  model: z.string(),
  dimensions: z.int().min(1).optional(),
  encoding_format: z.enum(['float', 'base64']).optional(),
  user: z.string().optional(),
});
type EmbeddingRequest = z.infer<typeof requestSchema>;
type Ask = {
  readonly model: Model;
  readonly inputs: readonly string[];
  readonly dimensions: number;
  readonly asBase64: boolean;
};

const refuse = (
  status: number,
  message: string,
  code: string | null,
  more: { type?: string; param?: string; headers?: Record<string, string> } = {},
): Answer =>
  json(
    status,
    { error: { message, type: more.type ?? 'invalid_request_error', param: more.param ?? null, code } },
    more.headers,
  );

const OUT_OF_QUOTA = refuse(
  429,
  'You exceeded your current quota, please check your plan and billing details.',
  'insufficient_quota',
  { type: 'insufficient_quota' },
);

const MANNERS: Manners = {
  vendor: 'openai',
  refusal: (status) => {
    if (status === 429)
      return refuse(429, 'Rate limit reached for requests.', 'rate_limit_exceeded', { type: 'requests' });
    if (status === 401) return refuse(401, 'Incorrect API key provided.', 'invalid_api_key');
    if (status < 500) return refuse(status, 'The request could not be processed.', null);
    return refuse(status, 'The server had an error while processing your request.', null, { type: 'server_error' });
  },
  wrongShape: json(200, { object: 'list', data: [{ object: 'embedding', index: 0, embedding: 'AACAPw==' }] }),
};

export async function openaiRoutes(scope: FastifyInstance, stage: Stage): Promise<void> {
  scope.addHook('onRequest', async (_request, reply) => {
    const id = `req_${uuidv7(stage.clock.now(), stage.random).replaceAll('-', '')}`;
    reply.headers({ 'x-request-id': id, 'openai-version': '2020-10-01', 'openai-organization': 'simulated' });
  });
  misbehave(scope, stage, MANNERS);
  const memory = makeEmbeddingMemory();
  const budgetFor = makeBudgets(stage);
  scope.addHook('onRequest', async (request, reply) => {
    if (bearer(request) === undefined) return give(reply, refuse(401, "You didn't provide an API key.", null));
  });
  scope.setErrorHandler(async (error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) return give(reply, MANNERS.refusal(status, undefined));
    return give(reply, refuse(status, `We could not parse the body of your request: ${error.message}`, null));
  });
  scope.setNotFoundHandler(async (request, reply) =>
    give(reply, refuse(404, `Invalid URL (${request.method} ${request.url})`, 'unknown_url')),
  );
  scope.get('/models', { config: { operation: 'models' } }, async (_request, reply) => {
    await pause(stage, answerTime(stage.latency, 'models', stage.weather));
    const data = Object.keys(MODELS).map((id) => modelOf(id));
    return give(reply, json(200, { object: 'list', data }));
  });
  scope.get<{ Params: { id: string } }>('/models/:id', { config: { operation: 'models' } }, async (request, reply) => {
    const { id } = request.params;
    return give(reply, isModel(id) ? json(200, modelOf(id)) : noSuchModel(id));
  });
  scope.post('/embeddings', { bodyLimit: BODY_LIMIT, config: { operation: 'embed' } }, async (request, reply) => {
    const read = readAsk(request);
    if (read.kind === 'refused') return give(reply, read.answer);
    const { ask } = read;
    const found = ask.inputs.map((input) => memory.recall(input, MODELS[ask.model].dimensions));
    const tooLong = overTokenLimits(found);
    if (tooLong) return give(reply, tooLong);
    const tokens = found.reduce((sum, { tokens: own }) => sum + own, 0);
    const refused = budgetFor(ask.model, tokens);
    if (refused.kind === 'refused') return give(reply, refused.answer);
    reply.headers(refused.headers);
    await pause(stage, embedTime(stage.latency, tokens, stage.weather));
    for (const one of found) stage.stats.countEmbedding(one.hash, one.tokens);
    return give(reply, embeddingAnswer(ask, found, tokens));
  });
}

type Read = { readonly kind: 'ask'; readonly ask: Ask } | { readonly kind: 'refused'; readonly answer: Answer };

function readAsk(request: FastifyRequest): Read {
  const parsed = requestSchema.safeParse(request.body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = String(issue?.path[0] ?? 'body');
    return {
      kind: 'refused',
      answer: refuse(400, `Invalid '${field}': ${issue?.message}.`, 'invalid_type', { param: field }),
    };
  }
  const body = parsed.data;
  const inputs = textsOf(body.input);
  if (!inputs)
    return { kind: 'refused', answer: refuse(400, "Invalid 'input': invalid token.", null, { param: 'input' }) };
  const answer = refusalOf(body, inputs);
  if (answer) return { kind: 'refused', answer };
  const model = body.model as Model;
  const dimensions = body.dimensions ?? MODELS[model].dimensions;
  return { kind: 'ask', ask: { model, inputs, dimensions, asBase64: body.encoding_format === 'base64' } };
}

function refusalOf(body: EmbeddingRequest, inputs: readonly string[]): Answer | undefined {
  const { model, dimensions } = body;
  if (!isModel(model)) return noSuchModel(model);
  if (inputs.length > MOST_INPUTS) {
    const got = `but got an array with length ${inputs.length} instead.`;
    const message = `Invalid 'input': array too long. Expected an array with maximum length ${MOST_INPUTS}, ${got}`;
    return refuse(400, message, 'array_above_max_length', { param: 'input' });
  }
  if (inputs.length === 0 || inputs.some((input) => input === '')) {
    return refuse(400, "Invalid 'input': input cannot be an empty string.", 'invalid_value', { param: 'input' });
  }
  const { dimensions: most, shortens } = MODELS[model];
  if (dimensions !== undefined && !shortens) {
    return refuse(400, 'This model does not support specifying dimensions.', null, { param: 'dimensions' });
  }
  if (dimensions !== undefined && dimensions > most) {
    return refuse(400, `Invalid value for 'dimensions' = ${dimensions}. Must be less than or equal to ${most}.`, null);
  }
  return undefined;
}

/** Token arrays are taken too, as the vendor takes them. Undefined when a token is none of the encoding's. */
function textsOf(input: EmbeddingRequest['input']): string[] | undefined {
  try {
    return decodedTexts(input);
  } catch {
    return undefined;
  }
}

function decodedTexts(input: EmbeddingRequest['input']): string[] {
  if (typeof input === 'string') return [input];
  if (input.length > 0 && typeof input[0] === 'number') return [decode(input as number[])];
  return (input as (string | number[])[]).map((one) => (typeof one === 'string' ? one : decode(one)));
}

function overTokenLimits(found: readonly Embedded[]): Answer | undefined {
  const longest = Math.max(...found.map(({ tokens }) => tokens));
  if (longest > MOST_TOKENS_PER_INPUT) {
    const asked = `however you requested ${longest} tokens (${longest} in your prompt; 0 for the completion)`;
    const message = `This model's maximum context length is ${MOST_TOKENS_PER_INPUT} tokens, ${asked}.`;
    return refuse(400, `${message} Please reduce your prompt; or completion length.`, null);
  }
  const all = found.reduce((sum, { tokens }) => sum + tokens, 0);
  if (all <= MOST_TOKENS_PER_REQUEST) return undefined;
  const code = 'max_tokens_per_request';
  return refuse(400, `Requested ${all} tokens, max ${MOST_TOKENS_PER_REQUEST} tokens per request`, code, {
    type: code,
  });
}

type Grant =
  | { readonly kind: 'granted'; readonly headers: Record<string, string> }
  | { readonly kind: 'refused'; readonly answer: Answer };

/** One budget per model, as the vendor has them; a changed plan starts with full ones. */
function makeBudgets(stage: Stage): (model: Model, tokens: number) => Grant {
  const budgets = new Map<Model, Budget>();
  let inForce: PerMinute = DEFAULT_LIMITS[stage.latency];
  return (model, tokens) => {
    const plan = stage.faults.plan('openai');
    if (plan?.quotaExhausted) return { kind: 'refused', answer: OUT_OF_QUOTA };
    const usual = DEFAULT_LIMITS[stage.latency];
    const limits = {
      requests: plan?.requestsPerMinute ?? usual.requests,
      tokens: plan?.tokensPerMinute ?? usual.tokens,
    };
    if (limits.requests !== inForce.requests || limits.tokens !== inForce.tokens) budgets.clear();
    inForce = limits;
    const now = stage.clock.now();
    const spent = spend(budgets.get(model) ?? freshBudget(limits, now), tokens, now);
    budgets.set(model, spent.budget);
    const headers = limitHeaders(spent.budget, now);
    if (spent.kind === 'granted') return { kind: 'granted', headers };
    const seconds = Math.ceil(spent.wait) / 1000;
    const message = `Rate limit reached for ${model} on ${spent.by} per min. Please try again in ${seconds}s.`;
    const more = { 'retry-after': String(Math.ceil(seconds)), 'retry-after-ms': String(Math.ceil(spent.wait)) };
    const type = spent.by;
    return {
      kind: 'refused',
      answer: refuse(429, message, 'rate_limit_exceeded', { type, headers: { ...headers, ...more } }),
    };
  };
}

function embeddingAnswer(ask: Ask, found: readonly Embedded[], tokens: number): Answer {
  const data = found.map((one, index) => {
    const vector = shorten(one.vector(), ask.dimensions);
    const embedding = ask.asBase64 ? bytesOf(vector).toString('base64') : Array.from(vector);
    return { object: 'embedding', index, embedding };
  });
  return json(200, {
    object: 'list',
    data,
    model: ask.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** Little-endian float32, as every machine this runs on lays them out. */
const bytesOf = (vector: Float32Array): Buffer => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
const modelOf = (id: string) => ({ id, object: 'model', created: WELL_KNOWN_BIRTH, owned_by: 'system' });
const noSuchModel = (id: string): Answer =>
  refuse(404, `The model \`${id}\` does not exist or you do not have access to it.`, 'model_not_found', {
    param: 'model',
  });
