/** An objective as its page is told of it, asked over a real socket of an engine that was played. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { milliseconds } from '#kernel/units.ts';
import { makeDesk, route, setupOf, T0 } from '#test/kit/alerting.ts';
import { openEngine } from '#test/kit/database.ts';
import { at, healthy, newStack, outage, play, START, shipped } from '#test/kit/engine.ts';
import { openRouterApi, type TestApi } from '#test/kit/router-api.ts';
import type { BurnStepShown, SloDetailShown, SparklineShown } from './v1-slo-detail.ts';
import type { SloShown } from './v1-slos.ts';

const ID = 'burnline-documents-documents-processed';
type Problem = { readonly detail: string };
let api: TestApi;

before(async () => {
  const stack = newStack(shipped('documents-processed', 'step-attempts'), 5);
  play(stack, 3_600, healthy);
  play(stack, 120, outage);
  const db = await openEngine('PGlite');
  const setup = setupOf({ root: route('nobody'), receivers: [{ name: 'nobody', integrations: [] }] });
  const desk = makeDesk(makeSqlStore(db), setup);
  desk.time = milliseconds(at(stack.now) * 1_000 - T0);
  const source = { kind: 'scrape', targets: ['http://127.0.0.1:1/metrics'] } as const;
  api = await openRouterApi(db, desk, { engine: () => stack.engine, source: () => source });
});
after(async () => await api[Symbol.asyncDispose]());

test('an objective in full is as the list has it, and more', async () => {
  const [first] = (await api.ask<SloShown[]>('/api/v1/slos')).body.filter(({ id }) => id === ID);
  const { status, body } = await api.ask<SloDetailShown>(`/api/v1/slos/${ID}`);
  assert.equal(status, 200, JSON.stringify(body));
  assert(first);
  for (const name of Object.keys(first) as (keyof SloShown)[]) assert.deepEqual(body[name], first[name], name);
  assert.equal(body.rules.length, 4);
  assert.equal(body.evidence?.alarmed, true);
  assert.equal(Date.parse(body.period.to) - Date.parse(body.period.from), 28 * 86_400_000);
  assert.equal((await api.ask('/api/v1/slos/gone')).status, 404);
});

test('its burn is told from the beginning of its period on, in some hundred steps, and between two moments', async () => {
  const { body: all } = await api.ask<BurnStepShown[]>(`/api/v1/slos/${ID}/burn`);
  assert.equal(all.length, 301);
  const from = new Date(START * 1_000).toISOString();
  const { body: some } = await api.ask<BurnStepShown[]>(
    `/api/v1/slos/${ID}/burn?from=${from}&to=2099-01-01T00:00:00Z&step=60`,
  );
  assert.deepEqual([some.length, some[0]?.at], [63, from], 'no further than now');
  assert.deepEqual(
    some.at(-1),
    all.at(-1)?.at === some.at(-1)?.at ? { ...all.at(-1), coverage: some.at(-1)?.coverage } : undefined,
  );
});

test('a stretch that is none, or of too many steps, is refused by its parameter', async () => {
  const ask = async (query: string) => {
    const { status, body } = await api.ask<Problem>(`/api/v1/slos/${ID}/burn?${query}`);
    return [status, body.detail];
  };
  assert.deepEqual(await ask('from=2099-01-01T00:00:00Z'), [400, 'parameter "from" must be before "to"']);
  assert.deepEqual((await ask('step=5'))[1], 'parameter "step": at most 5000 steps, received 483840');
  assert.match(String((await ask('from=yesterday'))[1]), /^parameter "from"/);
  assert.equal((await api.ask('/api/v1/slos/gone/burn')).status, 404);
});

test('sparklines are told of several at once, without those that there are not', async () => {
  const path = '/api/v1/slos/sparklines';
  const query = `id=${ID}&id=gone&id=burnline-documents-step-attempts&seconds=3600&points=12`;
  const { status, body } = await api.ask<SparklineShown[]>(`${path}?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(
    body.map(({ id, step, burnRates }) => [id, step, burnRates.length]),
    [
      [ID, 300, 12],
      ['burnline-documents-step-attempts', 300, 12],
    ],
  );
  assert((body[0]?.burnRates.at(-1) ?? 0) > 1);
  assert.equal(Date.parse(body[0]?.from ?? '') % 300_000, 0);
  const many = Array.from({ length: 101 }, (_, i) => `id=o${i}`).join('&');
  assert.deepEqual(
    [(await api.ask(path)).status, (await api.ask<Problem>(`${path}?${many}`)).body.detail],
    [400, 'parameter "id": expected 1 to 100 ids'],
  );
});
