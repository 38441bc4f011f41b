/** What the watch makes of a PromQL server's answers, over real HTTP: who is new, who was taken away, what was not answered. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { silentTelemetry } from '#collector/silent.ts';
import { systemClock } from '#kernel/clock.ts';
import { http } from '#kernel/http.ts';
import { silentLog } from '#kernel/log.ts';
import { milliseconds, seconds } from '#kernel/units.ts';
import { countsBack, countsNow, jobsNamed, namesOf, stallNow } from '#prometheus/counts.ts';
import { makePromql } from '#prometheus/vendors/promql.ts';
import { newEngine, tick } from '#slo/engine.ts';
import { viewOf } from '#slo/engine-view.ts';
import { at } from '#test/kit/engine.ts';
import { errorsOf, objective, selector } from '#test/kit/objectives-by-hand.ts';
import { servePages } from '#test/kit/prometheus.ts';
import { promqlSource } from './watch-promql.ts';
import { STALL_METRICS } from './worker-gone.ts';

type Target = { up?: number; requests?: number; errors?: number };
/** A server that remembers nothing and knows what it is told: `job instance` → what it shows. */
async function world(refuse: (query: string) => boolean = () => false) {
  const targets = new Map<string, Target>();
  const rows = (pick: (target: Target) => number | undefined, name: string, part?: string) =>
    [...targets].flatMap(([key, target]) => {
      const [job = '', instance = ''] = key.split(' ');
      const value = pick(target);
      const mark = part === undefined ? {} : { burnline_part: part };
      return value === undefined
        ? []
        : [{ metric: { __name__: name, job, instance, ...mark }, value: [0, `${value}`] }];
    });
  const server = await servePages((path, body) => {
    const query = new URLSearchParams(body).get('query') ?? '';
    const data = (resultType: string, result: unknown[]) => ({
      body: JSON.stringify({ status: 'success', data: { resultType, result } }),
    });
    if (refuse(query)) return { status: 503, body: 'busy' };
    if (path.endsWith('query_range')) return data('matrix', []);
    if (query.includes('label_replace(errors_total')) {
      return data('vector', [
        ...rows(({ errors }) => errors, 'errors_total', 'bad'),
        ...rows(({ requests }) => requests, 'requests_total', 'total'),
      ]);
    }
    if (query.includes('label_replace(good_total'))
      return data(
        'vector',
        rows(({ up }) => up, 'others_total', 'total'),
      );
    if (query.includes('process_start'))
      return data(
        'vector',
        rows(({ up }) => up, 'up'),
      );
    return data('vector', []);
  });
  return { targets, server };
}

async function watching(url: string) {
  let now = 0;
  const one = objective('answers', errorsOf('app'));
  const others = objective('others', { kind: 'ratio', good: selector('good_total'), total: selector('others_total') });
  const engine = newEngine([one, others], at(0));
  const promql = makePromql({ http, clock: systemClock, url, timeout: milliseconds(2_000) });
  const source = promqlSource({
    every: seconds(5),
    settled: seconds(0),
    now: () => milliseconds(at(now) * 1_000),
    log: silentLog,
    telemetry: silentTelemetry,
    stop: new AbortController().signal,
    server: {
      url,
      now: (...given) => countsNow(promql, ...given),
      stall: (...given) => stallNow(promql, STALL_METRICS, ...given),
      back: (...given) => countsBack(promql, ...given),
      namesOf,
      jobsOf: jobsNamed,
    },
  });
  await source.begin(engine);
  const look = async (moment: number) => {
    now = moment;
    const seen = await source.look(engine);
    tick(engine, at(moment));
    return seen;
  };
  return { engine, look, view: () => viewOf(engine, one.id, at(now)) };
}

test('a target that was taken away while another is there holds nothing back; one that is listed is blind', async () => {
  const { targets, server } = await world();
  await using _ = server;
  const { look, view, engine } = await watching(server.url);
  targets.set('app a:1', { up: 1, requests: 10, errors: 0 }).set('app b:1', { up: 1, requests: 10, errors: 0 });
  for (const moment of [5, 10, 15]) await look(moment);
  assert.equal(view()?.verdict.kind, 'ok');
  targets.set('app b:1', { up: 0 });
  for (const moment of [20, 25, 30]) await look(moment);
  assert.equal(view()?.verdict.kind, 'unknown', 'it is listed, and its scrapes fail');
  targets.delete('app b:1');
  await look(35);
  assert.equal(view()?.verdict.kind, 'ok');
  assert.deepEqual([...engine.targets.keys()], ['app a:1']);
});

test('all of a job that are gone are not taken away: nothing is seen', async () => {
  const { targets, server } = await world();
  await using _ = server;
  const { look, view, engine } = await watching(server.url);
  targets.set('app a:1', { up: 1, requests: 10, errors: 0 });
  for (const moment of [5, 10]) await look(moment);
  targets.clear();
  for (const moment of [15, 20, 25, 4_000, 4_005]) await look(moment);
  assert.equal(view()?.verdict.kind, 'unknown');
  assert.deepEqual([...engine.targets.keys()], ['app a:1']);
});

test('what was not answered once is not counted from 0 the next time', async () => {
  let busy = true;
  const { targets, server } = await world((query) => busy && query.includes('label_replace(errors_total'));
  await using _ = server;
  const { look, view } = await watching(server.url);
  targets.set('app a:1', { up: 1, requests: 1_000_000, errors: 7 });
  const seen = await look(5);
  assert.deepEqual([seen.heard, seen.answered.get('app a:1'), view()?.total], [true, true, 0]);
  busy = false;
  assert.equal((await look(10)).heard, true);
  targets.set('app a:1', { up: 1, requests: 1_000_003, errors: 8 });
  await look(15);
  assert.deepEqual([view()?.total, view()?.good], [3, 2]);
});

test('a target of its job that answers and has counted nothing is new, and one that is not there is blind after a minute', async () => {
  const { targets, server } = await world();
  await using _ = server;
  const { look, engine } = await watching(server.url);
  const sight = () => engine.counted.get('documents-answers')?.sight.kind;
  targets.set('app a:1', { up: 1 });
  for (const moment of [5, 60, 120]) await look(moment);
  assert.equal(sight(), 'awaited');
  targets.set('app a:1', { up: 0 });
  for (const moment of [125, 160, 185]) await look(moment);
  assert.equal(sight(), 'blind');
});
