/**
 * The router's watch beside real PromQL servers that let in whom they know, over real TLS: Prometheus with a name and a
 * password, VictoriaMetrics behind vmauth with a bearer token and a tenant.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import bcrypt from 'bcryptjs';
import { getJson, until } from '#test/kit/alertmanager.ts';
import { BASE } from '#test/kit/objectives.ts';
import { type Pages, type RunningPrometheus, servePages, startPrometheus } from '#test/kit/prometheus.ts';
import { type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';
import { freePort } from '#test/tools/postgres.ts';

const PROMETHEUS = process.env['TEST_TOOL_PROMETHEUS'];
const VICTORIA = process.env['TEST_TOOL_VICTORIAMETRICS'];
const openssl = spawnSync('openssl', ['version']).status === 0;
const skip = (!openssl && 'openssl is not here') || (!PROMETHEUS && 'prometheus is not here');
const [PASSWORD, TOKEN, TENANT] = ['a-word-that-nobody-may-see', 'a-token-that-nobody-may-see', 'team-a'];

type Slo = { readonly total: number; readonly verdict: string; readonly source: unknown };
type Env = Readonly<Record<string, string>>;

describe('a router that reads a server that not everybody may ask', { skip }, () => {
  const counters = { completed: 100, failed: 0 };
  const folder = temporaryFolder();
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const programs: ChildProcess[] = [];
  let target: Pages | undefined;
  let prometheus: RunningPrometheus | undefined;
  let counting: NodeJS.Timeout | undefined;
  let routers = 0;

  before(async () => {
    makeCertificate(cert, key);
    target = await servePages(() => ({
      body: `# TYPE finished_total counter\nfinished_total{outcome="completed"} ${counters.completed}\nfinished_total{outcome="failed"} 0\n`,
    }));
    counting = setInterval(() => {
      counters.completed += 10;
    }, 500);
    writeFileSync(join(folder, 'slo.yaml'), BASE.replaceAll('documents', 'shop'));
    writeFileSync(join(folder, 'alertmanager.yml'), 'route: {receiver: none}\nreceivers: [{name: none}]\n');
    const web = join(folder, 'web.yml');
    writeFileSync(
      web,
      `tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {ada: ${bcrypt.hashSync(PASSWORD, 4).replace('$2b$', '$2y$')}}\n`,
    );
    const authorization = `Basic ${Buffer.from(`ada:${PASSWORD}`).toString('base64')}`;
    prometheus = await startPrometheus(PROMETHEUS ?? '', {
      config: scraping(target.host),
      flags: [`--web.config.file=${web}`],
      ready: async (url) => (await statusOf(`${url.replace('http:', 'https:')}/-/ready`, { authorization })) === 200,
    });
  });
  after(async () => {
    clearInterval(counting);
    for (const program of programs) program.kill('SIGKILL');
    await prometheus?.[Symbol.asyncDispose]();
    await target?.[Symbol.asyncDispose]();
    removeFolder(folder);
  });

  async function statusOf(url: string, headers: Env): Promise<number | undefined> {
    return await new Promise((resolve, reject) => {
      const outgoing = request(url, { ca: readFileSync(cert), headers, timeout: 2_000 }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  const start = async (url: string, env: Env, ...flags: readonly string[]): Promise<Running> =>
    await startRole('router', { BURNLINE_STATE: join(folder, `${routers++}`), ...env }, [
      '--web.listen-address=127.0.0.1:0',
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--objectives=${join(folder, 'slo.yaml')}`,
      `--prometheus.url=${url}`,
      '--prometheus.every=1',
      ...flags,
    ]);
  const trusted = { NODE_EXTRA_CA_CERTS: cert };

  /** What the server has counted is in the router's ledger. */
  async function counts(router: Running, url: string): Promise<void> {
    const slos = async () => (await getJson<Slo[]>(`${router.urls['router']}/api/v1/slos`))[0];
    const seen = await until('the counters are read', async () => {
      const one = await slos();
      return one !== undefined && one.total > 0 && one.verdict === 'ok' ? one : undefined;
    }).catch((error: unknown) => assert.fail(`${error}: ${router.output().slice(-2_000)}`));
    assert.deepEqual(seen.source, { kind: 'promql', url });
    await until('and go on', async () => ((await slos())?.total ?? 0) > seen.total || undefined);
    const told = router.output();
    assert.doesNotMatch(told, new RegExp(`${PASSWORD}|${TOKEN}`));
  }

  /** Sees nothing, and says why. */
  async function refused(router: Running, why: RegExp): Promise<void> {
    await until('it says why', async () => why.test(router.output()) || undefined).catch((error: unknown) =>
      assert.fail(`${error}: ${router.output().slice(-2_000)}`),
    );
    const [one] = await getJson<Slo[]>(`${router.urls['router']}/api/v1/slos`);
    assert.equal(one?.total, 0);
    assert.doesNotMatch(router.output(), new RegExp(`${PASSWORD}|${TOKEN}`));
  }

  type Case = { readonly router: Promise<Running>; readonly check: (router: Running) => Promise<void> };
  const all = async (cases: readonly Case[]): Promise<void> => {
    await Promise.all(
      cases.map(async (one) => {
        await using router = await one.router;
        await one.check(router);
      }),
    );
  };

  test('Prometheus with TLS, a name and a password', async () => {
    const url = prometheus?.url.replace('http:', 'https:') ?? '';
    const basic = { ROUTER_PROMETHEUS_USER: 'ada', ROUTER_PROMETHEUS_PASSWORD: PASSWORD };
    const known = { ...trusted, ...basic };
    await all([
      { router: start(url, known), check: (router) => counts(router, url) },
      {
        router: start(url, { ...known, ROUTER_PROMETHEUS_PASSWORD: 'wrong' }),
        check: (router) => refused(router, /The PromQL server answered 401/),
      },
      // Its certificate is nobody's that this one knows: it sends no password there.
      { router: start(url, basic), check: (router) => refused(router, /self-signed certificate/) },
    ]);
  });

  test('VictoriaMetrics behind TLS, with a bearer token and a tenant', { skip: !VICTORIA && 'not here' }, async () => {
    const [store, auth] = [await freePort(), await freePort()];
    const config = join(folder, 'scrape.yml');
    writeFileSync(config, scraping(target?.host ?? ''));
    programs.push(
      spawn(VICTORIA ?? '', [
        `-httpListenAddr=127.0.0.1:${store}`,
        `-storageDataPath=${join(folder, 'victoria')}`,
        `-promscrape.config=${config}`,
        // Else it answers what was half a minute ago.
        '-search.latencyOffset=1s',
        '-loggerLevel=ERROR',
      ]),
    );
    const users = join(folder, 'users.yml');
    const map = `[{src_paths: ["/prometheus/.*"], src_headers: ["X-Scope-OrgID: ${TENANT}"], url_prefix: "http://127.0.0.1:${store}"}]`;
    writeFileSync(users, `users: [{bearer_token: "${TOKEN}", url_map: ${map}}]\n`);
    programs.push(
      spawn(join(dirname(VICTORIA ?? ''), 'vmauth'), [
        `-httpListenAddr=127.0.0.1:${auth}`,
        `-auth.config=${users}`,
        '-tls',
        `-tlsCertFile=${cert}`,
        `-tlsKeyFile=${key}`,
        '-loggerLevel=ERROR',
      ]),
    );
    const base = `https://127.0.0.1:${auth}`;
    await until('vmauth and its store are there', async () => {
      const headers = { authorization: `Bearer ${TOKEN}`, 'x-scope-orgid': TENANT };
      return (await statusOf(`${base}/prometheus/api/v1/labels`, headers)) === 200 || undefined;
    });
    const url = `${base}/prometheus`;
    const bearer = { ...trusted, ROUTER_PROMETHEUS_TOKEN: TOKEN };
    const tenant = `--prometheus.tenant=${TENANT}`;
    await all([
      { router: start(url, bearer, tenant), check: (router) => counts(router, url) },
      {
        router: start(url, bearer, '--prometheus.tenant=team-b'),
        check: (router) => refused(router, /The PromQL server answered 400/),
      },
      {
        router: start(url, { ...bearer, ROUTER_PROMETHEUS_TOKEN: 'wrong' }, tenant),
        check: (router) => refused(router, /The PromQL server answered 401/),
      },
    ]);
  });
});

const scraping = (host: string): string => `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: shop
  static_configs: [{targets: ['${host}']}]
`;

function makeCertificate(cert: string, key: string): void {
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2'],
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
  ]);
  assert.equal(made.status, 0, `${made.stderr}`);
}
