/** Errors as RFC 9457 problem documents. The codes are a closed set: clients switch on them, people read `detail`. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Milliseconds } from '#kernel/units.ts';

export const PROBLEMS = {
  bad_request: { status: 400, title: 'The request cannot be understood' },
  unauthenticated: { status: 401, title: 'A valid key or token is needed' },
  forbidden: { status: 403, title: 'This key or token may not do that' },
  not_found: { status: 404, title: 'There is no such thing' },
  method_not_allowed: { status: 405, title: 'This address does not take that method' },
  idempotency_conflict: { status: 409, title: 'The Idempotency-Key was used for another request' },
  timeout: { status: 408, title: 'The request did not arrive in time' },
  not_retryable: { status: 409, title: 'Only a failed document can be tried again' },
  changed_meanwhile: { status: 412, title: 'Somebody else has changed it meanwhile' },
  too_large: { status: 413, title: 'The upload is larger than allowed' },
  uri_too_long: { status: 414, title: 'A part of the address is too long' },
  unsupported_media_type: { status: 415, title: 'The body has the wrong content type' },
  rate_limited: { status: 429, title: 'Too many requests from this caller' },
  overloaded: { status: 429, title: 'More documents are waiting than can be processed in time' },
  headers_too_large: { status: 431, title: 'The headers and the address are too large' },
  internal: { status: 500, title: 'Something went wrong here' },
  unavailable: { status: 503, title: 'A part of the service is not available now' },
  documents_unavailable: { status: 503, title: 'The documents cannot be shown now' },
} as const;
export type ProblemCode = keyof typeof PROBLEMS;

export type ProblemOptions = {
  readonly retryAfter?: Milliseconds;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Thrown by a handler, answered by the error handler. A record, not a class: nothing else should catch it. */
export type Refusal = { readonly problem: ProblemCode; readonly detail: string } & ProblemOptions;

export const refuse = (problem: ProblemCode, detail: string, options: ProblemOptions = {}): Refusal => ({
  problem,
  detail,
  ...options,
});

export function isRefusal(thrown: unknown): thrown is Refusal {
  return typeof thrown === 'object' && thrown !== null && 'problem' in thrown && 'detail' in thrown;
}

export const problemSchema = z
  .object({
    type: z.string().describe('A URI that names the kind of problem'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What happened, what was found, and what would be right'),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    correlationId: z.string(),
  })
  .meta({ id: 'Problem' });

/** Every operation can be answered with these; `more` adds an operation's own. */
export function problems(...more: ProblemCode[]) {
  return answersOf(more, { 'application/problem+json': { schema: problemSchema } });
}

/** Before any route has its say: where a part of the address is an id. */
export const addressTooLong = () => ({ 414: asProblem('uri_too_long') });

const asProblem = (code: ProblemCode) => ({
  description: `\`${code}\`: ${PROBLEMS[code].title}`,
  content: { 'application/problem+json': { schema: problemSchema } },
});

/** Answered by the connection, whatever the route and the form of its errors: broken-requests.ts. */
const BEFORE_ANY_ROUTE = { 408: asProblem('timeout'), 431: asProblem('headers_too_large') };

/** The same, where an error's body has another form. */
export function answersOf(
  more: readonly ProblemCode[],
  content: Readonly<Record<string, { readonly schema: z.ZodType }>>,
) {
  const codes = [
    'bad_request',
    'unauthenticated',
    'forbidden',
    'rate_limited',
    'internal',
    'unavailable',
    ...more,
  ] as const;
  const statuses = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  const entries = [...statuses].map(([number, same]) => {
    const description = same.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; ');
    return [number, { description, content }] as const;
  });
  return { ...BEFORE_ANY_ROUTE, ...Object.fromEntries(entries) };
}

export type ProblemBody = z.infer<typeof problemSchema>;

export function problemBody({ problem, detail }: Refusal, correlationId: string): ProblemBody {
  const { status, title } = PROBLEMS[problem];
  return { type: `urn:burnline:problem:${problem}`, title, status, detail, code: problem, correlationId };
}

/** For an answer that is made into text by its route: Fastify names the type only of what it writes itself. */
export const JSON_TYPE = 'application/json; charset=utf-8';
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Whole seconds, and never none. */
export const retryAfterSeconds = (span: Milliseconds): string => String(Math.max(1, Math.ceil(span / 1_000)));

export function sendProblem(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status } = PROBLEMS[refusal.problem];
  if (refusal.retryAfter !== undefined) {
    reply.header('retry-after', retryAfterSeconds(refusal.retryAfter));
  }
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  for (const [name, value] of Object.entries(refusal.headers ?? {})) reply.header(name, value);
  const body = problemBody(refusal, request.correlationId);
  // Its own serializer: the route's schema for this status may be another one.
  return reply.code(status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(body);
}
