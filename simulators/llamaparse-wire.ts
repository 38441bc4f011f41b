/** LlamaParse v2's wire, as its client 2.16 sends and reads it: multipart `configuration` in, jobs and pages out. */
import { z } from 'zod';
import { CREDITS_PER_PAGE, type Job, type Status, type Tier, type Webhook } from './llamaparse-job.ts';

const TIERS = Object.keys(CREDITS_PER_PAGE) as [Tier, ...Tier[]];
const MOST_WEBHOOKS = 10;
const LONGEST_URL = 2000;

const webhookSchema = z.object({
  webhook_url: z.string().max(LONGEST_URL).nullish(),
  webhook_events: z.array(z.string()).nullish(),
  webhook_headers: z.record(z.string(), z.unknown()).nullish(),
  webhook_output_format: z.enum(['string', 'json']).nullish(),
  webhook_signing_secret: z.string().nullish(),
});

/** Unknown options are taken and ignored, as they steer a parser that is not here. */
export const configurationSchema = z.looseObject({
  tier: z.enum(TIERS),
  version: z.string().min(1),
  user_metadata: z.record(z.string(), z.string()).nullish(),
  webhook_configurations: z.array(webhookSchema).max(MOST_WEBHOOKS).nullish(),
});
export type Configuration = z.infer<typeof configurationSchema>;

export function webhooksOf(configuration: Configuration): Webhook[] {
  return (configuration.webhook_configurations ?? []).flatMap((hook) => {
    if (!hook.webhook_url) return [];
    const headers = Object.entries(hook.webhook_headers ?? {}).map(([name, value]) => [name, String(value)]);
    return {
      url: hook.webhook_url,
      events: hook.webhook_events ?? undefined,
      headers: Object.fromEntries(headers) as Record<string, string>,
      asObject: hook.webhook_output_format === 'json',
      signingSecret: hook.webhook_signing_secret ?? undefined,
    };
  });
}

/** As FastAPI words a body that does not fit. */
export function unprocessable(error: z.ZodError, where: readonly string[]) {
  return {
    detail: error.issues.map((issue) => ({ type: issue.code, loc: [...where, ...issue.path], msg: issue.message })),
  };
}

export type JobView = {
  id: string;
  project_id: string;
  status: Status;
  name: string;
  tier: string;
  created_at: string;
  updated_at: string;
  error_message: string | null;
  user_metadata: Readonly<Record<string, string>> | null;
  usage?: { credits: number | null };
};

export function jobView(job: Job, withUsage = false): JobView {
  const credits = job.status === 'COMPLETED' || job.status === 'FAILED' ? job.credits : null;
  return {
    id: job.id,
    project_id: job.projectId,
    status: job.status,
    name: job.name,
    tier: job.tier,
    created_at: new Date(job.createdAt).toISOString(),
    updated_at: new Date(job.updatedAt).toISOString(),
    error_message: job.errorMessage ?? null,
    user_metadata: job.userMetadata ?? null,
    ...(withUsage ? { usage: { credits } } : {}),
  };
}

/** `?expand=a&expand=b` and `?expand=a,b` both. */
export function expansions(query: unknown): ReadonlySet<string> {
  const { expand } = (query ?? {}) as { expand?: string | string[] };
  return new Set([expand ?? []].flat().flatMap((name) => name.split(',')));
}

export function resultView(job: Job, pages: readonly string[], expand: ReadonlySet<string>) {
  const done = job.status === 'COMPLETED';
  const markdown = pages.map((page, at) => ({ success: true, page_number: at + 1, markdown: page }));
  const text = pages.map((page, at) => ({ page_number: at + 1, text: page }));
  return {
    job: jobView(job, expand.has('usage')),
    ...(expand.has('markdown') ? { markdown: done ? { pages: markdown } : null } : {}),
    ...(expand.has('text') ? { text: done ? { pages: text } : null } : {}),
    ...(expand.has('markdown_full') ? { markdown_full: done ? pages.join('\n\n') : null } : {}),
    ...(expand.has('text_full') ? { text_full: done ? pages.join('\n\n') : null } : {}),
    ...(expand.has('job_metadata') ? { job_metadata: { pages: job.pages, sha256: job.sha256 } } : {}),
    ...(expand.has('metadata') ? { metadata: { pages: markdown.map(({ page_number }) => ({ page_number })) } } : {}),
  };
}

/** What `GET /parse/versions` says; one version each is enough for a simulator. */
export const VERSIONS = {
  fast: ['2026-06-15'],
  cost_effective: ['2026-08-19'],
  agentic: ['2026-09-07'],
  agentic_plus: ['2026-08-19'],
  latest: { fast: '2026-06-15', cost_effective: '2026-08-19', agentic: '2026-09-07', agentic_plus: '2026-08-19' },
} as const;
