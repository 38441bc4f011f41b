import assert from 'node:assert/strict';
import test from 'node:test';
import { silentLog } from '#kernel/log.ts';
import { milliseconds } from '#kernel/units.ts';
import { holdSetup, lateLinks } from './router-setup.ts';

const CONFIG = 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n';

test('what follows from new files is done once the store is back, and once', async () => {
  let isAway = true;
  const links = lateLinks();
  links.become({ external: 'http://127.0.0.1:9093', sign: () => '' });
  const done: string[] = [];
  const setup = holdSetup({
    files: {
      config: { shipped: CONFIG },
      oncall: { shipped: '{}\n' },
      mode: 'default',
      hearsPagerduty: false,
      links,
    },
    log: silentLog,
    now: () => milliseconds(1_800_000_000_000),
    took: async ({ version }) => {
      if (isAway) throw new Error('the store is away');
      done.push(version);
    },
  });
  await setup.catchUp();
  await assert.rejects(setup.reload(), /away/);
  await assert.rejects(setup.catchUp(), /away/);
  isAway = false;
  await setup.catchUp();
  await setup.catchUp();
  assert.deepEqual(done, [setup.current().version]);
  await setup.reload();
  await setup.catchUp();
  assert.equal(done.length, 2);
});
