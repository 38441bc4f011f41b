/** The running router, asked by the command line. What it answers is read by a schema: it may be another release. */
import { z } from 'zod';
import type { OnCallView } from '#alerting/oncall/view.ts';
import { Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { environment } from './config.ts';

const TIMEOUT = milliseconds(10_000);

const person = z.object({ name: z.string(), displayName: z.string() });
const onCall: z.ZodType<OnCallView[]> = z.array(
  z.object({
    schedule: z.string(),
    timeZone: z.string(),
    onDuty: z.array(person),
    until: z.string().nullable(),
    next: z.array(person),
  }),
);

export type RouterCall = {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: object;
  /** What to do when nothing answers. */
  readonly hint?: string;
};

export const ROUTER_ENVIRONMENT = `
Environment:
  BURNLINE_ROUTER_URL   the router that is asked; default: http://127.0.0.1:9093
  BURNLINE_KEY          its key, where it needs one`;

/** Of a role that runs: what the variable says, or where it usually is. */
export const urlOf = (name: string, usual: string): string => (environment()[name] ?? usual).replace(/\/+$/, '');
export const documentsUrl = (): string => urlOf('BURNLINE_URL', 'http://127.0.0.1:8080');
export const routerUrl = (): string => urlOf('BURNLINE_ROUTER_URL', 'http://127.0.0.1:9093');

/** @throws {Fault} `router_unreachable`, `router_refused` or `router_unknown`: it has no such thing. */
export const askRouter = <T>(path: string, schema: z.ZodType<T>, call: RouterCall = {}): Promise<T> =>
  ask(path, schema, call, theRouter());

/** The document API, asked the same way. @throws {Fault} saying what it answered, or that nothing did. */
export const askDocuments = <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
  ask(path, schema, { hint: 'start it, or set BURNLINE_URL' }, { what: 'the document API', base: documentsUrl() });

async function ask<T>(path: string, schema: z.ZodType<T>, call: RouterCall, role: Role): Promise<T> {
  const answer = await send(path, call, role);
  const body: unknown = await answer.json().catch(() => undefined);
  const read = schema.safeParse(body);
  if (answer.ok && read.success) return read.data;
  throw refused(answer.status, body, role);
}

/** What it answers as text, such as a report; or nothing. */
export async function askRouterText(path: string, call: RouterCall = {}): Promise<string> {
  const role = theRouter();
  const answer = await send(path, call, role);
  const text = await answer.text();
  if (answer.ok) return text;
  throw refused(answer.status, parsed(text), role);
}

type Role = { readonly what: string; readonly base: string };
const theRouter = (): Role => ({ what: 'the router', base: routerUrl() });

async function send(path: string, { method = 'GET', body, hint }: RouterCall, { what, base }: Role): Promise<Response> {
  const key = environment()['BURNLINE_KEY'];
  return await http(`${base}${path}`, {
    method,
    timeout: TIMEOUT,
    headers: {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    const help = hint ?? 'start it, or set BURNLINE_ROUTER_URL';
    throw new Fault('router_unreachable', `Cannot reach ${what} at ${base}: ${help}`, { cause });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Alertmanager's API says why as a text, the router's own as a problem document. */
function refused(status: number, body: unknown, { what, base }: Role): Fault {
  const problem = z.union([z.string(), z.object({ detail: z.string() }).transform(({ detail }) => detail)]);
  const read = problem.safeParse(body);
  const reason = read.success ? read.data : 'which is no answer of a Burnline router';
  const code = status === 404 ? 'router_unknown' : 'router_refused';
  return new Fault(code, `${what[0]?.toUpperCase()}${what.slice(1)} at ${base} answered ${status}: ${reason}`);
}

/** @throws {Fault} when it cannot be reached, or answers something else. */
export async function askOnCall(at: Milliseconds | undefined): Promise<readonly OnCallView[]> {
  const query = at === undefined ? '' : `?at=${encodeURIComponent(new Date(at).toISOString())}`;
  const hint = 'start it, set BURNLINE_ROUTER_URL, or give --oncall.file';
  return await askRouter(`/api/v1/oncall${query}`, onCall, { hint });
}
