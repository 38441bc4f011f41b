/**
 * One attempt over HTTP, and what its end means. Nothing of what an error or an answer says is passed on unseen: an
 * address is a secret, and some servers repeat what they were sent.
 */
import { type Http, type Progress, readLimited } from '#kernel/http.ts';
import { parseRetryAfter } from '#kernel/retry.ts';
import { kibibytes, type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Outcome } from './outcome.ts';
import { cut, oneLine } from './text.ts';

export type Call = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeout: Milliseconds;
  readonly signal: AbortSignal;
  /** Of which answers the body must be read; of the others it is let go by. */
  readonly reads: (status: number) => boolean;
};
export type Reply = {
  readonly status: number;
  readonly retryAfter: Milliseconds | undefined;
  /** Undefined: it was not read, or it broke off. */
  readonly text: string | undefined;
};
export type Posted =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'failed'; readonly outcome: Outcome };

/** More than any of them says; what is longer is not theirs. */
const ANSWER_MOST = kibibytes(64);
/** Who asks for more patience sends a date as if it were a span. */
const PATIENCE = milliseconds(86_400_000);
const EXCERPT_MOST = 200;

export async function post(http: Http, call: Call, now: () => Milliseconds): Promise<Posted> {
  const { url, headers, body, timeout, signal, reads } = call;
  if (signal.aborted) return failed('retry', 'not sent: the router stops or the time was up');
  let response: Response;
  // Whoever says nothing of it may have sent it.
  let progress: Progress = 'sent';
  const onProgress = (at: Progress) => {
    progress = at;
  };
  try {
    response = await http(url, { method: 'POST', headers, body, timeout, signal, onProgress });
  } catch (error) {
    return { kind: 'failed', outcome: outcomeOfBreak(error, signal, progress) };
  }
  const { status } = response;
  const retryAfter = parseRetryAfter(response.headers.get('retry-after'), now(), PATIENCE);
  const rest = readLimited(response, ANSWER_MOST).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => undefined,
  );
  return { kind: 'reply', reply: { status, retryAfter, text: reads(status) ? await rest : undefined } };
}

const failed = (kind: 'ambiguous' | 'retry', because: string): Posted => ({
  kind: 'failed',
  outcome: kind === 'retry' ? { kind, because, after: undefined } : { kind, because },
});

/** Answers that are no success. Redirects are not followed: they would lead a secret to another host. */
export function outcomeOfStatus({ status, retryAfter }: Reply, said: string): Outcome {
  const because = `answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (status >= 300 && status < 400) {
    return { kind: 'refused', because: `answered ${status}: redirects are not followed, give the address it leads to` };
  }
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    return { kind: 'retry', because, after: retryAfter };
  }
  return { kind: 'refused', because };
}

/** Before a request can be on its way: no such name, nobody there, no agreement on TLS. */
const NOT_SENT: ReadonlySet<string> = new Set([
  ...['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'ECONNREFUSED', 'EHOSTUNREACH', 'EHOSTDOWN'],
  ...['ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'EMFILE', 'ENFILE', 'EACCES', 'UND_ERR_CONNECT_TIMEOUT', 'EPROTO'],
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'HOSTNAME_MISMATCH', 'INVALID_CA', 'INVALID_PURPOSE'],
]);
const NOT_SENT_FAMILIES = /^(?:CERT_|UNABLE_TO_|ERR_TLS_|ERR_SSL_(?!DECRYPTION|BAD_RECORD|SSLV3_ALERT_BAD_RECORD))/;

export const surelyNotSent = (code: string): boolean => NOT_SENT.has(code) || NOT_SENT_FAMILIES.test(code);

/** By codes alone: the messages of errors name addresses. */
function outcomeOfBreak(error: unknown, signal: AbortSignal, progress: Progress): Outcome {
  const chain = chainOf(error);
  const known = chain.find(({ code }) => code !== undefined && surelyNotSent(code));
  if (known?.code !== undefined) return { kind: 'retry', because: `cannot connect (${known.code})`, after: undefined };
  if (isOurs(error, chain)) return { kind: 'refused', because: 'its address or credentials fit into no request' };
  const shaking = chain.some(({ message }) => message.includes('before secure TLS connection was established'));
  const connecting = chain.find(({ code, syscall }) => code === 'ETIMEDOUT' && syscall === 'connect');
  if (shaking || connecting !== undefined) {
    return { kind: 'retry', because: `cannot connect (${shaking ? 'TLS' : 'ETIMEDOUT'})`, after: undefined };
  }
  if (chain.some(({ message }) => message === 'bad port')) {
    return { kind: 'refused', because: 'the port of its address is one that no HTTP client may call' };
  }
  if (progress === 'begun') return { kind: 'retry', because: 'not sent: no connection in time', after: undefined };
  if (chain.some(({ name }) => name === 'TimeoutError' || name === 'AbortError')) {
    return { kind: 'ambiguous', because: 'no answer in time' };
  }
  if (signal.aborted) return { kind: 'ambiguous', because: 'called off before an answer came' };
  const code = chain.find((one) => one.code !== undefined)?.code;
  return { kind: 'ambiguous', because: `the connection broke${code === undefined ? '' : ` (${code})`}` };
}

/** `fetch` names a cause for what went wrong on the way, and none for what it could not even begin with. */
const isOurs = (error: unknown, chain: readonly Link[]): boolean =>
  (error instanceof TypeError && error.cause === undefined) || chain.some(({ code }) => code === 'ERR_INVALID_URL');

type Link = { readonly name: string; readonly message: string; readonly code?: string; readonly syscall?: string };

/** An error, its causes, and the parts of one that has several: each address of a name fails on its own. */
function chainOf(error: unknown, depth = 5): Link[] {
  if (!(error instanceof Error) || depth === 0) return [];
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const syscall = 'syscall' in error && typeof error.syscall === 'string' ? { syscall: error.syscall } : {};
  const parts: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [
    { name: error.name, message: error.message, ...code, ...syscall },
    ...chainOf(error.cause, depth - 1),
    ...parts.flatMap((part) => chainOf(part, depth - 1)),
  ];
}

/** What the other side said, short, with our secrets taken out of it. */
export function excerpt(text: string | undefined, hidden: readonly string[]): string {
  return cut(oneLine(scrub(text ?? '', hidden)), EXCERPT_MOST);
}

export function scrub(text: string, hidden: readonly string[]): string {
  const spellings = hidden
    .filter((one) => one !== '')
    .flatMap((one) => [
      one,
      encodeURIComponent(one),
      Buffer.from(one).toString('base64'),
      JSON.stringify(one).slice(1, -1),
    ])
    .sort((a, b) => b.length - a.length);
  return spellings.reduce((rest, one) => rest.replaceAll(one, '[secret]'), text);
}

/** What is shorter is a word that an answer may hold by chance. */
const KEY_LEAST = 12;

/** Of an address all that can be a key: itself, its path, its parts and its parameters. */
export function secretsOfUrl(url: string): string[] {
  if (!URL.canParse(url)) return [url];
  const { href, pathname, search, searchParams, username, password } = new URL(url);
  const parts = [...pathname.split('/'), ...searchParams.values()].filter((part) => part.length >= KEY_LEAST);
  return [url, href, ...(pathname.length > 1 ? [pathname] : []), search, ...parts, username, password];
}
