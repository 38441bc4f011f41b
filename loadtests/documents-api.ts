/** The document API as the settlement asks it. Read by a schema: it may be another release. */
import { z } from 'zod';
import type { Clock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import type { Http } from '#kernel/http.ts';
import { parseRetryAfter } from '#kernel/retry.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Row } from './accounts.ts';

export type Asking = {
  readonly http: Http;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
};
export type DocumentsAt = Asking & {
  readonly url: string;
  readonly key: string | undefined;
};

export const TIMEOUT = milliseconds(15_000);
const TRIES = 8;
const WAIT_FIRST = 500;
const WAIT_MOST = milliseconds(10_000);
const PAGE = 200;

const summary = z.object({
  id: z.string(),
  status: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  acceptedAt: z.string(),
  finishedAt: z.string().nullable(),
  error: z.object({ code: z.string() }).nullable(),
});
const page = z.object({ items: z.array(summary), nextCursor: z.string().nullable() });

/** Every document with this correlation ID, of one status or of any. */
export async function listRows(at: DocumentsAt, correlationId: string, status?: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({ correlationId, limit: String(PAGE) });
    if (status !== undefined) query.set('status', status);
    if (cursor !== '') query.set('cursor', cursor);
    const found: z.infer<typeof page> = await getJson(at, `${at.url}/v1/documents?${query}`, page, at.key);
    rows.push(...found.items.map(toRow));
    cursor = found.nextCursor;
  }
  return rows;
}

function toRow({ id, status, metadata, acceptedAt, finishedAt, error }: z.infer<typeof summary>): Row {
  const { upload } = metadata;
  return {
    id,
    key: typeof upload === 'string' ? upload : '',
    status,
    code: error?.code ?? '',
    ms: finishedAt === null ? undefined : Date.parse(finishedAt) - Date.parse(acceptedAt),
  };
}

/** Asked again while it is too busy or away: what is only late is not lost. @throws {Fault} `unanswered` with what came. */
export async function getJson<T>(asking: Asking, url: string, schema: z.ZodType<T>, key?: string): Promise<T> {
  const answer = await get(asking, url, key);
  const read = schema.safeParse(await answer.json().catch(() => undefined));
  if (read.success) return read.data;
  const where = read.error.issues[0]?.path.join('.') || 'the whole';
  throw new Fault('unanswered', `${url} answers something else than expected, at ${where}`);
}

export async function get({ http, clock, signal }: Asking, url: string, key?: string): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const answer = await http(url, {
      timeout: TIMEOUT,
      ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((cause: unknown) => {
      if (signal?.aborted || attempt >= TRIES) throw new Fault('unanswered', `Cannot reach ${url}`, { cause });
      return undefined;
    });
    if (answer?.ok) return answer;
    const isPassing = answer === undefined || answer.status === 429 || answer.status >= 500;
    if (!isPassing || attempt >= TRIES) throw new Fault('unanswered', `${url} answers ${answer?.status}`);
    const wish = parseRetryAfter(answer?.headers.get('retry-after'), clock.now(), WAIT_MOST) ?? milliseconds(0);
    await answer?.body?.cancel();
    const wait = Math.max(wish, Math.min(WAIT_FIRST * 2 ** attempt, WAIT_MOST)) as Milliseconds;
    await clock.sleep(wait, signal);
  }
}
