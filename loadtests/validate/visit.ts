/** What every check has in hand: the target, and what was left there. */
import type { Clock } from '#kernel/clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { CheckName, CheckResult, Fact } from './facts.ts';
import type { Ask, Said, Wire } from './wire.ts';

export type Visit = {
  /** Comes back after a 429; for whatever is not about limits. */
  readonly ask: Wire;
  /** As it is, once. */
  readonly askOnce: Wire;
  /** Of a worker, without a key. */
  readonly askMetrics: Wire | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Correlation ID of everything that is uploaded. */
  readonly run: string;
  /** A document must be at its end so long after its upload. */
  readonly within: Milliseconds;
  /** At most so many requests to find the limit of the rate. */
  readonly rateRequests: number;
  /** Of what is measured, times. */
  readonly repetitions: number;
  /** Everything that was accepted, to be erased at the end. */
  readonly left: Set<string>;
};

export type Check = (visit: Visit, book: Book) => Promise<void>;
export type Book = {
  fact(name: string, value: Fact): void;
  /** Names below the check's that begin so could not be looked at. */
  notSeen(name: string, why: string): void;
  sample(name: string, value: number): void;
  note(text: string): void;
  /** What must not happen in any validation, whatever was recorded. */
  trouble(name: string): void;
};

export function makeBook(check: CheckName): Book & { result(took: Milliseconds): CheckResult } {
  const facts: Record<string, Fact> = {};
  const notSeen: Record<string, string> = {};
  const samples: Record<string, number[]> = {};
  const notes: string[] = [];
  const troubles: Record<string, number> = {};
  return {
    fact: (name, value) => {
      facts[`${check}/${name}`] = value;
    },
    notSeen: (name, why) => {
      notSeen[`${check}/${name}`] = why;
    },
    sample: (name, value) => {
      samples[name] ??= [];
      samples[name].push(value);
    },
    note: (text) => void notes.push(text),
    trouble: (name) => {
      troubles[name] = (troubles[name] ?? 0) + 1;
    },
    result: (took) => ({ check, facts, notSeen, samples, notes, troubles, took }),
  };
}

export const field = (said: Said, name: string): unknown =>
  typeof said.json === 'object' && said.json !== null ? (said.json as Record<string, unknown>)[name] : undefined;

export const word = (value: unknown): Fact =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : 'none';

export type Sent = { readonly said: Said; readonly id: string | undefined };
export type Upload = {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fields?: Readonly<Record<string, string>>;
};

export async function upload(visit: Visit, what: Upload): Promise<Sent> {
  const said = await visit.ask(await uploadOf(visit, what));
  const id = said.status === 202 ? field(said, 'id') : undefined;
  if (typeof id !== 'string') return { said, id: undefined };
  visit.left.add(id);
  return { said, id };
}

/** Everything is parsed and embedded anew: what another validation left in a cache would prove nothing. */
export async function uploadOf({ run }: Visit, { name, bytes, headers, fields }: Upload): Promise<Ask> {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields ?? {})) form.append(key, value);
  form.append('file', new Blob([bytes as BlobPart]), name);
  const ask = await formAsk(form);
  return { ...ask, headers: { ...ask.headers, 'cache-control': 'no-cache', 'x-correlation-id': run, ...headers } };
}

/** A form as it goes over the wire. */
export async function formAsk(form: FormData): Promise<Ask & { readonly headers: Readonly<Record<string, string>> }> {
  const encoded = new Response(form);
  const type = encoded.headers.get('content-type') ?? '';
  const body = new Uint8Array(await encoded.arrayBuffer());
  return { method: 'POST', path: '/v1/documents', headers: { 'content-type': type }, body };
}

export type End = {
  /** Its status, or what became of it otherwise. */
  readonly status: string;
  readonly code: Fact;
  readonly said: Said | undefined;
};

const FINISHED = ['completed', 'rejected', 'failed', 'erased'];
const LOOK_FIRST = 200;
const LOOK_MOST = 2_000;

/** Until it has ended, is gone, or its time is over. */
export async function follow(visit: Visit, id: string | undefined): Promise<End> {
  const { clock, signal, within } = visit;
  if (id === undefined) return { status: 'not accepted', code: 'none', said: undefined };
  const begun = clock.steady();
  for (let wait = LOOK_FIRST; ; wait = Math.min(wait * 1.5, LOOK_MOST)) {
    const said = await visit.ask({ path: `/v1/documents/${id}` });
    if (said.status === 404) return { status: 'lost: accepted with 202, then 404', code: 'none', said };
    const status = field(said, 'status');
    if (typeof status === 'string' && FINISHED.includes(status)) {
      const error = field(said, 'error') as { code?: unknown } | null | undefined;
      return { status, code: word(error?.code), said };
    }
    if (clock.steady() - begun > within) return { status: `not at its end in ${within / 1_000} s`, code: 'none', said };
    await clock.sleep(milliseconds(wait), signal);
  }
}

/** Does a search for these words find the document? */
export async function finds(visit: Visit, words: string, id: string | undefined): Promise<boolean> {
  const body = JSON.stringify({ query: words, limit: SEARCH_MOST });
  const said = await visit.ask({ method: 'POST', path: '/v1/search', headers: JSON_TYPE, body });
  return Array.isArray(said.json) && said.json.some((hit: { documentId?: unknown }) => hit.documentId === id);
}

const SEARCH_MOST = 50;
export const JSON_TYPE = { 'content-type': 'application/json' } as const;
