/**
 * LlamaParse v2 by its own client. Two calls: `submit` is billed, so its job id is stored before anything else happens;
 * `look` asks for the result, as often as need be. The client's own retries are off: it would upload, and bill, again.
 */
import { LlamaCloud, toFile } from '@llamaindex/llama-cloud';
import { z } from 'zod';
import { vendorFetch } from '#kernel/http.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Tier } from '#worker/prices.ts';
import { vendorFault } from './faults.ts';

export type LlamaParseOptions = {
  readonly apiKey: Secret;
  readonly baseUrl: string;
  readonly tier: Tier;
  readonly version: string;
  readonly timeout: Milliseconds;
};

export type ParseJob =
  | { readonly kind: 'pending' }
  | { readonly kind: 'parsed'; readonly pages: readonly string[]; readonly credits: number | undefined }
  /** The vendor says it can not, in its own words. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'unknown' };

export interface LlamaParse {
  /** What the result depends on, beside the bytes: the key of the parse cache. */
  readonly settings: string;
  submit(upload: Upload, signal: AbortSignal): Promise<{ readonly jobId: string }>;
  look(jobId: string, signal: AbortSignal): Promise<ParseJob>;
}
export type Upload = { readonly bytes: Uint8Array; readonly filename: string; readonly noCache: boolean };

/** The wire, as far as we rely on it; shared with the simulator's tests. Source: developers.llamaindex.ai, parse v2. */
export const jobSchema = z.object({
  id: z.string().min(1).max(200),
  status: z.enum(['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED']),
  error_message: z.string().nullish(),
  usage: z.object({ credits: z.number().nonnegative().nullish() }).nullish(),
});
export const resultSchema = z.object({
  job: jobSchema,
  markdown: z
    .object({
      pages: z.array(z.object({ page_number: z.number().int(), markdown: z.string().nullish(), success: z.boolean() })),
    })
    .nullish(),
});

export function makeLlamaParse(options: LlamaParseOptions): LlamaParse {
  const { tier, version, timeout } = options;
  const client = new LlamaCloud({
    apiKey: options.apiKey.reveal(),
    baseURL: options.baseUrl,
    maxRetries: 0,
    timeout,
    fetch: vendorFetch,
    logLevel: 'off',
  });
  return {
    settings: `llamaparse/${tier}/${version} at ${new URL(options.baseUrl).host}`,
    submit: async ({ bytes, filename, noCache }, signal) => {
      // The name matters to the vendor only by its ending; the rest may name a patient and stays here.
      const ending = /\.[a-z0-9]{1,8}$/i.exec(filename)?.[0] ?? '';
      const upload_file = await toFile(bytes, `document${ending}`);
      const answer = await client.parsing.create({ tier, version, disable_cache: noCache, upload_file }, { signal });
      return { jobId: read(jobSchema, answer).id };
    },
    look: async (jobId, signal) => {
      const answer = await client.parsing
        .get(jobId, { expand: ['markdown', 'usage'] }, { signal })
        .catch((error: { status?: number }) => {
          if (error.status === 404) return undefined;
          throw error;
        });
      return answer === undefined ? { kind: 'unknown' } : readResult(read(resultSchema, answer));
    },
  };
}

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw vendorFault('llamaparse', 'vendor_nonsense', `gave an answer that is not its API, at "${where}"`);
}

export function readResult({ job, markdown }: z.infer<typeof resultSchema>): ParseJob {
  if (job.status === 'FAILED' || job.status === 'CANCELLED') {
    return { kind: 'failed', message: job.error_message ?? job.status.toLowerCase() };
  }
  if (job.status !== 'COMPLETED') return { kind: 'pending' };
  if (!markdown) throw vendorFault('llamaparse', 'vendor_nonsense', 'finished a job without a result');
  const lost = markdown.pages.filter((page) => !page.success).length;
  // A page that is silently missing is a document that is silently incomplete.
  if (lost > 0) return { kind: 'failed', message: `${lost} of ${markdown.pages.length} pages could not be parsed` };
  const pages = markdown.pages.toSorted((a, b) => a.page_number - b.page_number).map((page) => page.markdown ?? '');
  return { kind: 'parsed', pages, credits: job.usage?.credits ?? undefined };
}
