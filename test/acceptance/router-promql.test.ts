/** The router's watch beside a real Prometheus that has the counters: history, live, away, and nobody there. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { getJson, until } from '#test/kit/alertmanager.ts';
import { BASE } from '#test/kit/objectives.ts';
import { servePages, startPrometheus } from '#test/kit/prometheus.ts';
import { type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

const [PROMETHEUS, PROMTOOL] = [process.env['TEST_TOOL_PROMETHEUS'], process.env['TEST_TOOL_PROMTOOL']];
const skip = PROMETHEUS && PROMTOOL ? false : 'prometheus and promtool are not here: `npm run tools` says why';
const TOKEN = 'a-token-that-nobody-may-see';
const DAYS = 10;
const MINUTE = 60;

type Slo = {
  readonly id: string;
  readonly good: number;
  readonly total: number;
  readonly verdict: string;
  readonly severity: string | null;
  readonly because: string | null;
  readonly budgetRemaining: number;
  readonly budgetInterval: { readonly low: number; readonly high: number };
  readonly source: unknown;
};

/** A counter a minute for some days, each twentieth hour failing, as a Prometheus' memory. */
function remember(folder: string, instance: string) {
  const end = Math.floor(systemClock.now() / 1_000 / MINUTE) * MINUTE - 600;
  const rows: Record<'completed' | 'failed', string[]> = { completed: [], failed: [] };
  const counters = { completed: 1_000, failed: 500 };
  // On a quarter of an hour, which is how finely the oldest of a history is read.
  for (let at = Math.floor(end / 900) * 900 - DAYS * 86_400; at <= end; at += MINUTE) {
    const labels = `job="shop",instance="${instance}"`;
    for (const outcome of ['completed', 'failed'] as const) {
      rows[outcome].push(`finished_total{outcome="${outcome}",${labels}} ${counters[outcome]} ${at}`);
    }
    if (at === end) break;
    counters[Math.floor(at / 3_600) % 20 === 0 ? 'failed' : 'completed'] += 7;
  }
  const made = join(folder, 'history.om');
  writeFileSync(made, ['# TYPE finished counter', ...rows.completed, ...rows.failed, '# EOF', ''].join('\n'));
  execFileSync(PROMTOOL ?? '', ['tsdb', 'create-blocks-from', 'openmetrics', made, join(folder, 'data')], {
    stdio: 'pipe',
  });
  return counters;
}

test('a router that reads a real Prometheus', { skip, timeout: 300_000 }, async (t) => {
  const folder = temporaryFolder();
  const counters = { completed: 0, failed: 0 };
  await using target = await servePages(() => ({
    body: `# TYPE finished counter\nfinished_total{outcome="completed"} ${counters.completed}\nfinished_total{outcome="failed"} ${counters.failed}\n# EOF\n`,
    headers: { 'content-type': 'application/openmetrics-text; version=1.0.0' },
  }));
  const data = join(folder, 'prometheus');
  mkdirSync(data);
  Object.assign(counters, remember(data, target.host));
  const before = { completed: counters.completed - 1_000, failed: counters.failed - 500 };
  const config = `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: shop
  static_configs: [{targets: ['${target.host}']}]
`;
  const prometheus = await startPrometheus(PROMETHEUS ?? '', { config, folder: data });
  await using guard = await guarded(prometheus.url);
  writeFileSync(join(folder, 'slo.yaml'), BASE.replaceAll('documents', 'shop'));
  writeFileSync(join(folder, 'alertmanager.yml'), 'route: {receiver: none}\nreceivers: [{name: none}]\n');
  const start = async (state: string, token = TOKEN): Promise<Running> =>
    await startRole('router', { BURNLINE_STATE: join(folder, state), ROUTER_PROMETHEUS_TOKEN: token }, [
      '--web.listen-address=127.0.0.1:0',
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--objectives=${join(folder, 'slo.yaml')}`,
      `--prometheus.url=${guard.url}`,
      '--prometheus.every=1',
      '--log.level=debug',
    ]);
  let router = await start('one');
  t.after(async () => {
    await router.stop();
    await prometheus[Symbol.asyncDispose]();
    removeFolder(folder);
  });
  const url = () => router.urls['router'] ?? '';
  const slo = async () => (await getJson<Slo[]>(`${url()}/api/v1/slos`))[0];
  const counted = async (completed: number, failed: number) =>
    await until(
      `${completed} completed and ${failed} failed are counted`,
      async () => {
        const one = await slo();
        return one?.good === completed && one.total === completed + failed ? one : undefined;
      },
      30_000,
    ).catch(async (error: unknown) =>
      assert.fail(`${error}: ${JSON.stringify(await slo())}\n${router.output().slice(-2_000)}`),
    );
  const alerts = async (name: string) =>
    await getJson<{ labels: Record<string, string> }[]>(`${url()}/api/v2/alerts?filter=alertname%3D${name}`);

  await t.test('has the whole history in its budget at once, to the event', async () => {
    const one = await counted(before.completed, before.failed);
    assert.equal(one.id, 'shop-processed');
    assert.deepEqual(one.source, { kind: 'promql', url: guard.url });
    const spent = before.failed / (before.completed + before.failed) / 0.02;
    assert(Math.abs(one.budgetRemaining - (1 - spent)) < 1e-9, JSON.stringify(one));
    assert(one.budgetInterval.high - one.budgetInterval.low < 0.06, 'only the pause before it started is unknown');
    const page = await fetch(
      `${url()}/api/v1/slos/shop-processed/history?from=${new Date(systemClock.now() - 86_400_000).toISOString()}&step=3600`,
    );
    const steps = (await page.json()) as { total: number }[];
    assert(
      steps.slice(1, -2).every(({ total }) => total === 420),
      JSON.stringify(steps),
    );
    assert.deepEqual(await alerts('ErrorBudgetBurn'), [], 'what was long ago is no outage now');
  });

  await t.test('counts what comes, and pages for it', async () => {
    counters.completed += 30;
    await counted(before.completed + 30, before.failed);
    const failing = setInterval(() => {
      counters.failed += 5;
    }, 1_000);
    try {
      await until(
        'it burns',
        async () => {
          const one = await slo();
          return (one?.verdict === 'burning' && one.severity === 'critical') || undefined;
        },
        90_000,
      );
    } finally {
      clearInterval(failing);
    }
    const [alert] = await until('the alert', async () => {
      const found = await alerts('ErrorBudgetBurn');
      return found.length > 0 ? found : undefined;
    });
    assert.equal(alert?.labels['sloth_service'], 'shop');
  });

  await t.test('counts after a restart what happened while it was away', async () => {
    await counted(before.completed + 30, counters.failed - 500);
    await router.stop();
    counters.completed += 40;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    router = await start('one');
    await counted(before.completed + 70, counters.failed - 500);
  });

  await t.test('sees nothing with a wrong credential, and says so without it', async () => {
    await using other = await start('two', 'wrong');
    const seen = await until('it has asked', async () => {
      return /does not answer: nothing is seen/.test(other.output()) ? other.output() : undefined;
    });
    assert.match(seen, /The PromQL server answered 401/);
    assert.doesNotMatch(seen, /Bearer|"wrong"/);
    assert.doesNotMatch(router.output(), new RegExp(TOKEN));
  });

  await t.test('is blind without it, and calls no service down', async () => {
    const well = setInterval(() => {
      counters.completed += 30;
    }, 1_000);
    await until('nothing pages', async () => (await slo())?.severity !== 'critical' || undefined, 120_000).finally(() =>
      clearInterval(well),
    );
    await prometheus[Symbol.asyncDispose]();
    await until('blindness', async () => (await alerts('ObjectiveBlind'))[0], 60_000);
    assert.match((await slo())?.because ?? '', /has not answered since/);
    assert.deepEqual(await alerts('ServiceDown'), []);
  });
});

/** Before the server: whoever shows no right token is refused. */
async function guarded(url: string) {
  const { createServer, request } = await import('node:http');
  const server = createServer((asked, answer) => {
    if (asked.headers.authorization !== `Bearer ${TOKEN}`) return void answer.writeHead(401).end();
    const passed = request(`${url}${asked.url}`, { method: asked.method ?? 'GET', headers: asked.headers }, (found) => {
      answer.writeHead(found.statusCode ?? 500, found.headers);
      found.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
