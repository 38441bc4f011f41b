/** The running router, asked by the command line. */
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

/** @throws {Fault} when it cannot be reached, or answers something else. */
export async function askOnCall(at: Milliseconds | undefined): Promise<readonly OnCallView[]> {
  const env = environment();
  const base = (env['BURNLINE_ROUTER_URL'] || 'http://127.0.0.1:9093').replace(/\/+$/, '');
  const key = env['BURNLINE_KEY'];
  const query = at === undefined ? '' : `?at=${encodeURIComponent(new Date(at).toISOString())}`;
  const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
  const answer = await http(`${base}/api/v1/oncall${query}`, { timeout: TIMEOUT, headers }).catch((cause: unknown) => {
    const hint = 'start it, set BURNLINE_ROUTER_URL, or give --oncall.file';
    throw new Fault('router_unreachable', `Cannot reach the router at ${base}: ${hint}`, { cause });
  });
  const body: unknown = await answer.json().catch(() => undefined);
  const read = onCall.safeParse(body);
  if (answer.ok && read.success) return read.data;
  const problem = z.object({ detail: z.string() }).safeParse(body);
  const reason = problem.success ? problem.data.detail : 'which is no answer of a Burnline router';
  throw new Fault('router_refused', `The router at ${base} answered ${answer.status}: ${reason}`);
}
