/** Many alerts, stored and then listed: the first page, a page in the middle, all of them, the groups. */
import { performance } from 'node:perf_hooks';
import { forgetPeak, peakMemory, residentMemory } from '#test/kit/memory.ts';
import { quantile } from './pipeline.ts';

export type Listed = { readonly name: string; readonly url: string; readonly pid: number };
type Alerts = (from: number, count: number) => readonly object[];

const STORED_AT_ONCE = 2_000;
const TIMES = 20;

async function fill({ url }: Listed, alertsOf: Alerts, count: number): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < count; i += STORED_AT_ONCE) {
    const body = JSON.stringify(alertsOf(i, Math.min(STORED_AT_ONCE, count - i)));
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body });
    if (answer.status !== 200) throw new Error(`refused: ${answer.status} ${await answer.text()}`);
  }
  return (performance.now() - began) / 1_000;
}

async function times(path: string): Promise<string> {
  const found: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const began = performance.now();
    const answer = await fetch(path);
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
    found.push(performance.now() - began);
  }
  const [first = 0] = found;
  return `${first.toFixed(0)} / ${quantile(found, 0.5).toFixed(0)} / ${quantile(found, 0.95).toFixed(0)}`;
}

async function whole(target: Listed, path: string): Promise<string> {
  const before = residentMemory(target.pid);
  forgetPeak(target.pid);
  const began = performance.now();
  const answer = await fetch(`${target.url}${path}`);
  let bytes = 0;
  let most = 0;
  for await (const piece of answer.body ?? []) {
    bytes += piece.byteLength;
    most = Math.max(most, residentMemory(target.pid));
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const peak = peakMemory(target.pid);
  return `${(bytes / 1e6).toFixed(0)} MB in ${seconds} s, memory ${before.toFixed(0)} → ${peak.toFixed(0)} MB`;
}

export async function measureListing(target: Listed, alertsOf: Alerts, count: number): Promise<void> {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(`\n${target.name}: ${count} alerts stored in ${(await fill(target, alertsOf, count)).toFixed(1)} s`);
  const { url } = target;
  say(`| what | ms: first / median / 95 % of ${TIMES} |\n| --- | ---: |`);
  say(`| first page of 100 | ${await times(`${url}/api/v2/alerts?limit=100`)} |`);
  say(`| page of 100 in the middle | ${await times(`${url}/api/v2/alerts?limit=100&cursor=8000000000000000`)} |`);
  const one = encodeURIComponent('instance="10.0.7.7:9100"');
  say(`| the one that a filter finds | ${await times(`${url}/api/v2/alerts?limit=1&filter=${one}`)} |`);
  say(`| all | ${await whole(target, '/api/v2/alerts')} |`);
  say(`| all groups | ${await whole(target, '/api/v2/alerts/groups')} |`);
}
