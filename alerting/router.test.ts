import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { makeDesk, policy, route, setupOf, slack, span } from '#test/kit/alerting.ts';
import { until } from '#test/kit/alertmanager.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { fingerprint } from './labels.ts';
import { makeRouter } from './router.ts';
import { makeSqlStore } from './store-sql.ts';

onEveryEngine('the loops of a router', (db) => {
  beforeEach(async () => await emptyTables(db()));

  test('a step is taken although some group is always due', async () => {
    const setup = setupOf({
      // Due again as soon as it was looked at.
      root: route('pager', { groupWait: span(0), groupInterval: span(0) }),
      receivers: ['pager', 'boss'].map((name) => ({ name, integrations: [slack()] })),
      policies: [
        policy('pager', {
          steps: [
            { delay: span(0), targets: [{ kind: 'receiver', name: 'pager' }] },
            { delay: milliseconds(50), targets: [{ kind: 'receiver', name: 'boss' }] },
          ],
        }),
      ],
    });
    const desk = makeDesk(makeSqlStore(db()), setup);
    const now = () => milliseconds(Math.floor(systemClock.now()));
    const router = makeRouter({ ...desk.around, now, clock: systemClock, db: db() });
    const stop = new AbortController();
    const running = router.run(stop.signal);
    try {
      const labels = { alertname: 'Down', severity: 'critical' };
      const at = now();
      const alert = { fingerprint: fingerprint(labels), labels, annotations: {}, generatorUrl: '', timeout: false };
      const endsAt = (at + 600_000) as Milliseconds;
      await router.receive([{ ...alert, startsAt: at, endsAt, updatedAt: at }]);
      await until('the second step', async () =>
        desk.arrived.find(({ destination }) => destination === 'receiver/boss/slack[0]'),
      );
    } finally {
      stop.abort();
      await running;
    }
    assert.equal(desk.arrived.length, 2);
  });
});
