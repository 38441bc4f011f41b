/** What a user of the document API does, over real HTTP. */
import { setTimeout as sleep } from 'node:timers/promises';

export type DocumentView = {
  readonly id: string;
  readonly status: string;
  readonly pages: number | null;
  readonly chunks: number | null;
  readonly tokens: number | null;
  readonly costUsd: number;
  readonly correlationId: string;
  readonly traceId: string;
  readonly attempts: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly timeline: readonly { at: string; from: string | null; to: string; attempt: number; because: string }[];
};
export type Answer<T = Record<string, unknown>> = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
};

const LIMIT = 30_000;
const FINISHED = ['completed', 'rejected', 'failed', 'erased'];

export async function call<T = Record<string, unknown>>(url: string, init: RequestInit = {}): Promise<Answer<T>> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(LIMIT) });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : text) as T };
}

export async function upload(
  api: string,
  bytes: Uint8Array | string,
  name: string,
  options: { headers?: Record<string, string>; fields?: Record<string, string> } = {},
): Promise<Answer<{ id: string; status: string; correlationId: string; code?: string; detail?: string }>> {
  const form = new FormData();
  for (const [key, value] of Object.entries(options.fields ?? {})) form.append(key, value);
  form.append('file', new Blob([bytes as BlobPart]), name);
  return await call(`${api}/v1/documents`, { method: 'POST', body: form, headers: options.headers ?? {} });
}

export const read = async (api: string, id: string, headers: Record<string, string> = {}): Promise<DocumentView> =>
  (await call<DocumentView>(`${api}/v1/documents/${id}`, { headers })).body;

/** @throws when it is not at its end within `limit`, with what it said last. */
export async function untilFinished(
  api: string,
  id: string,
  limit = 60_000,
  headers: Record<string, string> = {},
): Promise<DocumentView> {
  const begun = performance.now();
  for (;;) {
    const document = await read(api, id, headers);
    if (FINISHED.includes(document.status)) return document;
    if (performance.now() - begun > limit) throw new Error(`not finished in ${limit} ms: ${JSON.stringify(document)}`);
    await sleep(50);
  }
}

export type Hit = {
  readonly documentId: string;
  readonly ordinal: number;
  readonly score: number;
  readonly text: string;
};

export async function search(api: string, query: string, limit = 10): Promise<readonly Hit[]> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ query, limit });
  return (await call<Hit[]>(`${api}/v1/search`, { method: 'POST', headers, body })).body;
}

export async function json(method: string, url: string, body?: unknown): Promise<Answer> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return await call(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}
