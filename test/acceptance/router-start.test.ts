/** The router in Alertmanager's place: its flags, its signals, its web configuration, and who may come. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { text as wholeOf } from 'node:stream/consumers';
import test, { after, before, describe } from 'node:test';
import bcrypt from 'bcryptjs';
import { getJson, postAlerts, until } from '#test/kit/alertmanager.ts';
import { burnline } from '#test/kit/cli.ts';
import { clean, type Running, startRole, temporaryFolder } from '#test/kit/stack.ts';

const CONFIG = 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n';
const FREE = '--web.listen-address=127.0.0.1:0';

let folder = '';
let config = '';
before(() => {
  folder = temporaryFolder();
  config = join(folder, 'alertmanager.yml');
  writeFileSync(config, CONFIG);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const start = async (state: string, ...flags: string[]): Promise<Running> =>
  await startRole('router', { BURNLINE_STATE: join(folder, state) }, [`--config.file=${config}`, FREE, ...flags]);

const dropIn = (data: string): string[] => [
  `--storage.path=${join(folder, data)}`,
  '--log.level=info',
  '--log.format=json',
  '--cluster.listen-address=',
  '--cluster.peer=other:9094',
  '--data.retention=120h',
  '--web.external-url=http://alerts.example/am/',
  '--web.route-prefix=/here',
  '--enable-feature=utf8-strict-mode',
];

describe('the drop-in start', () => {
  test('two stand side by side under Alertmanager’s flags, read again at SIGHUP, and end with 0 at SIGTERM', async () => {
    await using one = await start('a', ...dropIn('one'));
    await using two = await start('b', ...dropIn('two'));
    const urls = [one, two].map((running) => {
      const [, address] = /^ts=\S+ level=info msg="Listening on" address=(\S+)$/m.exec(running.output()) ?? [];
      assert.equal(running.urls['router'], `http://${address}`);
      return `http://${address}/here`;
    });
    assert.notEqual(urls[0], urls[1]);
    for (const url of urls) {
      assert.equal(await (await fetch(`${url}/-/healthy`)).text(), 'OK');
      assert.equal(await (await fetch(`${url}/-/ready`)).text(), 'OK');
      assert.equal((await fetch(url.replace('/here', '/api/v2/status'))).status, 404);
    }
    const [url = ''] = urls;
    assert.equal((await postAlerts(url, [{ labels: { alertname: 'One' } }])).status, 200);
    assert.equal((await getJson<object[]>(`${url}/api/v2/alerts`)).length, 1);
    assert.equal((await getJson<object[]>(`${urls[1]}/api/v2/alerts`)).length, 0);
    writeFileSync(config, CONFIG.replaceAll('nobody', 'somebody'));
    one.process.kill('SIGHUP');
    await until('the new file is in force', async () => {
      const [receiver] = await getJson<{ name: string }[]>(`${url}/api/v2/receivers`);
      return receiver?.name === 'somebody' || undefined;
    });
    writeFileSync(config, CONFIG);
    assert.equal(await one.stop(), 0);
    assert.equal(await two.stop(), 0);
  });

  test('it listens before its store is open, and whoever asks early is answered', async () => {
    const child = spawn(
      process.execPath,
      ['bin/burnline', 'router', `--config.file=${config}`, FREE, ...dropIn('early')],
      {
        env: { ...clean(process.env), LOG_FORMAT: 'json', BURNLINE_STATE: join(folder, 'early') } as NodeJS.ProcessEnv,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += String(piece)));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      const address = await until('it listens', async () => /"Listening on" address=(\S+)\n/.exec(output)?.[1]);
      assert.doesNotMatch(output, /router is ready/);
      const answers = await Promise.all([
        postAlerts(`http://${address}/here`, [{ labels: { alertname: 'Early' } }]),
        fetch(`http://${address}/here/-/healthy`),
        fetch(`http://${address}/nothing`),
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 404],
      );
      assert.match(answers[2].headers.get('content-type') ?? '', /problem\+json/);
      assert.equal((await getJson<object[]>(`http://${address}/here/api/v2/alerts`)).length, 1);
    } finally {
      child.kill('SIGTERM');
    }
    assert.equal(await ended, 0, output);
  });

  for (const [flags, code, reason] of [
    [['--nonsense=1'], 2, /unknown option '--nonsense=1'/],
    [['--web.listen-address=nowhere'], 2, /ROUTER_LISTEN expected host:port/],
    [[FREE, '--web.listen-address=127.0.0.1:9093'], 2, /given twice/],
    [['--enable-feature=magic'], 2, /ROUTER_FEATURES expected some of classic-mode/],
    [['--config.file=/nowhere/alertmanager.yml'], 1, /cannot be read: ENOENT/],
  ] as const) {
    test(`with ${flags.join(' ')} it ends with ${code}, says why, and never listens`, async () => {
      const listens = flags.some((flag) => flag.startsWith('--web.listen-address'));
      const ran = await burnline(['router', ...(listens ? [] : [FREE]), ...flags], {
        BURNLINE_STATE: join(folder, 'wrong'),
      });
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, reason);
      assert.doesNotMatch(ran.stderr, /Listening on/);
    });
  }
});

const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
const get = async (url: string, headers: Record<string, string> = {}) => (await fetch(url, { headers })).status;

describe('who may come', () => {
  test('off loopback a key is needed, which the command makes in the router’s own store', async () => {
    const env = { BURNLINE_STATE: join(folder, 'keys') };
    const made = await burnline(['keys', 'create', '--router', '--name', 'prometheus', '--roles', 'writer'], env);
    assert.equal(made.code, 0, made.stderr);
    const person = await burnline(['keys', 'create', '--router', '--name', 'ada', '--roles', 'admin,operator'], env);
    const args = [`--config.file=${config}`, '--web.listen-address=:0'];
    await using router = await startRole('router', env, args);
    const url = (router.urls['router'] ?? '').replace('0.0.0.0', '127.0.0.1');
    assert.equal(await get(`${url}/-/healthy`), 200);
    assert.equal(await get(`${url}/metrics`), 200);
    assert.equal(await get(`${url}/api/v2/alerts`), 401);
    assert.equal((await postAlerts(url, [{ labels: { alertname: 'No' } }])).status, 401);
    const writer = { authorization: `Bearer ${made.stdout.trim()}` };
    assert.equal(await get(`${url}/api/v2/alerts`, writer), 403);
    const body = JSON.stringify([{ labels: { alertname: 'Yes' } }]);
    const headers = { ...writer, 'content-type': 'application/json' };
    assert.equal((await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body })).status, 200);
    // amtool and Grafana know basic authentication: the key is the password.
    assert.equal(await get(`${url}/api/v2/alerts`, basic(`ada:${person.stdout.trim()}`)), 200);
    // The embedded store is open in the running router, which is asked.
    const asked = { ...env, BURNLINE_ROUTER_URL: url, BURNLINE_KEY: person.stdout.trim() };
    const listed = await burnline(['keys', 'list', '--router', '--json'], asked);
    assert.equal(listed.code, 0, listed.stderr);
    const names = (JSON.parse(listed.stdout) as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['ada', 'prometheus']);
  });

  test('--insecure-no-auth lets anybody in, off loopback too', async () => {
    const args = [`--config.file=${config}`, '--web.listen-address=0.0.0.0:0', '--insecure-no-auth'];
    await using router = await startRole('router', { BURNLINE_STATE: join(folder, 'open') }, args);
    assert.equal(await get(`${(router.urls['router'] ?? '').replace('0.0.0.0', '127.0.0.1')}/api/v2/alerts`), 200);
  });

  test('--web.config.file asks for a name and a password, on loopback too', async () => {
    const file = join(folder, 'web.yml');
    writeFileSync(file, `basic_auth_users:\n  ada: ${bcrypt.hashSync('right', 4).replace('$2b$', '$2y$')}\n`);
    await using router = await start('web', `--web.config.file=${file}`);
    const url = router.urls['router'] ?? '';
    assert.equal(await get(`${url}/api/v2/alerts`), 401);
    assert.equal(await get(`${url}/api/v2/alerts`, basic('ada:wrong')), 401);
    assert.equal(await get(`${url}/api/v2/alerts`, basic('eve:right')), 401);
    assert.equal(await get(`${url}/api/v2/alerts`, basic('ada:right')), 200);
    assert.equal(await get(`${url}/-/healthy`), 200);
  });

  const openssl = spawnSync('openssl', ['version']).status === 0;
  test('--web.config.file gives it a certificate', { skip: !openssl && 'openssl is not here' }, async () => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '1',
      ...names,
    ];
    assert.equal(spawnSync('openssl', made).status, 0);
    const file = join(folder, 'tls.yml');
    writeFileSync(file, 'tls_server_config: {cert_file: cert.pem, key_file: key.pem, min_version: TLS13}\n');
    await using router = await start('tls', `--web.config.file=${file}`);
    const url = router.urls['router'] ?? '';
    assert.match(url, /^https:/);
    const settings = { ROUTER_LISTEN: new URL(url).host, ROUTER_WEB_CONFIG_FILE: file };
    const health = spawnSync(process.execPath, ['bin/health', 'router'], { env: settings, encoding: 'utf8' });
    assert.equal(health.stdout, 'router is ready\n');
    const ask = (path: string) =>
      new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
        const outgoing = request(`${url}${path}`, { ca: readFileSync(cert) }, (incoming) => {
          wholeOf(incoming).then((body) => resolve({ status: incoming.statusCode, body }), reject);
        });
        outgoing.on('error', reject);
        outgoing.end();
      });
    assert.equal((await ask('/api/v2/status')).status, 200);
    const { body } = await ask('/metrics');
    const left = Number(/^tls_certificate_expiry_timestamp_seconds (\S+)$/m.exec(body)?.[1]) - Date.now() / 1_000;
    assert(left > 23 * 3_600 && left <= 24 * 3_600, `the certificate is good for ${left} s`);
    await assert.rejects(fetch(url.replace('https:', 'http:')));
    assert.equal(await router.stop(), 0);
  });

  for (const [text, reason] of [
    ['basic_auth_users: {ada: secret}', /basic_auth_users\.ada: is no hash of bcrypt/],
    [
      'tls_server_config: {cert_file: a.pem, key_file: b.pem, client_ca_file: c.pem}',
      /tls_server_config.*client_ca_file/,
    ],
    ['tls_server_config: {cert_file: a.pem, key_file: b.pem}', /cannot read a\.pem: ENOENT/],
    ['http_server_config: {headers: {X: y}}', /http_server_config.*headers/],
    ['nonsense: 1', /nonsense/],
    ['a: [', /is no YAML/],
  ] as const) {
    test(`the web configuration "${text}" is refused`, async () => {
      const file = join(folder, 'wrong.yml');
      writeFileSync(file, text);
      const flags = [`--config.file=${config}`, FREE, `--web.config.file=${file}`];
      const ran = await burnline(['router', ...flags], { BURNLINE_STATE: join(folder, 'wrong') });
      assert.equal(ran.code, 2, ran.stderr);
      assert.match(ran.stderr, reason);
      assert.doesNotMatch(ran.stderr, /secret/);
    });
  }
});
