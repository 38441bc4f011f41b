/** Which eyes are open, asked over a real socket; Prometheus as its alerts have told of it. */
import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { makeMatcher } from '#alerting/matcher.ts';
import { putBeats } from '#alerting/rows/heartbeats.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { inSeconds, makeDesk, route, setupOf, span } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { openRouterApi } from '#test/kit/router-api.ts';
import type { EyeShown } from './v1-eyes.ts';

const made = [makeMatcher('cluster', '=', 'a'), makeMatcher('alertname', '=', 'Watchdog')];
const [first, second] = made.flatMap((one) => (one.kind === 'matcher' ? [one.matcher] : []));
assert(first && second);
const base = { every: span(60), grace: span(60), fromFirstBeat: true, severity: 'warning', labels: {} } as const;
const setup = setupOf({
  root: route('nobody'),
  receivers: [{ name: 'nobody', integrations: [] }],
  heartbeats: [
    { ...base, name: 'prometheus', alert: [first, second] },
    { ...base, name: 'backup', alert: undefined },
  ],
});

onEveryEngine('eyes', (db) => {
  before(async () => await emptyTables(db()));

  test('are the router’s own and Prometheus’: absent, then seen by an alert, then by its heartbeat, then blind', async () => {
    const desk = makeDesk(makeSqlStore(db()), setup);
    await using api = await openRouterApi(db(), desk);
    const eyes = async () =>
      (await api.ask<EyeShown[]>('/api/v1/eyes')).body.map(({ eye, state }) => `${eye} ${state}`);
    assert.deepEqual(await eyes(), ['router absent', 'prometheus absent']);
    desk.time = 10_000;
    await desk.fire({ alertname: 'Burn', eye: 'router' });
    assert.deepEqual(await eyes(), ['router absent', 'prometheus absent']);
    await desk.fire({ alertname: 'Burn', eye: 'prometheus' });
    desk.time = 20_000;
    const [, other] = (await api.ask<EyeShown[]>('/api/v1/eyes')).body;
    assert.deepEqual([other?.state, other?.lastAt], ['open', new Date(inSeconds(10)).toISOString()]);
    await putBeats(db(), ['prometheus', 'backup'], inSeconds(20));
    desk.time = 139_000;
    const [, beating] = (await api.ask<EyeShown[]>('/api/v1/eyes')).body;
    assert.deepEqual(
      beating?.targets.map(({ name, answered }) => [name, answered]),
      [['prometheus', true]],
    );
    desk.time = 140_000;
    assert.deepEqual(await eyes(), ['router absent', 'prometheus blind']);
  });
});
