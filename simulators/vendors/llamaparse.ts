/** LlamaParse v2 (`/api/v2/parse`): uploads become jobs, jobs become Markdown by the local parsers. */
import { createHash } from 'node:crypto';
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { uuidv7 } from '#kernel/random.ts';
import { mebibytes } from '#kernel/units.ts';
import { answerTime } from '#simulators/latency.ts';
import { isOver, isStatus, type Job, type Tier } from '#simulators/llamaparse-job.ts';
import {
  type Configuration,
  configurationSchema,
  expansions,
  jobView,
  resultView,
  unprocessable,
  VERSIONS,
  webhooksOf,
} from '#simulators/llamaparse-wire.ts';
import { pause, type Stage } from '#simulators/stage.ts';
import { makeRunner, type Parser } from './llamaparse-run.ts';
import { type JobStore, openJobStore } from './llamaparse-store.ts';
import { makeNotify } from './llamaparse-webhooks.ts';
import { type Answer, bearer, give, json, type Manners, misbehave } from './misbehave.ts';

export const UPLOAD_LIMIT = mebibytes(60);
const CONFIGURATION_LIMIT = mebibytes(1);
/** Jobs that wait for the parser; beyond it an upload is told to come back. */
const MOST_OPEN = 5_000;
const LARGEST_PAGE = 100;
const USUAL_PAGE = 20;
const PROJECT = '00000000-0000-7000-8000-000000000001';

const detail = (status: number, words: string, headers?: Record<string, string>): Answer =>
  json(status, { detail: words }, headers);

const MANNERS: Manners = {
  vendor: 'llamaparse',
  refusal: (status) => {
    if (status === 401) return detail(401, 'Invalid API Key');
    if (status === 402) return detail(402, "You've exceeded the maximum number of credits for your plan.");
    if (status === 429) return detail(429, 'Too Many Requests');
    if (status < 500) return detail(status, 'The request could not be processed.');
    return detail(status, 'Oops! Something went wrong on our end. Please try again in a few minutes.');
  },
  wrongShape: json(200, { ok: true, result: { state: 'fine' } }),
};
const notFound = (id: string) => detail(404, `Parse job ${id} not found`);

type WithId = { Params: { id: string } };

/** @returns what stops the jobs; call it after `stage.closing` aborted. */
export async function llamaparseRoutes(
  scope: FastifyInstance,
  stage: Stage,
  folder: string,
  parser: Parser,
): Promise<() => Promise<void>> {
  const store = await openJobStore(folder, stage.log);
  const notify = makeNotify(stage);
  const runner = makeRunner(store, parser, notify, stage);
  for (const job of store.list().reverse()) if (!isOver(job.status)) runner.start(job);

  misbehave(scope, stage, MANNERS);
  await scope.register(multipart, {
    limits: { fileSize: UPLOAD_LIMIT, files: 1, fields: 10, parts: 11, fieldSize: CONFIGURATION_LIMIT },
  });
  scope.addHook('onRequest', async (request, reply) => {
    if (bearer(request) === undefined) return give(reply, MANNERS.refusal(401, undefined));
  });
  scope.setErrorHandler(async (error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) stage.log.error({ reason: error.message }, 'The LlamaParse simulator failed');
    return give(reply, status >= 500 ? MANNERS.refusal(status, undefined) : detail(status, error.message));
  });
  scope.setNotFoundHandler(async (_request, reply) => give(reply, detail(404, 'Not Found')));

  scope.post('/upload', { config: { operation: 'upload' } }, async (request, reply) => {
    const left = stage.faults.creditsLeft();
    if (left !== undefined && left <= 0) return give(reply, MANNERS.refusal(402, undefined));
    if (runner.open() >= MOST_OPEN)
      return give(reply, { ...MANNERS.refusal(429, undefined), headers: { 'retry-after': '5' } });
    const upload = await readUpload(request);
    if (upload.kind === 'refused') return give(reply, upload.answer);
    await pause(stage, answerTime(stage.latency, 'upload', stage.weather));
    const job = newJob(upload, stage);
    await store.create(job, upload.bytes);
    stage.stats.countUpload(job.sha256);
    notify(job);
    runner.start(job);
    return give(reply, json(200, jobView(job)));
  });
  readingRoutes(scope, stage, store);
  scope.post<WithId>('/:id/cancel', { config: { operation: 'cancel' } }, async (request, reply) => {
    const job = store.get(request.params.id);
    if (!job) return give(reply, notFound(request.params.id));
    if (isOver(job.status)) return give(reply, detail(409, `Cannot cancel a job that is ${job.status}`));
    return give(reply, json(200, jobView(await runner.cancel(job))));
  });
  scope.delete<WithId>('/:id', { config: { operation: 'delete' } }, async (request, reply) => {
    const job = store.get(request.params.id);
    if (!job) return give(reply, notFound(request.params.id));
    if (!isOver(job.status))
      return give(reply, detail(409, `Cannot delete a job that is ${job.status}: cancel it first`));
    await store.delete(job.id);
    return give(reply, json(200, { id: job.id, project_id: job.projectId }));
  });
  return runner.settle;
}

function readingRoutes(scope: FastifyInstance, stage: Stage, store: JobStore): void {
  scope.post('', { config: { operation: 'parse' } }, async (_request, reply) =>
    give(reply, detail(422, 'The simulator parses uploads only: file_id and source_url are not simulated')),
  );
  scope.get('/versions', { config: { operation: 'versions' } }, async (_request, reply) =>
    give(reply, json(200, VERSIONS)),
  );
  scope.get<WithId>('/:id', { config: { operation: 'status' } }, async (request, reply) => {
    await pause(stage, answerTime(stage.latency, 'status', stage.weather));
    const job = store.get(request.params.id);
    if (!job) return give(reply, notFound(request.params.id));
    const expand = expansions(request.query);
    const pages = job.status === 'COMPLETED' && expand.size > 0 ? await store.pages(job.id) : [];
    return give(reply, json(200, resultView(job, pages, expand)));
  });
  scope.get('', { config: { operation: 'list' } }, async (request, reply) => {
    const query = request.query as {
      status?: string;
      page_size?: string;
      page_token?: string;
      job_ids?: string | string[];
    };
    if (query.status !== undefined && !isStatus(query.status))
      return give(reply, detail(422, `Unknown status ${query.status}`));
    const size = Math.min(LARGEST_PAGE, Math.max(1, Number(query.page_size ?? USUAL_PAGE) || USUAL_PAGE));
    const from = Math.max(0, Number(query.page_token ?? 0) || 0);
    const ids = new Set([query.job_ids ?? []].flat());
    const all = store
      .list()
      .filter(
        (job) => (query.status === undefined || job.status === query.status) && (ids.size === 0 || ids.has(job.id)),
      );
    const items = all.slice(from, from + size).map((job) => jobView(job));
    const next = from + size < all.length ? String(from + size) : null;
    return give(reply, json(200, { items, next_page_token: next, total_size: all.length }));
  });
}

type Upload =
  | {
      readonly kind: 'upload';
      readonly bytes: Uint8Array;
      readonly name: string;
      readonly configuration: Configuration;
    }
  | { readonly kind: 'refused'; readonly answer: Answer };

async function readUpload(request: FastifyRequest): Promise<Upload> {
  if (!request.isMultipart()) return { kind: 'refused', answer: detail(422, 'Expected multipart/form-data') };
  const form = await readForm(request);
  if (!form) return { kind: 'refused', answer: detail(400, 'There was an error parsing the body') };
  const { file, words } = form;
  if (!file) return { kind: 'refused', answer: missing('file') };
  if (typeof words !== 'string') return { kind: 'refused', answer: missing('configuration') };
  const parsed = configurationSchema.safeParse(jsonOf(words));
  if (!parsed.success)
    return { kind: 'refused', answer: json(422, unprocessable(parsed.error, ['body', 'configuration'])) };
  if (file.bytes.length === 0) return { kind: 'refused', answer: detail(400, 'The file is empty') };
  return { kind: 'upload', ...file, configuration: parsed.data };
}

type Form = { readonly file: { bytes: Uint8Array; name: string } | undefined; readonly words: unknown };

/** Undefined for a form that is none, or that broke off. @throws what has a status: a file over the limit. */
async function readForm(request: FastifyRequest): Promise<Form | undefined> {
  let file: Form['file'];
  let words: unknown;
  try {
    for await (const part of request.parts()) {
      if (part.type === 'file') file = { bytes: await part.toBuffer(), name: part.filename };
      else if (part.fieldname === 'configuration') words = part.value;
    }
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== undefined) throw error;
    return undefined;
  }
  return { file, words };
}

const missing = (field: string): Answer =>
  json(422, { detail: [{ type: 'missing', loc: ['body', field], msg: 'Field required' }] });

function jsonOf(words: string): unknown {
  try {
    return JSON.parse(words);
  } catch {
    return undefined;
  }
}

function newJob(upload: Extract<Upload, { kind: 'upload' }>, stage: Stage): Job {
  const now = stage.clock.now();
  const { configuration, bytes } = upload;
  return {
    id: `pjb-${uuidv7(now, stage.random)}`,
    projectId: PROJECT,
    name: upload.name,
    tier: configuration.tier as Tier,
    version: configuration.version,
    userMetadata: configuration.user_metadata ?? undefined,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    webhooks: webhooksOf(configuration),
    createdAt: now,
    updatedAt: now,
    status: 'PENDING',
    errorMessage: undefined,
    pages: 0,
    credits: 0,
  };
}
