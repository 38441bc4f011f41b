/** Who may do what, at a running service, with keys that the command made and tokens that somebody else issued. */
import assert from 'node:assert/strict';
import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type JWTPayload, SignJWT } from 'jose';
import { burnline } from '#test/kit/cli.ts';
import { type Answer, call, type Hit, untilFinished, upload } from '#test/kit/client.ts';
import { type Problem, type Service, STORES, startService } from '#test/kit/service.ts';

const NOBODY = '01a20298-0000-7000-8000-000000000000';
const ISSUER = 'https://issuer.example';
const OUTSIDE = { API_HOST: '0.0.0.0' };
type Env = Readonly<Record<string, string>>;
type Made = { readonly id: string; readonly key: string };

async function makeKey(env: Env, ...flags: string[]): Promise<Made> {
  const { code, stdout, stderr } = await burnline(['keys', 'create', '--json', '--name', 'a key', ...flags], env);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Made;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function ask(url: string, method = 'GET', key?: string, body?: unknown): Promise<Answer> {
  const headers = {
    ...(key === undefined ? {} : bearer(key)),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  return await call(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/** From another address of this machine, with headers that no browser would let a page set. */
function from(address: string, url: string, headers: Record<string, string> = {}): Promise<Answer<Problem>> {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path: pathname, headers, localAddress: address }, (incoming) => {
      let text = '';
      incoming.on('data', (data) => {
        text += String(data);
      });
      incoming.on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, headers: new Headers(), body: JSON.parse(text) as Problem });
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const counted = async (service: Service, reason: string): Promise<number> => {
  const { body } = await call<string>(`${service.metrics}/metrics`);
  return Number(new RegExp(`^access_refused_total\\{reason="${reason}"\\} (\\d+)`, 'm').exec(body)?.[1] ?? 0);
};

for (const store of STORES) {
  describe(`a service off loopback (${store})`, () => {
    let service: Service;
    let api = '';
    const keys: Record<string, Made> = {};
    const key = (name: string): string => keys[name]?.key ?? '';
    const signers = {
      rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
      ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      stranger: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    };

    before(async () => {
      const prepare = async (env: Env) => {
        const jwks = [signers.rsa, signers.ec].map(({ publicKey }) => publicKey.export({ format: 'jwk' }));
        writeFileSync(join(env['BURNLINE_STATE'] ?? '', 'jwks.json'), JSON.stringify({ keys: jwks }));
        // The store is asked itself, since no service runs; one that needs a key could not be asked for the first.
        keys['admin'] = await makeKey(env, '--roles', 'admin');
        keys['other'] = await makeKey(env, '--roles', 'admin,writer', '--tenant', 'other');
        Object.assign(env, { JWT_KEY_FILE: join(env['BURNLINE_STATE'] ?? '', 'jwks.json') });
      };
      service = await startService({ store, prepare, env: { ...OUTSIDE, JWT_ISSUER: ISSUER, RATE_BURST: '5000' } });
      const { port } = new URL(service.api);
      api = `http://127.0.0.1:${port}`;
      const env = { BURNLINE_URL: api, BURNLINE_KEY: key('admin') };
      for (const role of ['reader', 'writer']) keys[role] = await makeKey(env, '--roles', role);
    });
    after(async () => await service[Symbol.asyncDispose]());

    const document = async (tenant: string, text: string): Promise<string> => {
      const answer = await upload(api, text, 'a.txt', { headers: bearer(key(tenant)) });
      assert.equal(answer.status, 202, JSON.stringify(answer.body));
      return answer.body.id;
    };

    test('asks everybody for a key at every route of its own description, but four', async () => {
      const { body } = await call<{ paths: Record<string, Record<string, object>> }>(`${api}/openapi.json`);
      const open: string[] = [];
      for (const [path, operations] of Object.entries(body.paths)) {
        for (const method of Object.keys(operations)) {
          const answer = await ask(`${api}${path.replace('{id}', NOBODY)}`, method.toUpperCase());
          if (answer.status === 200) open.push(path);
          else {
            assert.equal(answer.status, 401, `${method} ${path}`);
            assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
            assert.equal(answer.body['code'], 'unauthenticated');
          }
        }
      }
      assert.deepEqual(open.sort(), ['/healthz', '/metrics', '/openapi.json', '/readyz']);
      for (const path of open.filter((one) => one !== '/openapi.json')) {
        assert.equal((await call(`${service.metrics}${path}`)).status, 200, `${path} at the metrics' port`);
      }
      assert((await counted(service, 'missing')) >= 9);
    });

    test('takes a key as bearer, as X-API-Key and as the password of basic authentication', async () => {
      const url = `${api}/v1/documents`;
      const basic = Buffer.from(`anybody:${key('reader')}`).toString('base64');
      for (const headers of [
        bearer(key('reader')),
        { authorization: `bearer  ${key('reader')}` },
        { 'x-api-key': key('reader') },
        { authorization: `Basic ${basic}` },
      ]) {
        assert.equal((await call(url, { headers: headers as Record<string, string> })).status, 200);
      }
    });

    test('lets each role do what its table says, and nothing else', async () => {
      const id = await document('writer', 'For the table of roles.');
      const TABLE: readonly [what: string, method: string, path: string, body: unknown, may: string[]][] = [
        ['list', 'GET', '/v1/documents', undefined, ['reader', 'writer', 'admin']],
        ['read', 'GET', `/v1/documents/${id}`, undefined, ['reader', 'writer', 'admin']],
        ['read chunks', 'GET', `/v1/documents/${id}/chunks`, undefined, ['reader', 'writer', 'admin']],
        ['search', 'POST', '/v1/search', { query: 'roles' }, ['reader', 'writer', 'admin']],
        ['upload', 'POST', '/v1/documents', {}, ['writer', 'admin']],
        ['retry', 'POST', `/v1/documents/${id}/retry`, undefined, ['writer', 'admin']],
        ['list keys', 'GET', '/v1/keys', undefined, ['admin']],
        ['make keys', 'POST', '/v1/keys', { name: 'x', roles: ['reader'] }, ['admin']],
        ['revoke keys', 'DELETE', '/v1/keys/0000', undefined, ['admin']],
        ['erase', 'DELETE', `/v1/documents/${id}`, undefined, ['admin']],
      ];
      const before = await counted(service, 'forbidden');
      let refused = 0;
      for (const [what, method, path, body, may] of TABLE) {
        for (const role of ['reader', 'writer', 'admin']) {
          const answer = await ask(`${api}${path}`, method, key(role), body);
          assert.equal(answer.status === 403, !may.includes(role), `${role} may ${what}: ${answer.status}`);
          if (answer.status !== 403) continue;
          refused++;
          assert.equal(answer.body['code'], 'forbidden');
          assert.match(String(answer.body['detail']), new RegExp(`has ${role}, which does not allow`));
        }
      }
      assert.equal((await counted(service, 'forbidden')) - before, refused);
    });

    test('shows a tenant nothing of another: not its documents, their chunks, its keys, nor that they are there', async () => {
      const text = 'The lighthouse keeper counts the herring gulls.';
      const theirs = await document('other', text);
      const mine = await document('writer', 'Another text altogether.');
      await untilFinished(api, theirs, 30_000, bearer(key('other')));
      await untilFinished(api, mine, 30_000, bearer(key('writer')));
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/chunks'],
        ['POST', '/retry'],
        ['DELETE', ''],
      ] as const) {
        const there = await ask(`${api}/v1/documents/${theirs}${path}`, method, key('admin'));
        const nowhere = await ask(`${api}/v1/documents/${NOBODY}${path}`, method, key('admin'));
        assert.equal(there.status, 404, `${method} ${path}`);
        assert.equal(String(there.body['detail']).replace(theirs, NOBODY), nowhere.body['detail']);
      }
      const list = (await ask(`${api}/v1/documents?limit=200`, 'GET', key('admin'))).body as {
        items?: { id: string }[];
      };
      assert(list.items?.some(({ id }) => id === mine) && !list.items.some(({ id }) => id === theirs));
      const found = async (name: string): Promise<string[]> => {
        const { body } = await ask(`${api}/v1/search`, 'POST', key(name), { query: text, limit: 100 });
        return (body as unknown as Hit[]).map(({ documentId }) => documentId);
      };
      assert((await found('other')).includes(theirs));
      assert(!(await found('other')).includes(mine));
      assert(!(await found('reader')).includes(theirs));
      const seen = (await ask(`${api}/v1/keys`, 'GET', key('other'))).body as unknown as Made[];
      assert.deepEqual(
        seen.map(({ id }) => id),
        [keys['other']?.id],
      );
      assert.equal((await ask(`${api}/v1/keys/${keys['reader']?.id}`, 'DELETE', key('other'))).status, 404);
      assert.equal((await ask(`${api}/v1/documents/${theirs}`, 'GET', key('other'))).status, 200, 'it is still there');
    });

    test('gives each tenant Idempotency-Keys of its own', async () => {
      const headers = (name: string) => ({ ...bearer(key(name)), 'idempotency-key': 'shared-by-chance' });
      const one = await upload(api, 'one', 'a.txt', { headers: headers('writer') });
      const two = await upload(api, 'two', 'b.txt', { headers: headers('other') });
      assert.equal(two.status, 202);
      assert.notEqual(one.body.id, two.body.id);
    });

    test('believes a token of the key set: its tenant, its roles, its time, and nothing that it says of itself', async () => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { sub: 'ci', tenant: 'default', roles: ['reader'], iss: ISSUER, aud: 'burnline', exp: now + 60 };
      const sign = (payload: JWTPayload, alg: string, signer: KeyObject) =>
        new SignJWT(payload).setProtectedHeader({ alg }).sign(signer);
      const spki = signers.rsa.publicKey.export({ type: 'spki', format: 'pem' });
      const none = [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
      const { rsa, ec, stranger } = signers;
      const TOKENS: readonly [title: string, token: string, status: number][] = [
        ['RS256', await sign(claims, 'RS256', rsa.privateKey), 200],
        ['ES256', await sign(claims, 'ES256', ec.privateKey), 200],
        ['no role', await sign({ ...claims, roles: [] }, 'ES256', ec.privateKey), 403],
        ['expired', await sign({ ...claims, exp: now - 60 }, 'ES256', ec.privateKey), 401],
        ['another issuer', await sign({ ...claims, iss: 'x' }, 'ES256', ec.privateKey), 401],
        ['another audience', await sign({ ...claims, aud: 'x' }, 'ES256', ec.privateKey), 401],
        ['no tenant', await sign({ ...claims, tenant: undefined }, 'ES256', ec.privateKey), 401],
        ['a stranger’s signature', await sign(claims, 'ES256', stranger.privateKey), 401],
        ['the public key as a shared secret', await sign(claims, 'HS256', createSecretKey(Buffer.from(spki))), 401],
        ['no signature', `${none.join('.')}.`, 401],
      ];
      for (const [title, token, status] of TOKENS) {
        assert.equal((await ask(`${api}/v1/documents`, 'GET', token)).status, status, title);
      }
      const foreign = await sign({ ...claims, tenant: 'other', roles: ['admin'] }, 'ES256', ec.privateKey);
      const { items } = (await ask(`${api}/v1/documents?limit=200`, 'GET', foreign)).body as { items?: unknown[] };
      assert.equal(items?.length, 2, 'it sees the other tenant’s documents');
    });

    test('refuses a key as soon as it is revoked by the service, and within seconds by another process', async () => {
      const url = `${api}/v1/documents`;
      const env = { BURNLINE_URL: api, BURNLINE_KEY: key('admin') };
      const short = await makeKey(env, '--roles', 'reader');
      assert.equal((await ask(url, 'GET', short.key)).status, 200);
      assert.equal((await burnline(['keys', 'revoke', short.id], env)).code, 0);
      const answer = await ask(url, 'GET', short.key);
      assert.equal(answer.status, 401);
      assert.match(String(answer.body['detail']), /revoked/);
      assert((await counted(service, 'revoked')) >= 1);
      const listed = await burnline(['keys', 'list'], env);
      assert.match(listed.stdout, new RegExp(`${short.id}  revoked  reader  a key`));
      assert(!listed.stdout.includes(short.key), 'a list shows no key');
      if (store === 'embedded') return;
      const elsewhere = await makeKey(service.env, '--roles', 'reader');
      assert.equal((await ask(url, 'GET', elsewhere.key)).status, 200);
      assert.equal((await burnline(['keys', 'revoke', elsewhere.id], service.env)).code, 0);
      const begun = performance.now();
      while ((await ask(url, 'GET', elsewhere.key)).status !== 401) {
        assert(performance.now() - begun < 8_000, 'the revocation takes hold');
        await sleep(200);
      }
    });

    test('refuses a key when its time is over', async () => {
      const wish = { name: 'short', roles: ['reader'], expiresAt: new Date(Date.now() + 1_500).toISOString() };
      const made = (await ask(`${api}/v1/keys`, 'POST', key('admin'), wish)).body as unknown as Made;
      assert.equal((await ask(`${api}/v1/documents`, 'GET', made.key)).status, 200);
      await sleep(1_700);
      const answer = await ask(`${api}/v1/documents`, 'GET', made.key);
      assert.equal(answer.status, 401);
      assert.match(String(answer.body['detail']), /expired/);
      const past = { ...wish, expiresAt: '2020-01-01T00:00:00Z' };
      assert.equal((await ask(`${api}/v1/keys`, 'POST', key('admin'), past)).status, 400);
    });

    test('slows down whoever guesses, and only that address', async () => {
      const wrong = `bl_${'0'.repeat(16)}_${'0'.repeat(64)}`;
      const guess = () => from('127.0.0.3', `${api}/v1/documents`, bearer(wrong));
      const answers = await Promise.all(Array.from({ length: 40 }, guess));
      const limited = answers.filter(({ status }) => status === 429);
      assert(limited.length >= 10, `${limited.length} of 40 guesses were held back`);
      assert.equal(limited[0]?.body.code, 'rate_limited');
      assert.equal((await from('127.0.0.4', `${api}/v1/documents`, bearer(key('reader')))).status, 200);
      assert((await counted(service, 'rate_limited')) >= 10);
      assert((await counted(service, 'unknown')) >= 20);
      const log = service.running.output();
      for (const { key: one } of Object.values(keys)) assert(!log.includes(one), 'no key is in the log');
    });
  });
}

describe('a service behind a proxy, open to a list of addresses and without keys', () => {
  let service: Service;
  let url = '';
  before(async () => {
    const env = { ...OUTSIDE, TRUST_PROXY: 'on', IP_ALLOW_LIST: '127.0.0.2,198.51.100.0/24' };
    service = await startService({ env, args: ['--insecure-no-auth'] });
    url = `http://127.0.0.1:${new URL(service.api).port}/v1/documents`;
  });
  after(async () => await service[Symbol.asyncDispose]());

  const CASES: readonly [title: string, address: string, forwarded: string | undefined, status: number][] = [
    ['takes an address of the list without a key', '127.0.0.2', undefined, 200],
    ['refuses another', '127.0.0.1', undefined, 403],
    ['takes the one that the proxy forwards', '127.0.0.1', '198.51.100.7', 200],
    ['refuses the one that the proxy forwards', '127.0.0.2', '203.0.113.9', 403],
    ['does not believe what a caller wrote before it', '127.0.0.1', '198.51.100.7, 203.0.113.9', 403],
    ['takes the last one as the proxy’s word', '127.0.0.1', '203.0.113.9, 198.51.100.7', 200],
  ];
  for (const [title, address, forwarded, status] of CASES) {
    test(title, async () => {
      const answer = await from(address, url, forwarded === undefined ? {} : { 'x-forwarded-for': forwarded });
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      if (status === 403) assert.match(answer.body.detail, /address/);
    });
  }
});

describe('a service on loopback', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(async () => await service[Symbol.asyncDispose]());

  test('needs no key, and makes them for whoever asks on this machine', async () => {
    const env = { BURNLINE_URL: service.api };
    const { key, id } = await makeKey(env, '--roles', 'reader,writer', '--days', '30');
    assert.equal((await ask(`${service.api}/v1/documents`)).status, 200);
    assert.equal((await ask(`${service.api}/v1/documents`, 'GET', key)).status, 200);
    assert.equal(
      (await ask(`${service.api}/v1/documents/${NOBODY}`, 'DELETE', key)).status,
      403,
      'a key has its roles',
    );
    assert.equal(
      (await ask(`${service.api}/v1/documents`, 'GET', 'wrong')).status,
      401,
      'a wrong key is wrong here too',
    );
    const listed = JSON.parse((await burnline(['keys', 'list', '--json'], env)).stdout) as Made[];
    assert.equal(listed[0]?.id, id);
    const unknown = await burnline(['keys', 'revoke', '0000000000000000'], env);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /There is no key 0000000000000000 of tenant default/);
    const foreign = await burnline(['keys', 'create', '--name', 'x', '--tenant', 'other'], env);
    assert.equal(foreign.code, 1);
    assert.match(foreign.stderr, /keys of the caller's own tenant/);
  });

  for (const [title, headers] of [
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['another origin', { origin: 'https://evil.example' }],
    ['another host’s name', { host: 'evil.example' }],
  ] as const) {
    test(`takes nothing from ${title} without a key`, async () => {
      const answer = await from('127.0.0.1', `${service.api}/v1/documents`, headers);
      assert.equal(answer.status, 403);
      assert.match(answer.body.detail, /other web sites/);
      assert.equal((await counted(service, 'cross_site')) > 0, true);
    });
  }
});
