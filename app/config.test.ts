import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { inspect } from 'node:util';
import { anonymousAllowed, type Config, type ConfigFault, environment, readConfig } from './config.ts';
import { type Role, SETTING_NAMES, type SettingName, setting } from './settings.ts';

type Env = Readonly<Record<string, string>>;
const folder = mkdtempSync(join(tmpdir(), 'burnline-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fileWith = (text: string): string => {
  const file = join(folder, `${text.length}.keys`);
  writeFileSync(file, text);
  return file;
};

const DATABASE_URL = 'postgres://u:p@localhost/burnline';
const KEYS = { LLAMA_CLOUD_API_KEY: 'llx-1', OPENAI_API_KEY: 'sk-1' };
const WEBHOOK_SECRET = 'sixteen-letters-long';
/** The least that each role starts with. */
const ENOUGH: Readonly<Record<Role, Env>> = {
  api: { DATABASE_URL, OPENAI_API_KEY: 'sk-1' },
  worker: { DATABASE_URL, WEBHOOK_SECRET, ...KEYS },
  service: KEYS,
  router: {},
  simulators: {},
  start: {},
};

const faultsOf = (role: Role, env: Env): readonly ConfigFault[] => {
  const outcome = readConfig(role, {}, env);
  return outcome.kind === 'faults' ? outcome.faults : [];
};
function configOf(role: Role, env: Env = {}, flags = {}): Config {
  const outcome = readConfig(role, flags, { ...ENOUGH[role], ...env });
  assert(outcome.kind === 'config', inspect(outcome));
  return outcome.config;
}

for (const [role, env] of Object.entries(ENOUGH) as [Role, Env][]) {
  test(`readConfig() starts role ${role} with ${Object.keys(env).join(', ') || 'nothing'}, and with nothing less`, () => {
    assert.deepEqual(faultsOf(role, env), []);
    for (const name of Object.keys(env)) {
      const rest = Object.fromEntries(Object.entries(env).filter(([other]) => other !== name));
      for (const less of [rest, { ...rest, [name]: '' }]) {
        const [fault, ...more] = faultsOf(role, less);
        assert.deepEqual(more, []);
        assert.equal(fault?.setting, name);
        assert.match(fault?.message ?? '', /^is missing: ./);
        assert(setting(name as SettingName).needed, `${name} is needed by ${role}: its table must say so`);
      }
    }
  });
}

test('readConfig() has defaults that keep to this machine and cost nothing under npm start', () => {
  const config = configOf('start');
  assert.equal(config.API_HOST, '127.0.0.1');
  assert.equal(config.METRICS_HOST, '127.0.0.1');
  assert.equal(config.SIMULATORS_HOST, '127.0.0.1');
  assert.deepEqual([config.API_PORT, config.METRICS_PORT, config.SIMULATORS_PORT], [8080, 9464, 8025]);
  assert.equal(config.BURNLINE_VENDORS, 'simulated');
  assert.equal(configOf('start', KEYS).BURNLINE_VENDORS, 'simulated', 'whatever keys the shell holds');
  assert.equal(configOf('start', { ...KEYS, BURNLINE_VENDORS: 'real' }).BURNLINE_VENDORS, 'real');
  assert.equal(configOf('service').BURNLINE_VENDORS, 'real');
  assert.equal(config.UPLOAD_MAX_BYTES, 50 * 1024 * 1024);
  assert.deepEqual([config.RATE_PER_SECOND, config.RATE_BURST], [50, 200]);
  assert.equal(config.PARSER, 'llamaparse');
  assert.deepEqual(config.WEBHOOK_PRIVATE_HOSTS, []);
  assert.equal(config.INSECURE_NO_AUTH, 'off');
});

const WRONG: readonly [setting: SettingName, value: string, says: RegExp][] = [
  ['API_PORT', '80a', /^expected a port, 0 to 65535, received "80a"$/],
  ['API_PORT', '65536', /^expected a port, 0 to 65535, received "65536"$/],
  ['API_PORT', '80.5', /^expected a port, 0 to 65535, received "80.5"$/],
  ['METRICS_PORT', '-1', /^expected a port/],
  ['WORKER_PLACES', '0', /^expected a whole number from 1 to 256, received "0"$/],
  ['WORKER_PLACES', '257', /^expected a whole number from 1 to 256/],
  ['STEP_ATTEMPTS', 'many', /^expected a whole number from 1 to 20, received "many"$/],
  ['BURNLINE_VENDORS', 'fake', /"real"\|"simulated", received "fake"$/],
  ['PARSER', 'ocr', /"llamaparse"\|"local", received "ocr"$/],
  ['PARSER_LOCAL_TYPES', 'pdf,xls', /^expected some of pdf, docx, html, markdown, text, received "pdf,xls"$/],
  ['CACHE', 'yes', /"on"\|"off", received "yes"$/],
  ['LLAMA_CLOUD_BASE_URL', 'api.example.com', /^expected an http or https URL, received "api.example.com"$/],
  ['OPENAI_BASE_URL', 'ftp://example.com', /^expected an http or https URL/],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318', /^expected an http or https URL/],
  ['WORKER_ID', 'a b', /^expected up to 100 letters, digits and/],
  ['UPLOAD_MAX_BYTES', '50MB', /^expected a whole number from 1 to 1073741824, received "50MB"$/],
  ['IP_ALLOW_LIST', '10.0.0.0/8,10', /^cannot be used. Cannot use "10" as an address: expected 192.0.2.7 or/],
  ['EMBEDDING_MODEL', 'my-model', /set EMBEDDING_USD_PER_MILLION_TOKENS$/],
  ['JWT_KEY_FILE', '/nowhere/jwks.json', /^cannot be used. Cannot read \/nowhere\/jwks.json: ENOENT$/],
  ['JWT_KEY_FILE', fileWith('not a key'), /^cannot be used. .* it is neither PEM nor JSON/],
  ['LOG_LEVEL', 'loud', /"silent", received "loud"$/],
];
for (const [name, value, says] of WRONG) {
  test(`readConfig() refuses ${name}=${value.slice(0, 30)} and says what would be right`, () => {
    const env = { ...ENOUGH.service, JWT_ISSUER: 'https://issuer.example', [name]: value };
    const [fault, ...more] = faultsOf('service', env);
    assert.deepEqual(more, []);
    assert.equal(fault?.setting, name);
    assert.match(fault?.message ?? '', says);
  });
}

test('readConfig() names every fault at once: wrong, missing and unusable, each setting once', () => {
  const env = {
    API_PORT: 'x',
    WORKER_PLACES: '0',
    DATABASE_URL: 'mysql://h',
    IP_ALLOW_LIST: 'x',
    JWT_KEY_FILE: '/nowhere',
  };
  const found = faultsOf('worker', env).map((fault) => fault.setting);
  const all = [
    ...['API_PORT', 'DATABASE_URL', 'IP_ALLOW_LIST', 'JWT_ISSUER', 'JWT_KEY_FILE'],
    ...['LLAMA_CLOUD_API_KEY', 'OPENAI_API_KEY', 'WEBHOOK_SECRET', 'WORKER_PLACES'],
  ];
  assert.deepEqual(found.sort(), all.sort());
});

test('readConfig() does not ask for vendors’ keys that a wrong BURNLINE_VENDORS may not need', () => {
  assert.deepEqual(
    faultsOf('service', { BURNLINE_VENDORS: 'x' }).map((fault) => fault.setting),
    ['BURNLINE_VENDORS'],
  );
});

const HIDDEN = SETTING_NAMES.filter((name) => setting(name).secret);
/** Too short, of no form, or with what a schema would quote. */
const SECRETS = ['hunter2', 'postgres:hunter2', 'mysql://root:hunter2@db/x', 'hunter2\nhunter2'];
for (const name of HIDDEN) {
  test(`readConfig() shows the value of ${name} nowhere: not in a fault, not in a configuration that is printed`, () => {
    for (const value of SECRETS) {
      const outcome = readConfig('service', {}, { ...ENOUGH.service, [name]: value });
      for (const text of [inspect(outcome, { depth: 9 }), JSON.stringify(outcome), `${outcome}`]) {
        assert(!text.includes('hunter2'), text);
      }
    }
  });
}

test('readConfig() hides what the table calls a secret, and that is everything that sounds like one', () => {
  assert.deepEqual([...HIDDEN].sort(), [
    'DATABASE_URL',
    'DOCUMENTS_API_KEY',
    'JWT_SHARED_SECRET',
    'LLAMA_CLOUD_API_KEY',
    'OPENAI_API_KEY',
    'OTEL_EXPORTER_OTLP_HEADERS',
    'ROUTER_DATABASE_URL',
    'ROUTER_PAGERDUTY_WEBHOOK_SECRET',
    'ROUTER_PROMETHEUS_AUTHORIZATION',
    'ROUTER_PROMETHEUS_PASSWORD',
    'ROUTER_PROMETHEUS_TOKEN',
    'WEBHOOK_SECRET',
  ]);
  for (const name of SETTING_NAMES) {
    if (/SECRET(?!_FILE$)|API_KEY$|PASSWORD|HEADERS/.test(name)) assert(setting(name).secret, name);
  }
});

test('readConfig() takes a flag before a variable, and an empty variable for none', () => {
  assert.equal(configOf('service', { API_PORT: '1' }, { API_PORT: '2' }).API_PORT, 2);
  assert.equal(configOf('service', { API_PORT: '' }).API_PORT, 8080);
});

test('readConfig() reads lists with commas, and spaces around them', () => {
  const config = configOf('service', {
    WEBHOOK_PRIVATE_HOSTS: ' a.internal , b.internal,',
    PARSER_LOCAL_TYPES: 'pdf, text',
  });
  assert.deepEqual(config.WEBHOOK_PRIVATE_HOSTS, ['a.internal', 'b.internal']);
  assert.deepEqual(config.PARSER_LOCAL_TYPES, ['pdf', 'text']);
});

test('readConfig() warns of a variable of ours that nobody reads, and of no other', () => {
  const env = {
    WORKER_PLACE: '4',
    BURNLINE_STATES: 'x',
    BURNLINE_URL: 'x',
    BURNLINE_CACHE: 'x',
    BURNLINE_ROUTER_KEY: 'x',
    BURNLINE_SIMULATORS_URL: 'x',
    PATH: 'x',
    PARSER: 'local',
  };
  assert.deepEqual(
    configOf('service', env).warnings.map((warning) => warning.setting),
    ['WORKER_PLACE', 'BURNLINE_STATES'],
  );
});

test('environment() counts an empty variable as none', (t) => {
  t.after(() => {
    delete process.env['BURNLINE_EMPTY'];
  });
  process.env['BURNLINE_EMPTY'] = '';
  assert.equal('BURNLINE_EMPTY' in environment(), false);
  process.env['BURNLINE_EMPTY'] = '0';
  assert.equal(environment()['BURNLINE_EMPTY'], '0');
});

test('readConfig() names the worker: as told, embedded, or by its host', () => {
  assert.equal(configOf('service', { WORKER_ID: 'w-1' }).workerId, 'w-1');
  assert.equal(configOf('service').workerId, 'embedded');
  assert.notEqual(configOf('worker').workerId, 'embedded');
});

const ANONYMOUS: readonly [host: string, insecure: string, who: string][] = [
  ['127.0.0.1', 'off', 'loopback'],
  ['127.9.9.9', 'off', 'loopback'],
  ['localhost', 'off', 'loopback'],
  ['::1', 'off', 'loopback'],
  ['::ffff:127.0.0.1', 'off', 'loopback'],
  ['0.0.0.0', 'off', 'nobody'],
  ['::', 'off', 'nobody'],
  ['10.0.0.7', 'off', 'nobody'],
  ['api.example.com', 'off', 'nobody'],
  ['localhost.example.com', 'off', 'nobody'],
  ['0.0.0.0', 'on', 'anyone'],
];
for (const [host, insecure, who] of ANONYMOUS) {
  test(`anonymousAllowed() is ${who} at ${host} with INSECURE_NO_AUTH ${insecure}`, () => {
    assert.equal(anonymousAllowed(configOf('service', { API_HOST: host, INSECURE_NO_AUTH: insecure })), who);
  });
}

test('the watch has one source, and shows it one credential, which nothing prints', () => {
  const url = { ROUTER_PROMETHEUS_URL: 'http://127.0.0.1:9090' };
  const wrong: readonly [Env, string, RegExp][] = [
    [{ ...url, ROUTER_SCRAPE: 'http://127.0.0.1:1/metrics' }, 'ROUTER_SCRAPE', /expected one/],
    [{ ROUTER_PROMETHEUS_TOKEN: 'hidden' }, 'ROUTER_PROMETHEUS_URL', /credential/],
    [{ ...url, ROUTER_PROMETHEUS_USER: 'ada' }, 'ROUTER_PROMETHEUS_PASSWORD', /ROUTER_PROMETHEUS_USER/],
    [
      { ...url, ROUTER_PROMETHEUS_TOKEN: 'hidden', ROUTER_PROMETHEUS_AUTHORIZATION: 'x' },
      'ROUTER_PROMETHEUS_TOKEN',
      /several/,
    ],
    [
      { ROUTER_PROMETHEUS_URL: 'http://ada:hidden@127.0.0.1:9090' },
      'ROUTER_PROMETHEUS_URL',
      /holds a name or a password/,
    ],
    [{ ...url, ROUTER_PROMETHEUS_EVERY: '0' }, 'ROUTER_PROMETHEUS_EVERY', /1 to 60/],
  ];
  for (const [env, setting, message] of wrong) {
    const faults = faultsOf('router', env);
    assert.deepEqual(
      faults.map((fault) => fault.setting),
      [setting],
    );
    assert.match(faults[0]?.message ?? '', message);
    assert.doesNotMatch(JSON.stringify(faults), /hidden/);
  }
  const config = configOf('router', { ...url, ROUTER_PROMETHEUS_USER: 'ada', ROUTER_PROMETHEUS_PASSWORD: 'hidden' });
  assert.doesNotMatch(inspect(config, { depth: 9 }), /hidden/);
});
