/** Every query of every dashboard, asked of a real Prometheus that saw a real run (test/kit/observed-run.ts). */
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { getJson, until } from '#test/kit/alertmanager.ts';
import { OTELCOL } from '#test/kit/collector.ts';
import { POSTGRES_URL } from '#test/kit/database.ts';
import { type Asked, filledIn, queriesOf, readDashboards } from '#test/kit/grafana.ts';
import { observedRun } from '#test/kit/observed-run.ts';

const PROMETHEUS = process.env['TEST_TOOL_PROMETHEUS'];
const K6 = process.env['TEST_TOOL_K6'];
const EXPORTER = process.env['TEST_TOOL_POSTGRES_EXPORTER'];
const exporter = EXPORTER && POSTGRES_URL ? { program: EXPORTER, database: POSTGRES_URL } : undefined;

/** What rightly has no data in this run, by what its query says. A test sees to it that each is empty indeed. */
const EMPTY: readonly [expr: RegExp, because: string][] = [[/error_type!=""/, 'no statement fails']];
const isEmpty = ({ expr }: Asked) => EMPTY.some(([pattern]) => pattern.test(expr));
/** Whose maker is not here. */
const isOut = ({ expr }: Asked) => (!K6 && /\bk6_/.test(expr)) || (!exporter && /\bpg_/.test(expr));

/** All that is offered, and of the one that takes one only, the one that broke. */
const CHOICES = { objective: 'burnline-documents-documents-processed' };
const ALL = ['service', 'step', 'vendor', 'channel', 'host', 'job', 'test', 'scenario'];
const CHOSEN = { ...Object.fromEntries(ALL.map((name) => [name, '.*'])), ...CHOICES };

const asked = [...readDashboards().values()].flatMap(queriesOf);

describe('the dashboards', { skip: (!PROMETHEUS || !OTELCOL) && 'prometheus or otelcol is not here' }, () => {
  const stack = new AsyncDisposableStack();
  let prometheus = '';
  /** For all of them together: what has no data now may have some soon. */
  let patience = 0;

  before(async () => {
    prometheus = await observedRun(stack, { prometheus: PROMETHEUS ?? '', otelcol: OTELCOL ?? '', k6: K6, exporter });
    patience = performance.now() + 60_000;
  });
  after(async () => await stack.disposeAsync());

  for (const uid of new Set(asked.map(({ dashboard }) => dashboard))) {
    const mine = asked.filter((one) => one.dashboard === uid && !isEmpty(one) && !isOut(one));
    test(`${uid}: each of ${mine.length} queries has data`, async () => {
      const left = new Map(mine.map((one) => [one.where, one]));
      const look = async () => {
        for (const one of left.values()) if (await hasData(prometheus, one)) left.delete(one.where);
        return left.size === 0 || undefined;
      };
      await until('all have data', look, Math.max(100, patience - performance.now())).catch(() => {});
      assert.deepEqual(
        [...left.values()].map(({ where, expr }) => `${where}: ${expr}`),
        [],
      );
    });
  }

  test('what is said to be empty is empty, and is still asked for', async () => {
    for (const [pattern, because] of EMPTY) {
      const meant = asked.filter(({ expr }) => pattern.test(expr));
      assert(meant.length > 0, `nobody asks for ${pattern} any more`);
      for (const one of meant) assert(!(await hasData(prometheus, one)), `${one.where} has data, though ${because}`);
    }
  });

  test('what happened is on them', async () => {
    const value = async (uid: string, title: string) => {
      const one = asked.find(({ where }) => where.startsWith(`burnline-${uid}: ${title} (`));
      assert(one, title);
      const [series] = await ask<{ readonly value: readonly [number, string] }>(prometheus, one);
      return Number(series?.value[1]);
    };
    for (const [uid, title] of [
      ['documents', 'Finished'],
      ['documents', 'Failed'],
      ['vendors', 'Cost'],
      ['vendors', 'Pages'],
      ['vendors', 'Requests that failed'],
      ['paging', 'MTTA'],
      ['paging', 'MTTR'],
      ['paging', 'Who was woken'],
      ['slo-detail', 'Bad events'],
      ['slo-detail', 'Burn, 1 h'],
    ] as const) {
      assert((await value(uid, title)) > 0, `${uid}: ${title}`);
    }
    assert.equal(await value('paging', 'Pages in time'), 1);
  });
});

const INTERVAL = '10s';
/** Before the run nothing was there, so it is all of it. */
const RANGE = '5m';
const SECONDS = 300;

/** What Grafana would draw of it. */
async function ask<T>(prometheus: string, { expr, instant, label }: Asked): Promise<T[]> {
  const query = filledIn(expr, CHOSEN, RANGE, INTERVAL);
  const now = Date.now() / 1_000;
  const time = { start: String(now - SECONDS), end: String(now) };
  const [path, fields] =
    label !== undefined
      ? [`label/${label}/values`, { 'match[]': query, ...time }]
      : instant
        ? ['query', { query, time: String(now) }]
        : ['query_range', { query, ...time, step: '5s' }];
  const { data } = await getJson<{ data: T[] | { result: T[] } }>(
    `${prometheus}/api/v1/${path}?${new URLSearchParams(fields as Record<string, string>)}`,
  );
  return Array.isArray(data) ? data : data.result;
}

type Series =
  | string
  | {
      readonly value?: readonly [number, string];
      readonly values?: readonly [number, string][];
      readonly histogram?: object;
    };

async function hasData(prometheus: string, one: Asked): Promise<boolean> {
  const found = (await ask<Series>(prometheus, one)).some((series) => {
    if (typeof series === 'string') return series !== '';
    const values = [...(series.values ?? []), ...(series.value === undefined ? [] : [series.value])];
    return values.some(([, value]) => value !== 'NaN');
  });
  if (!found || !one.exemplar) return found;
  const query = filledIn(one.expr, CHOSEN, RANGE, INTERVAL);
  const now = Date.now() / 1_000;
  const fields = { query, start: String(now - SECONDS), end: String(now) };
  const { data } = await getJson<{ data: object[] }>(
    `${prometheus}/api/v1/query_exemplars?${new URLSearchParams(fields)}`,
  );
  return data.length > 0;
}
