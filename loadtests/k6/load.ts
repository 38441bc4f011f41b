/**
 * Every load test: documents arrive at the rate that the plan says, whether or not those before them are done. Run by k6,
 * which strips the types itself; imports nothing but k6 and this folder.
 *
 *   npm run loadtest -- SCENARIO       makes the plan, runs this, and judges it (docs/loadtests.md)
 *   LOAD_PLAN=FILE                     the plan; default: the smoke test that is committed
 *   BURNLINE_URL, BURNLINE_KEY         the document API and its key; BURNLINE_KEY_FILE names a file that holds it
 *   LOAD_SUMMARY=FILE                  where k6's own counts go, as JSON
 */
import { check } from 'k6';
import exec from 'k6/execution';
import { type File, open as openShared, SeekMode } from 'k6/experimental/fs';
import http from 'k6/http';
import { BASE, makeClient } from './client.ts';
import { follow, upload } from './document.ts';
import type { Plan, PlannedDocument } from './plan.ts';

const plan = JSON.parse(open(__ENV['LOAD_PLAN'] ?? '../plans/smoke.json')) as Plan;
const client = makeClient(plan);
type Opened = PlannedDocument & { readonly file: File };
/** Kept once for all virtual users, unlike what `open` of k6 itself gives. */
const opened: Opened[] = [];
for (const document of plan.documents) opened.push({ ...document, file: await openShared(document.path) });
const good = opened.filter(({ expected }) => !expected.startsWith('rejected'));
const bad = opened.filter(({ expected }) => expected.startsWith('rejected'));

export const options = plan.options;

/** Throws before anybody begins: k6 ends with 107, and not with a page of failed requests. */
export function setup(): Run {
  const { status } = http.get(`${BASE}/readyz`);
  if (status !== 200) throw new Error(`${BASE}/readyz answers ${status}: is it the document API, and does it run?`);
  // A committed plan has no name of a run: under the same keys a second run would get the first one's documents.
  return { run: plan.run === '' ? `load-${Date.now()}` : plan.run };
}

type Run = { readonly run: string };

export default async function load({ run }: Run): Promise<void> {
  const number = exec.scenario.iterationInTest;
  const phase = phaseAt(Date.now() - exec.scenario.startTime);
  exec.vu.metrics.tags['phase'] = phase;
  const document = documentOf(number);
  const key = `${run}-${number}`;
  const bytes = await contentOf(document);
  const sending = { plan: { ...plan, run }, client, document, bytes, key, phase };
  const begun = Date.now();
  const id = upload(sending);
  check(id, { 'the document is accepted': (one) => one !== undefined });
  if (id === undefined) return;
  const isCompleted = follow(sending, id, begun);
  if (!isCompleted || document.words === '' || number % plan.everySearch !== 0) return;
  const found = client.search(document.words);
  // A search that is told to come back is no search that fails.
  if (found.status !== 429) check(found, { 'a search finds something': finds });
}

const finds = ({ status, body }: { readonly status: number; readonly body: unknown }): boolean =>
  status === 200 && String(body).includes('documentId');

const phaseAt = (at: number): string => (plan.phases.find(({ to }) => at < to) ?? plan.phases.at(-1))?.name ?? '';

/** All in turn, so that a short run has as many kinds as it can. */
function documentOf(number: number): Opened {
  const { everyBad } = plan;
  const isBad = bad.length > 0 && (good.length === 0 || (everyBad > 0 && number % everyBad === everyBad - 1));
  const of = isBad ? bad : good;
  const found = of[(isBad && everyBad > 0 ? Math.floor(number / everyBad) : number) % of.length];
  if (found === undefined) throw new Error('The plan has no documents');
  return found;
}

async function contentOf({ file, bytes }: Opened): Promise<ArrayBuffer> {
  const content = new Uint8Array(bytes);
  if (bytes === 0) return content.buffer;
  await file.seek(0, SeekMode.Start);
  await file.read(content);
  return content.buffer;
}

export function handleSummary(data: object): Record<string, string> {
  const where = __ENV['LOAD_SUMMARY'];
  return where === undefined ? { stdout: shown(data) } : { [where]: JSON.stringify(data) };
}

type Summary = { readonly metrics?: Record<string, { readonly values?: Record<string, number> }> };

/** For whoever runs the script by itself, as compose does. */
function shown({ metrics = {} }: Summary): string {
  const lines = Object.entries(metrics)
    .filter(([name]) => /^(?:document|api_|checks|iterations|dropped)/.test(name) && !name.includes('{'))
    .map(([name, { values = {} }]) => {
      const [count, rate, p95] = [values['count'], values['rate'], values['p(95)']];
      if (p95 !== undefined) return `${name}: p95 ${(p95 / 1_000).toFixed(2)} s`;
      return count === undefined ? `${name}: ${(100 * (rate ?? 0)).toFixed(2)}%` : `${name}: ${count}`;
    });
  return `${lines.sort().join('\n')}\n`;
}
