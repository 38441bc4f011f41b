/** The document API as a frontend calls it: every answer is measured by the objectives of the API, and a 429 is waited out. */
import http, { type RefinedResponse, type RequestBody } from 'k6/http';
import { available, fast, unadvised } from './metrics.ts';

type Answer = RefinedResponse<'text'>;
export type Call = { readonly name: 'upload' | 'document' | 'search'; readonly headers?: Record<string, string> };

export const BASE = (__ENV['BURNLINE_URL'] ?? 'http://127.0.0.1:8080').replace(/\/+$/, '');
const keyFile = __ENV['BURNLINE_KEY_FILE'];
/** Several, with blanks between them: the rate limit is one key's. */
const KEYS = (keyFile === undefined ? (__ENV['BURNLINE_KEY'] ?? '') : open(keyFile)).split(/\s+/).filter(Boolean);
const TIMEOUT = '60s';

/** One virtual user has one key. */
function authorization(): Record<string, string> {
  const key = KEYS[__VU % Math.max(1, KEYS.length)];
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

export function makeClient({ fastMs }: { readonly fastMs: number }) {
  const call = (method: 'GET' | 'POST', path: string, body: RequestBody | null, { name, headers }: Call): Answer => {
    const answer = http.request(method, `${BASE}${path}`, body, {
      headers: { ...authorization(), ...headers },
      tags: { name },
      timeout: TIMEOUT,
      responseType: 'text',
    });
    // 0: no answer at all.
    available.add(answer.status !== 0 && answer.status < 500);
    if (answer.status === 429 && answer.headers['Retry-After'] === undefined) unadvised.add(1);
    // How long an upload takes is the client's doing.
    if (name !== 'upload') fast.add(answer.status !== 0 && answer.timings.duration < fastMs);
    return answer;
  };
  return {
    upload: (body: RequestBody, headers: Record<string, string>) =>
      call('POST', '/v1/documents', body, { name: 'upload', headers }),
    read: (id: string) => call('GET', `/v1/documents/${id}`, null, { name: 'document' }),
    search: (query: string) =>
      call('POST', '/v1/search', JSON.stringify({ query, limit: 3 }), {
        name: 'search',
        headers: { 'content-type': 'application/json' },
      }),
  };
}

export type Client = ReturnType<typeof makeClient>;

/** Not an answer that says anything of the request: it may be asked again. */
export const isPassing = ({ status }: { readonly status: number }): boolean =>
  status === 0 || status === 429 || status >= 500;

/** Seconds until it may be asked again, never under what the service wishes; with chance, so that a herd spreads out. */
export function waitBefore(answer: Answer, attempt: number): number {
  const span = Math.min(FIRST_WAIT * 2 ** attempt, LONGEST_WAIT);
  return wishOf(answer) + span * (0.5 + Math.random() / 2);
}

/** Seconds that the service wishes to be left alone; 0: it does not say. */
export function wishOf(answer: Answer): number {
  const wish = Number(answer.headers['Retry-After'] ?? 0);
  return Number.isFinite(wish) ? Math.max(wish, 0) : 0;
}

const FIRST_WAIT = 0.5;
const LONGEST_WAIT = 10;

/** A field of an answer; empty where it has none. */
export function field(answer: Answer, name: string): string {
  try {
    const found = answer.json(name);
    return typeof found === 'string' ? found : '';
  } catch {
    return '';
  }
}
