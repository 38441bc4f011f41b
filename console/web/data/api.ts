/** Asking the router. A refusal is a problem document, and becomes a `Problem` whose words can be shown as they are. */

/** Where the router's prefix ends, with its slash: the page's <base>. */
export const BASE = new URL(document.baseURI).pathname;

const LIMIT = 15_000;

export class Problem extends Error {
  /** HTTP status; 0: nobody answered. */
  readonly status: number;
  readonly code: string;
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

let tellUnknown = (): void => {};
/** Told each time the router does not know who asks: of whatever was asked, also of what nobody waits for. */
export function whenUnknown(tell: () => void): void {
  tellUnknown = tell;
}

/** Whatever was thrown, as one whose words can be shown. */
export const asProblem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(0, 'fault', String(error));

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return (await ask('GET', path, { query, signal }).then((response) => response.json())) as T;
}

export async function getText(path: string, signal?: AbortSignal): Promise<{ text: string; etag: string | null }> {
  const response = await ask('GET', path, { signal });
  return { text: await response.text(), etag: response.headers.get('etag') };
}

/** A list whose next page is named in the header Link. @returns `next` as a path below the prefix */
export async function getLinked<T>(path: string): Promise<{ value: T; next: string | undefined }> {
  const response = await ask('GET', path, {});
  const [, next] = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '') ?? [];
  const value = (await response.json()) as T;
  return { value, next: next?.startsWith(BASE) ? next.slice(BASE.length) : undefined };
}

export type Method = 'POST' | 'PUT' | 'DELETE';
export async function send<T>(method: Method, path: string, body?: unknown, headers?: HeadersInit): Promise<T> {
  const response = await ask(method, path, { body, headers });
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

type Asked = {
  readonly query?: Query;
  readonly body?: unknown;
  readonly headers?: HeadersInit | undefined;
  readonly signal?: AbortSignal | undefined;
};

async function ask(method: 'GET' | Method, path: string, { query, body, headers, signal }: Asked): Promise<Response> {
  const limit = AbortSignal.timeout(LIMIT);
  const given = new Headers(headers);
  // No page of another site can send it: the router takes a cookie only with it.
  if (method !== 'GET') given.set('x-burnline-console', '1');
  if (body !== undefined) given.set('content-type', 'application/json');
  const response = await fetch(`${BASE}${path}${queryText(query ?? {})}`, {
    method,
    headers: given,
    credentials: 'same-origin',
    cache: 'no-store',
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    const why = limit.aborted ? `has not answered for ${LIMIT / 1_000} s` : 'cannot be reached';
    throw new Problem(0, 'unreachable', `The router ${why}.`);
  });
  if (response.status === 401) tellUnknown();
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => '');
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const wait = Number.isFinite(retryAfter) ? retryAfter : undefined;
  try {
    const { code, detail, title } = JSON.parse(text) as { code?: string; detail?: string; title?: string };
    return new Problem(response.status, code ?? 'refused', detail ?? title ?? response.statusText, wait);
  } catch {
    return new Problem(response.status, 'refused', wordsOf(response.status, text), wait);
  }
}

/** Alertmanager's own paths refuse with a JSON string or with text. */
const wordsOf = (status: number, text: string): string => text.slice(0, 300) || `The router answered ${status}.`;

function queryText(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => [name, String(one)]),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}
