/** The description that the router serves of itself is true: schemathesis holds every answer against it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { getJson, postAlerts } from '#test/kit/alertmanager.ts';
import { EXAMPLES, SEED, schemathesis, TOOL } from '#test/kit/openapi.ts';
import { removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

/** Checks that ask for what this API does not mean to do. */
const NOT_MEANT = [
  // What a schema cannot say (a matcher must be a regular expression, an end after its start) is a 400 all the same.
  'positive_data_acceptance',
  // A right alert is taken although another of its batch is wrong; what Alertmanager does not know it does not look at.
  'negative_data_rejection',
  // A silence that has ended stays on record.
  'use_after_free',
];
const why = TOOL === undefined && 'schemathesis is not here: nobody holds the answers against the document';

test('schemathesis finds no 5xx and no answer that is not described', { skip: why, timeout: 300_000 }, async (t) => {
  const folder = temporaryFolder();
  await using router = await startRole('router', {
    BURNLINE_STATE: folder,
    RATE_PER_SECOND: '1000000',
    RATE_BURST: '1000000',
    ROUTER_PAGERDUTY_WEBHOOK_SECRET: 'a secret that nobody guesses',
  });
  const url = router.urls['router'] ?? '';
  assert.equal((await postAlerts(url, [{ labels: { alertname: 'One', severity: 'critical' } }])).status, 200);
  t.diagnostic(`seed ${SEED}, ${EXAMPLES} examples for each operation`);
  const { code, output } = await schemathesis(url, NOT_MEANT, ['/api/v1/events']);
  const errors = router
    .output()
    .split('\n')
    // No vendor is there: that its pages are not delivered it says itself, after a minute.
    .filter((line) => line.includes('"level":"error"') && !line.includes('does not get its work done'));
  assert.deepEqual(errors, []);
  assert.equal(code, 0, `seed ${SEED}:\n${output.slice(-12_000)}`);
  t.diagnostic(/\d+ generated/.exec(output)?.[0] ?? output.slice(-200));
  await getJson(`${url}/api/v2/status`);
  removeFolder(folder);
});
