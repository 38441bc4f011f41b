/** Corrections as people enter them, by HTTP and from a shell, in a router that is killed and comes back. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { getJson, until } from '#test/kit/alertmanager.ts';
import { burnline } from '#test/kit/cli.ts';
import { BASE } from '#test/kit/objectives.ts';
import { servePages } from '#test/kit/prometheus.ts';
import { removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

type Slo = { readonly good: number; readonly total: number; readonly uncorrected: { readonly total: number } | null };
type Correction = { readonly id: string; readonly by: string; readonly withdrawnBy: string | null };

const ID = 'documents-processed';
const iso = (at: number) => new Date(at).toISOString();

test('what is corrected does not count, over HTTP, from a shell and after kill -9', { timeout: 120_000 }, async (t) => {
  const folder = temporaryFolder();
  const counters = { completed: 100, failed: 0 };
  await using target = await servePages(() => ({
    body: `finished_total{outcome="completed"} ${counters.completed}\nfinished_total{outcome="failed"} ${counters.failed}\n`,
  }));
  writeFileSync(join(folder, 'slo.yaml'), BASE);
  writeFileSync(join(folder, 'alertmanager.yml'), 'route: {receiver: none}\nreceivers: [{name: none}]\n');
  const start = async () =>
    await startRole('router', { BURNLINE_STATE: folder }, [
      '--web.listen-address=127.0.0.1:0',
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--objectives=${join(folder, 'slo.yaml')}`,
      `--scrape=shop=${target.url}/metrics`,
    ]);
  let router = await start();
  t.after(async () => {
    await router.kill();
    removeFolder(folder);
  });
  const url = () => `${router.urls['router']}/api/v1/slos`;
  const post = async (body: object, id = ID) =>
    await fetch(`${url()}/${id}/corrections`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const shell = async (...args: string[]) =>
    await burnline(['slo', 'corrections', ...args], { BURNLINE_ROUTER_URL: router.urls['router'] ?? '', USER: 'ada' });
  const counted = async (total: number, uncorrected: number | undefined) =>
    await until(
      `${total} of ${uncorrected}`,
      async () => {
        const [slo] = await getJson<Slo[]>(url());
        // A half of what fell into two blocks of the ledger is not exact in the last digit.
        const isThere = Math.abs((slo?.total ?? 0) - total) < 1e-6;
        if (!isThere || slo?.uncorrected?.total !== uncorrected) throw new Error(JSON.stringify(slo));
        return true;
      },
      30_000,
    );
  // It has been seen once when its own history knows of watched time: only then growth counts.
  await until(
    'it is watched',
    async () => {
      const steps = await getJson<{ coverage: number }[]>(`${url()}/${ID}/history`);
      return steps.some(({ coverage }) => coverage > 0) || undefined;
    },
    30_000,
  );
  counters.completed += 40;
  counters.failed += 10;
  await counted(50, undefined);
  // What was counted is kept at the end of a router, and each minute; a correction, before it is answered.
  await router.stop();
  router = await start();

  // Of what is there already the edges of a span move to the beginnings of their buckets of 5 s: it ends well after them.
  const span = { from: iso(Date.now() - 600_000), to: iso(Date.now() + 10_000), reason: 'agreed maintenance' };
  const made = await post({ ...span, kind: 'events', events: 4, by: 'platform team' });
  assert.equal(made.status, 201);
  const { id } = (await made.json()) as Correction;
  await counted(46, 50);
  const steps = await getJson<{ total: number; counted: { total: number } | null }[]>(
    `${url()}/${ID}/history?step=3600`,
  );
  assert.deepEqual(
    steps.map(({ total, counted }) => [total, counted?.total]),
    [[46, 50]],
  );

  const refused: readonly [object, RegExp][] = [
    [{ ...span, to: span.from }, /"to" must be after "from"/],
    [{ ...span, kind: 'share' }, /needs field "share"/],
    [{ ...span, share: 0.5 }, /"share" goes with kind share/],
    [{ ...span, reason: ' ' }, /reason/],
    [{ ...span, from: '2001-01-01T00:00:00Z' }, /within 400 days/],
  ];
  for (const [body, reason] of refused) {
    const answer = await post(body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.match(((await answer.json()) as { detail: string }).detail, reason);
  }
  assert.equal((await post(span, 'nothing')).status, 404);

  await router.kill();
  router = await start();
  await counted(46, 50);

  const { stdout } = await shell('list', ID, '--json');
  assert.deepEqual(
    (JSON.parse(stdout) as Correction[]).map((one) => [one.id, one.by]),
    [[id, 'platform team']],
  );
  const withdrawn = await shell('withdraw', ID, id);
  assert.equal(withdrawn.code, 0, withdrawn.stderr);
  await counted(50, undefined);
  assert.equal((await shell('withdraw', ID, id)).code, 1);
  const added = await shell('add', ID, '--from', span.from, '--to', span.to, '--reason', 'not ours', '--share', '0.5');
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /0\.5 of the bad +ada +in force +not ours/);
  await counted(45, 50);
  assert.match((await shell('list', ID)).stdout, /taken back by ada/);
});
