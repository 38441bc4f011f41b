/**
 * docker-compose.yml, tried: a real engine, the image of our Dockerfile, real Postgres, Prometheus and Collector. Up, one
 * document through, one page out, k6, down, up again with nothing lost. Grafana, Tempo and Loki are in no registry
 * of packages, so they are left out here.
 */
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inbox, until } from '#test/kit/alertmanager.ts';
import { call, json, read, untilFinished, upload } from '#test/kit/client.ts';
import { openPlatform, type Platform } from '#test/kit/compose.ts';
import { type DockerEngine, startEngine } from '#test/tools/docker-engine.ts';
import { makeImages } from '#test/tools/docker-images.ts';

const tool = (name: string) => process.env[`TEST_TOOL_${name}`];
const [docker, postgres, prometheus, promtool] = ['DOCKER', 'POSTGRES', 'PROMETHEUS', 'PROMTOOL'].map(tool);
const [otelcol, k6, exporter] = ['OTELCOL', 'K6', 'POSTGRES_EXPORTER'].map(tool);
/** Bytes, unpacked: Node's own image is some 200 MB of it. */
const IMAGE_MOST = 500_000_000;

type Incident = { readonly number: number; readonly service: string; readonly state: string };
type Counted = {
  readonly data: { readonly result: { readonly metric: Record<string, string>; readonly value: [number, string] }[] };
};

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('docker compose', { timeout: 600_000 }, () => {
  let forbidden: string | undefined;
  let engine: DockerEngine | undefined;
  let platform: Platform | undefined;
  const closing = new AsyncDisposableStack();
  const there = () => {
    assert(engine !== undefined && platform !== undefined);
    return { engine, platform };
  };
  const keys = { api: '', router: '' };
  let document = '';

  before(
    async () => {
      if (!docker || !postgres || !prometheus || !promtool || !otelcol || !k6 || !exporter) {
        forbidden = 'not every program of the stack is here: npm run tools';
        return;
      }
      const started = await startEngine(docker);
      if (started.kind === 'forbidden') {
        forbidden = started.why;
        return;
      }
      engine = closing.use(started.engine);
      await makeImages(engine, { docker, postgres, prometheus, promtool, otelcol, k6, exporter });
      platform = closing.use(await openPlatform(engine));
      await platform.build();
      await platform.up();
    },
    { timeout: 600_000 },
  );
  after(async () => await closing.disposeAsync());

  const tries = (title: string, run: () => Promise<void>) =>
    test(title, async (t) => {
      if (forbidden !== undefined) t.skip(forbidden);
      else await run();
    });

  const incidents = async () =>
    (
      await call<{ items: Incident[] }>(`${there().platform.urls.router}/api/v1/incidents`, {
        headers: bearer(keys.router),
      })
    ).body.items;
  const query = async (text: string) => {
    const { prometheus: base } = there().platform.urls;
    return (await call<Counted>(`${base}/api/v1/query?query=${encodeURIComponent(text)}`)).body.data.result;
  };

  tries('brings up every role, healthy, unprivileged, and on loopback alone', async () => {
    const {
      engine: { docker: run },
      platform: { containers },
    } = there();
    for (const service of ['api', 'worker', 'router', 'simulators', 'prometheus', 'postgres', 'router-postgres']) {
      for (const id of await containers(service)) {
        const look = async (format: string) => (await run(['inspect', '-f', format, id])).trim();
        await until(
          `${service} is healthy`,
          async () => (await look('{{.State.Health.Status}}')) === 'healthy' || undefined,
          120_000,
        );
        assert.equal(await look('{{.HostConfig.ReadonlyRootfs}}'), 'true', service);
        const published = await look('{{range .HostConfig.PortBindings}}{{range .}}{{.HostIp}} {{end}}{{end}}');
        assert.match(published, /^(127\.0\.0\.1)?$/, service);
      }
    }
    assert.equal((await containers('worker')).length, 2);
    const [api = ''] = await containers('api');
    const written = await run(['exec', api, 'sh', '-c', 'id -u; touch /app/x 2>&1 || true; ls /app /app/docs']);
    assert.match(written, /^1000\n.*Read-only file system/);
    assert.doesNotMatch(written, /^(test|deploy|\.env)$/m);
    assert.match(written, /^\/app\/docs:\nrunbooks$/m, 'of the pages, what the console shows');
    const bytes = Number((await run(['image', 'inspect', '-f', '{{.Size}}', 'burnline:local'])).trim());
    assert(bytes < IMAGE_MOST, `the image has ${bytes} bytes`);
  });

  tries('names what is missing, at once', async () => {
    const {
      platform: { compose },
    } = there();
    await assert.rejects(
      compose(['config', '-q'], { env: { POSTGRES_PASSWORD: '' } }),
      /POSTGRES_PASSWORD.*is missing/,
    );
    const wrong = ['-e', 'WEBHOOK_SECRET=', '-e', 'ROUTER_LISTN=x'];
    const short = compose(['run', '--rm', '--no-deps', ...wrong, 'migrate']);
    await assert.rejects(short, (error: Error) => {
      assert.match(error.message, /fault +WEBHOOK_SECRET is missing/);
      const warned = error.message.match(/warning +ROUTER_LISTN is not a setting/g);
      assert.equal(warned?.length, 2, `of the role before the worker, and of the one after it: ${error.message}`);
      return true;
    });
  });

  tries('takes a document from upload to search, with a key and not without', async () => {
    const {
      platform: { urls, key },
    } = there();
    assert.equal((await upload(urls.api, 'nobody’s', 'a.txt')).status, 401);
    keys.api = await key('api', 'admin');
    keys.router = await key('router', 'operator');
    const { status, body } = await upload(urls.api, '# Lease\n\nThe rent is due on the third of May.', 'lease.md', {
      headers: bearer(keys.api),
    });
    assert.equal(status, 202);
    document = body.id;
    const ended = await untilFinished(urls.api, document, 60_000, bearer(keys.api));
    assert.equal(ended.status, 'completed', JSON.stringify(ended));
  });

  tries('serves the console, which shows documents by the router’s own key', async () => {
    const { router } = there().platform.urls;
    const page = await call<string>(`${router}/incidents/1`);
    assert.equal(page.status, 200);
    const [, script = ''] = /src="\.\/(assets\/[^"]+)"/.exec(page.body) ?? [];
    assert.equal((await call(`${router}/${script}`)).status, 200, script);
    const found = await call<{ status: string }>(`${router}/api/v1/documents/${document}`, {
      headers: bearer(keys.router),
    });
    assert.deepEqual([found.status, found.body.status], [200, 'completed'], JSON.stringify(found.body));
  });

  tries('gives workers names of their own', async () => {
    const {
      platform: { compose },
    } = there();
    const said = await compose(['logs', '--no-log-prefix', 'worker']);
    assert.equal(new Set([...said.matchAll(/"workerId":"([^"]+)"/g)].map(([, id]) => id)).size, 2);
  });

  tries('pages when LlamaParse breaks', async () => {
    const {
      platform: { urls },
    } = there();
    await until(
      'the objectives are seen',
      async () => {
        const { body } = await call<{ verdict: string }[]>(`${urls.router}/api/v1/slos`, {
          headers: bearer(keys.router),
        });
        return body.some(({ verdict }) => verdict === 'ok') || undefined;
      },
      90_000,
    );
    await json('PUT', `${urls.simulators}/faults/llamaparse`, { errorRate: 1, status: 500 });
    const headers = { ...bearer(keys.api), 'Cache-Control': 'no-cache' };
    for (let i = 0; (await inbox(urls.simulators, 'pagerduty')).length === 0; i++) {
      assert(i < 240, `no page in two minutes: ${JSON.stringify(await incidents())}`);
      await upload(urls.api, `Document ${i}`, `${i}.txt`, { headers });
      await sleep(500);
    }
    const [open] = await incidents();
    assert.equal(open?.service, 'burnline-documents', JSON.stringify(open));
    await json('DELETE', `${urls.simulators}/faults`);
  });

  tries('loses nothing by going down and up again: documents, incidents, keys, what was measured', async () => {
    const {
      platform: { urls, compose, up },
    } = there();
    const before = {
      document: await read(urls.api, document, bearer(keys.api)),
      incidents: (await incidents()).map(({ number }) => number),
    };
    const counted = await query('max_over_time(up{job="worker"}[1h])');
    assert.equal(counted.length, 2);
    await compose(['down'], { timeout: 180_000 });
    await up();
    assert.deepEqual(await read(urls.api, document, bearer(keys.api)), before.document);
    const numbers = (await incidents()).map(({ number }) => number);
    for (const number of before.incidents) assert(numbers.includes(number), `incident ${number} of ${numbers}`);
    assert((await query('max_over_time(up{job="worker"}[1h])')).length >= 2);
  });

  tries('lets k6 load it, and Prometheus keep its figures', async () => {
    const {
      platform: { compose },
    } = there();
    // How fast is this machine's matter; that every document ends is not.
    const short = ['--no-thresholds', '--vus', '2', '--duration', '10s'];
    const run = ['run', ...short, '-o', 'experimental-prometheus-rw', '/burnline/loadtests/k6/load.ts'];
    const said = await compose(['--profile', 'loadtest', 'run', '--rm', 'k6', ...run], { timeout: 180_000 });
    assert.match(said, /document_processed: 100\.00%/);
    const [total] = await query('sum(k6_documents_sent_total)');
    assert(Number(total?.value[1]) > 0, JSON.stringify(total));
  });
});
